#include "enroll/flow/ticket.h"

#include <stdlib.h>
#include <string.h>

/*
 * version (1) | key id (4) | epoch (8, big endian) | nonce (12) | AES-256-GCM(epoch key, nonce,
 * aad = the 25 bytes before; what the kind says). All lengths are fixed.
 */
#define KEY_ID_SIZE 4
#define CLEAR_SIZE (1 + KEY_ID_SIZE + 8 + AEAD_NONCE_SIZE)
#define ENROLL_SIZE (32 + 8 + 3 * SHA256_SIZE)
#define RENEW_SIZE (8 + SHA256_SIZE)
#define EPOCH 3600

#define LABEL(text) ((struct view){(const uint8_t *)(text), sizeof(text)})

/* Of one kind no key opens the other: version and epoch keys both differ. */
struct kind {
	uint8_t version;
	struct view label; /* of the epoch keys */
	size_t size; /* of what is sealed */
	const char *path; /* where to get a new one */
};
/* session key | issued at | three digests */
static const struct kind to_enroll = {1,
	{(const uint8_t *)"endorse/1 ticket", sizeof("endorse/1 ticket")}, ENROLL_SIZE,
	"/v1/ticket"};
/* issued at | digest of the AK's Name */
static const struct kind to_renew = {2,
	{(const uint8_t *)"endorse/1 renewal ticket", sizeof("endorse/1 renewal ticket")},
	RENEW_SIZE, "/v1/renew/ticket"};

struct ticket_keys {
	struct secret_key master;
	struct secret_key
		extracted; /* with the service's name as salt: epoch keys are expanded from it */
	uint8_t id[KEY_ID_SIZE];
};

enum err ticket_keys_make(
	const struct secret_key *master, const char *service, struct ticket_keys **out)
{
	AUTO(ticket_keys_free) struct ticket_keys *keys = calloc(1, sizeof(*keys));
	AUTO(key_wipe) struct secret_key id;

	if (keys == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "ticket_keys_make");
	keys->master = *master;
	TRY(hkdf_extract(VIEW(master->bytes), view_str(service), keys->extracted.bytes));
	TRY(hkdf_sha256(
		VIEW(master->bytes), view_str(""), LABEL("endorse/1 ticket key id"), id.bytes));
	memcpy(keys->id, id.bytes, sizeof(keys->id));
	*out = MOVE(keys);
	return OK;
}

void ticket_keys_free(struct ticket_keys **keys)
{
	if (*keys != NULL)
		secret_wipe(*keys, sizeof(**keys));
	free(*keys);
	*keys = NULL;
}

bool ticket_keys_equal(const struct ticket_keys *a, const struct ticket_keys *b)
{
	return secret_equal(a->master.bytes, b->master.bytes, sizeof(a->master.bytes));
}

void ticket_wipe(struct ticket *ticket)
{
	key_wipe(&ticket->session);
}

static enum err epoch_key(const struct ticket_keys *keys, const struct kind *kind, uint64_t epoch,
	struct secret_key *out)
{
	AUTO(buf_free) struct buf info = BUF(64);

	buf_add(&info, kind->label);
	buf_add(&info, VIEW(keys->id));
	buf_be64(&info, epoch);
	TRY(buf_ok(&info));
	return hkdf_expand(keys->extracted.bytes, buf_view(&info), out->bytes);
}

static enum err add_clear(
	const struct ticket_keys *keys, const struct kind *kind, uint64_t epoch, struct buf *out)
{
	uint8_t nonce[AEAD_NONCE_SIZE];

	TRY(random_bytes(nonce, sizeof(nonce)));
	buf_u8(out, kind->version);
	buf_add(out, VIEW(keys->id));
	buf_be64(out, epoch);
	buf_add(out, VIEW(nonce));
	return buf_ok(out);
}

static enum err seal(const struct ticket_keys *keys, const struct kind *kind, int64_t issued_at,
	const struct buf *plain, struct buf *sealed)
{
	AUTO(buf_free) struct buf clear = BUF(CLEAR_SIZE);
	AUTO(key_wipe) struct secret_key key;
	uint64_t epoch = (uint64_t)issued_at / EPOCH;

	TRY(buf_ok(plain));
	TRY(epoch_key(keys, kind, epoch, &key));
	TRY(add_clear(keys, kind, epoch, &clear));
	buf_add(sealed, buf_view(&clear));
	return aead_seal(key.bytes, clear.p + CLEAR_SIZE - AEAD_NONCE_SIZE, buf_view(&clear),
		buf_view(plain), sealed);
}

enum err ticket_seal(
	const struct ticket_keys *keys, const struct ticket *ticket, struct buf *sealed)
{
	AUTO(buf_free) struct buf plain = BUF(ENROLL_SIZE);

	buf_add(&plain, VIEW(ticket->session.bytes));
	buf_be64(&plain, (uint64_t)ticket->issued_at);
	buf_add(&plain, VIEW(ticket->claim_digest));
	buf_add(&plain, VIEW(ticket->trust_version));
	buf_add(&plain, VIEW(ticket->policy_version));
	return seal(keys, &to_enroll, ticket->issued_at, &plain, sealed);
}

enum err renewal_ticket_seal(
	const struct ticket_keys *keys, const struct renewal_ticket *ticket, struct buf *sealed)
{
	AUTO(buf_free) struct buf plain = BUF(RENEW_SIZE);

	buf_be64(&plain, (uint64_t)ticket->issued_at);
	buf_add(&plain, VIEW(ticket->ak_digest));
	return seal(keys, &to_renew, ticket->issued_at, &plain, sealed);
}

/* One text for all of a kind: which check failed would tell a forger how far he got. */
static enum err invalid(const struct kind *kind)
{
	return refuse(ERR_UNPROVEN, "ticket-invalid", "PROTOCOL ticket",
		"this is no ticket of this service, or a very old one: get a new one from %s",
		kind->path);
}

static uint64_t be64(const uint8_t *p)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static enum err judge_age(const struct kind *kind, int64_t issued_at, int64_t now)
{
	int64_t age = now - issued_at;

	if (age < -TICKET_SKEW || age > TICKET_LIFE)
		return refuse(ERR_UNPROVEN, "ticket-expired", "PROTOCOL ticket",
			"the ticket's age is %lld seconds by this server's clock, and it lives for "
			"%d: get a new one from %s",
			(long long)age, TICKET_LIFE, kind->path);
	return OK;
}

static enum err unseal(const struct ticket_keys *keys, const struct kind *kind, struct view sealed,
	int64_t now, struct buf *plain)
{
	AUTO(key_wipe) struct secret_key key;
	int64_t epoch;

	if (sealed.n != CLEAR_SIZE + kind->size + AEAD_TAG_SIZE || sealed.p[0] != kind->version ||
		memcmp(sealed.p + 1, keys->id, KEY_ID_SIZE) != 0)
		return invalid(kind);
	epoch = (int64_t)be64(sealed.p + 1 + KEY_ID_SIZE);
	if (epoch < now / EPOCH - 1 || epoch > now / EPOCH + 1)
		return invalid(kind);
	TRY(epoch_key(keys, kind, (uint64_t)epoch, &key));
	if (aead_open(key.bytes, sealed.p + CLEAR_SIZE - AEAD_NONCE_SIZE,
		    (struct view){sealed.p, CLEAR_SIZE},
		    (struct view){sealed.p + CLEAR_SIZE, sealed.n - CLEAR_SIZE}, plain) != OK)
		return invalid(kind);
	return OK;
}

enum err ticket_open(
	const struct ticket_keys *keys, struct view sealed, int64_t now, struct ticket *out)
{
	AUTO(buf_free) struct buf plain = BUF(ENROLL_SIZE);

	TRY(unseal(keys, &to_enroll, sealed, now, &plain));
	memcpy(out->session.bytes, plain.p, 32);
	out->issued_at = (int64_t)be64(plain.p + 32);
	memcpy(out->claim_digest, plain.p + 40, SHA256_SIZE);
	memcpy(out->trust_version, plain.p + 72, SHA256_SIZE);
	memcpy(out->policy_version, plain.p + 104, SHA256_SIZE);
	return judge_age(&to_enroll, out->issued_at, now);
}

enum err renewal_ticket_open(
	const struct ticket_keys *keys, struct view sealed, int64_t now, struct renewal_ticket *out)
{
	AUTO(buf_free) struct buf plain = BUF(RENEW_SIZE);

	TRY(unseal(keys, &to_renew, sealed, now, &plain));
	out->issued_at = (int64_t)be64(plain.p);
	memcpy(out->ak_digest, plain.p + 8, SHA256_SIZE);
	return judge_age(&to_renew, out->issued_at, now);
}
