#include "ca/base/ossl.h"
#include "tests/bench/endorse-bench/floor/mac.h"

#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

/* Sizes of one enrollment by the protocol, with an RSA-2048 EK and one certificate. */
enum {
	CLAIM = 1700,
	REQUEST = 32,
	CLEAR = 25, /* of a ticket */
	SEALED = 136, /* in it */
	TICKET = CLEAR + SEALED + 16,
	ANSWER = 2600,
	PUBLIC = 90, /* the AK's TPMT_PUBLIC */
	POINT = 65,
};

struct ticket_floor {
	EC_GROUP *group;
	EVP_CIPHER *gcm;
	EVP_CIPHER_CTX *aes;
	struct mac mac;
	uint8_t epoch_key[32]; /* of an hour: kept */
	uint8_t point[POINT], public[PUBLIC], claim[CLAIM], request[REQUEST], answer[ANSWER];
};

static void ticket_free(void *state)
{
	struct ticket_floor *floor = state;

	if (floor != NULL) {
		EC_GROUP_free(floor->group);
		EVP_CIPHER_free(floor->gcm);
		EVP_CIPHER_CTX_free(floor->aes);
		mac_free(&floor->mac);
	}
	free(floor);
}

static void state_free(struct ticket_floor **state)
{
	ticket_free(*state);
	*state = NULL;
}

static enum err ticket_make(const struct floor_plan *plan, void **state)
{
	AUTO(state_free) struct ticket_floor *floor = calloc(1, sizeof(*floor));
	AUTO(pkey_free) EVP_PKEY *ak = EVP_EC_gen("P-256");
	size_t n = 0;

	(void)plan;
	if (floor == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "ticket");
	floor->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	floor->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	floor->aes = EVP_CIPHER_CTX_new();
	if (ak == NULL || floor->group == NULL || floor->gcm == NULL || floor->aes == NULL ||
		EVP_PKEY_get_octet_string_param(
			ak, "pub", floor->point, sizeof(floor->point), &n) != 1)
		return part_openssl("an AK");
	TRY(mac_make(&floor->mac));
	*state = MOVE(floor);
	return OK;
}

/* Whether the point is on its curve; nothing else of an enrollment needs the AK as a key. */
static bool read_ak(const struct ticket_floor *floor, uint8_t name[static 32])
{
	EC_POINT *point = EC_POINT_new(floor->group);
	bool is_good = point != NULL &&
		       EC_POINT_oct2point(floor->group, point, floor->point, POINT, NULL) == 1;

	EC_POINT_free(point);
	return is_good && SHA256(floor->public, PUBLIC, name) != NULL;
}

static bool seal(struct ticket_floor *floor, const uint8_t key[static 32],
	const uint8_t nonce[static 12], struct view aad, struct view plain, uint8_t *out)
{
	int n = 0;

	return EVP_EncryptInit_ex2(floor->aes, floor->gcm, key, nonce, NULL) == 1 &&
	       EVP_EncryptUpdate(floor->aes, NULL, &n, aad.p, (int)aad.n) == 1 &&
	       EVP_EncryptUpdate(floor->aes, out, &n, plain.p, (int)plain.n) == 1 &&
	       EVP_EncryptFinal_ex(floor->aes, out + plain.n, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(floor->aes, EVP_CTRL_AEAD_GET_TAG, 16, out + plain.n) == 1;
}

static bool unseal(struct ticket_floor *floor, const uint8_t ticket[static TICKET],
	uint8_t plain[static SEALED])
{
	uint8_t tag[16];
	int n = 0;

	memcpy(tag, ticket + CLEAR + SEALED, sizeof(tag));
	return EVP_DecryptInit_ex2(
		       floor->aes, floor->gcm, floor->epoch_key, ticket + CLEAR - 12, NULL) == 1 &&
	       EVP_DecryptUpdate(floor->aes, NULL, &n, ticket, CLEAR) == 1 &&
	       EVP_DecryptUpdate(floor->aes, plain, &n, ticket + CLEAR, SEALED) == 1 &&
	       EVP_CIPHER_CTX_ctrl(floor->aes, EVP_CTRL_AEAD_SET_TAG, 16, tag) == 1 &&
	       EVP_DecryptFinal_ex(floor->aes, plain + SEALED, &n) == 1;
}

/* POST /v1/ticket: the AK, a session key, H(claim), and the ticket. */
static bool give(struct ticket_floor *floor, uint8_t ticket[static TICKET])
{
	uint8_t name[32], plain[SEALED] = {0};

	return read_ak(floor, name) && RAND_bytes(plain, 32) == 1 &&
	       SHA256(floor->claim, CLAIM, plain + 40) != NULL &&
	       RAND_bytes(ticket + CLEAR - 12, 12) == 1 &&
	       seal(floor, floor->epoch_key, ticket + CLEAR - 12, (struct view){ticket, CLEAR},
		       VIEW(plain), ticket + CLEAR);
}

/* POST /v1/enroll: the ticket, the digests, the proof, and the sealed answer. */
static bool take(struct ticket_floor *floor, const uint8_t ticket[static TICKET])
{
	static const char proof_label[] = "endorse/1 proof", enroll_label[] = "endorse/1 enroll";
	static const char answer_label[] = "endorse/1 answer";
	uint8_t session[SEALED], of_ticket[32], of_both[64], key[32], proof[32], nonce[12];
	uint8_t info[sizeof(answer_label) + 64], sealed[ANSWER + 16];

	memcpy(info, answer_label, sizeof(answer_label));
	if (!unseal(floor, ticket, session) || SHA256(ticket, TICKET, of_ticket) == NULL ||
		SHA256(floor->claim, CLAIM, of_both) == NULL ||
		SHA256(floor->request, REQUEST, of_both + 32) == NULL ||
		!mac_hkdf(&floor->mac, session, of_ticket, VIEW(proof_label), key) ||
		!mac_of(&floor->mac, key,
			(const struct view[]){VIEW(enroll_label), VIEW(of_ticket), VIEW(of_both)},
			3, proof))
		return false;
	memcpy(info + sizeof(answer_label), of_both, sizeof(of_both));
	return mac_hkdf(&floor->mac, session, of_ticket, VIEW(info), key) &&
	       RAND_bytes(nonce, sizeof(nonce)) == 1 &&
	       seal(floor, key, nonce, VIEW(proof), VIEW(floor->answer), sealed);
}

static enum err ticket_run(void *state, unsigned *n, uint64_t *ns)
{
	uint8_t ticket[TICKET] = {1};
	uint64_t start = part_clock();

	for (unsigned i = 0; i < *n; i++)
		if (!give(state, ticket) || !take(state, ticket))
			return part_openssl("a ticket");
	*ns = part_clock() - start;
	return OK;
}

const struct part part_ticket = {600, ticket_make, ticket_run, ticket_free};
