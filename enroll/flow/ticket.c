#include "enroll/flow/ticket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * version (1) | key id (4) | epoch (8, big endian) | nonce (12) | AES-256-GCM(epoch key, nonce,
 * aad = the 25 bytes before; session key | issued at (8) | three digests). All lengths are fixed.
 */
#define VERSION 1
#define KEY_ID_SIZE 4
#define CLEAR_SIZE (1 + KEY_ID_SIZE + 8 + AEAD_NONCE_SIZE)
#define PLAIN_SIZE (32 + 8 + 3 * SHA256_SIZE)
#define TICKET_SIZE (CLEAR_SIZE + PLAIN_SIZE + AEAD_TAG_SIZE)
#define EPOCH 3600

#define LABEL(text) ((struct view){(const uint8_t *)(text), sizeof(text)})

struct ticket_keys {
	struct secret_key master;
	uint8_t id[KEY_ID_SIZE];
	char service[256];
};

enum err ticket_keys_make(
	const struct secret_key *master, const char *service, struct ticket_keys **out)
{
	AUTO(ticket_keys_free) struct ticket_keys *keys = calloc(1, sizeof(*keys));
	AUTO(key_wipe) struct secret_key id;

	if (keys == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "ticket_keys_make");
	keys->master = *master;
	snprintf(keys->service, sizeof(keys->service), "%s", service);
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

static enum err epoch_key(const struct ticket_keys *keys, uint64_t epoch, struct secret_key *out)
{
	AUTO(buf_free) struct buf info = BUF(64);

	buf_add(&info, LABEL("endorse/1 ticket"));
	buf_add(&info, VIEW(keys->id));
	buf_be64(&info, epoch);
	TRY(buf_ok(&info));
	return hkdf_sha256(
		VIEW(keys->master.bytes), view_str(keys->service), buf_view(&info), out->bytes);
}

static enum err add_clear(const struct ticket_keys *keys, uint64_t epoch, struct buf *out)
{
	uint8_t nonce[AEAD_NONCE_SIZE];

	TRY(random_bytes(nonce, sizeof(nonce)));
	buf_u8(out, VERSION);
	buf_add(out, VIEW(keys->id));
	buf_be64(out, epoch);
	buf_add(out, VIEW(nonce));
	return buf_ok(out);
}

enum err ticket_seal(
	const struct ticket_keys *keys, const struct ticket *ticket, struct buf *sealed)
{
	AUTO(buf_free) struct buf clear = BUF(CLEAR_SIZE), plain = BUF(PLAIN_SIZE);
	AUTO(key_wipe) struct secret_key key;
	uint64_t epoch = (uint64_t)ticket->issued_at / EPOCH;

	TRY(epoch_key(keys, epoch, &key));
	TRY(add_clear(keys, epoch, &clear));
	buf_add(&plain, VIEW(ticket->session.bytes));
	buf_be64(&plain, (uint64_t)ticket->issued_at);
	buf_add(&plain, VIEW(ticket->claim_digest));
	buf_add(&plain, VIEW(ticket->trust_version));
	buf_add(&plain, VIEW(ticket->policy_version));
	TRY(buf_ok(&plain));
	buf_add(sealed, buf_view(&clear));
	return aead_seal(key.bytes, clear.p + CLEAR_SIZE - AEAD_NONCE_SIZE, buf_view(&clear),
		buf_view(&plain), sealed);
}

/* One text for all: which check failed would tell a forger how far he got. */
static enum err invalid(void)
{
	return refuse(ERR_UNPROVEN, "ticket-invalid", "PROTOCOL ticket",
		"this is no ticket of this service, or a very old one: get a new one from "
		"/v1/ticket");
}

static uint64_t be64(const uint8_t *p)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static void unpack(const uint8_t *plain, struct ticket *out)
{
	memcpy(out->session.bytes, plain, 32);
	out->issued_at = (int64_t)be64(plain + 32);
	memcpy(out->claim_digest, plain + 40, SHA256_SIZE);
	memcpy(out->trust_version, plain + 72, SHA256_SIZE);
	memcpy(out->policy_version, plain + 104, SHA256_SIZE);
}

enum err ticket_open(
	const struct ticket_keys *keys, struct view sealed, int64_t now, struct ticket *out)
{
	AUTO(buf_free) struct buf plain = BUF(PLAIN_SIZE);
	AUTO(key_wipe) struct secret_key key;
	int64_t epoch, age;

	if (sealed.n != TICKET_SIZE || sealed.p[0] != VERSION ||
		memcmp(sealed.p + 1, keys->id, KEY_ID_SIZE) != 0)
		return invalid();
	epoch = (int64_t)be64(sealed.p + 1 + KEY_ID_SIZE);
	if (epoch < now / EPOCH - 1 || epoch > now / EPOCH + 1)
		return invalid();
	TRY(epoch_key(keys, (uint64_t)epoch, &key));
	if (aead_open(key.bytes, sealed.p + CLEAR_SIZE - AEAD_NONCE_SIZE,
		    (struct view){sealed.p, CLEAR_SIZE},
		    (struct view){sealed.p + CLEAR_SIZE, sealed.n - CLEAR_SIZE}, &plain) != OK)
		return invalid();
	unpack(plain.p, out);
	age = now - out->issued_at;
	if (age < -TICKET_SKEW || age > TICKET_LIFE)
		return refuse(ERR_UNPROVEN, "ticket-expired", "PROTOCOL ticket",
			"the ticket's age is %lld seconds by this server's clock, and it lives for "
			"%d: get a new one from "
			"/v1/ticket",
			(long long)age, TICKET_LIFE);
	return OK;
}
