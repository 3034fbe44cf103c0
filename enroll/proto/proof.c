#include "enroll/proto/proof.h"

/* Labels end with a NUL, so that none is the beginning of another. */
#define LABEL(text) ((struct view){(const uint8_t *)(text), sizeof(text)})

struct digests {
	uint8_t ticket[SHA256_SIZE];
	uint8_t claim[SHA256_SIZE];
	uint8_t request[SHA256_SIZE];
};

static enum err digest_all(const struct transcript *transcript, struct digests *out)
{
	TRY(SHA256_OF(out->ticket, transcript->ticket));
	TRY(SHA256_OF(out->claim, transcript->claim));
	return SHA256_OF(out->request, transcript->request);
}

enum err proof_make(const struct secret_key *session, const struct transcript *transcript,
	uint8_t proof[static PROOF_SIZE])
{
	AUTO(key_wipe) struct secret_key key;
	struct digests digests;

	TRY(digest_all(transcript, &digests));
	TRY(hkdf_sha256(
		VIEW(session->bytes), VIEW(digests.ticket), LABEL("endorse/1 proof"), key.bytes));
	return hmac_sha256(key.bytes,
		(const struct view[]){LABEL("endorse/1 enroll"), VIEW(digests.ticket),
			VIEW(digests.claim), VIEW(digests.request)},
		4, proof);
}

enum err proof_check(const struct secret_key *session, const struct transcript *transcript,
	const uint8_t proof[static PROOF_SIZE])
{
	uint8_t wanted[PROOF_SIZE];

	TRY(proof_make(session, transcript, wanted));
	if (!secret_equal(wanted, proof, PROOF_SIZE))
		return refuse(ERR_UNPROVEN, "proof-invalid", "PROTOCOL proof",
			"the proof does not belong to this ticket, claim and request: was the "
			"credential activated by the TPM that holds this EK and this AK?");
	return OK;
}

static enum err answer_key(const struct secret_key *session, const struct transcript *transcript,
	struct secret_key *key)
{
	AUTO(buf_free) struct buf info = BUF(256);
	struct digests digests;

	TRY(digest_all(transcript, &digests));
	buf_add(&info, LABEL("endorse/1 answer"));
	buf_add(&info, VIEW(digests.claim));
	buf_add(&info, VIEW(digests.request));
	TRY(buf_ok(&info));
	return hkdf_sha256(VIEW(session->bytes), VIEW(digests.ticket), buf_view(&info), key->bytes);
}

enum err answer_seal(const struct secret_key *session, const struct transcript *transcript,
	const uint8_t proof[static PROOF_SIZE], struct view answer, struct buf *sealed)
{
	AUTO(key_wipe) struct secret_key key;
	uint8_t nonce[AEAD_NONCE_SIZE];

	TRY(answer_key(session, transcript, &key));
	TRY(random_bytes(nonce, sizeof(nonce)));
	buf_add(sealed, VIEW(nonce));
	return aead_seal(key.bytes, nonce, (struct view){proof, PROOF_SIZE}, answer, sealed);
}

enum err answer_open(const struct secret_key *session, const struct transcript *transcript,
	const uint8_t proof[static PROOF_SIZE], struct view sealed, struct buf *answer)
{
	AUTO(key_wipe) struct secret_key key;

	if (sealed.n < AEAD_NONCE_SIZE)
		return fail(ERR_UNPROVEN, "seal", "too short to be sealed");
	TRY(answer_key(session, transcript, &key));
	return aead_open(key.bytes, sealed.p, (struct view){proof, PROOF_SIZE},
		(struct view){sealed.p + AEAD_NONCE_SIZE, sealed.n - AEAD_NONCE_SIZE}, answer);
}
