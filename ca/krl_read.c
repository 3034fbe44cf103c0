#include "ca/base/clock.h"
#include "ca/krl.h"
#include "ca/krl_format.h"
#include "ca/sshkey.h"
#include "ca/sshwire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum err malformed(const char *what)
{
	return fail(ERR_MALFORMED, "krl", "no KRL of a service's: %s", what);
}

bool krl_begins(struct view bytes)
{
	return bytes.n >= KRL_MAGIC_SIZE && memcmp(bytes.p, KRL_MAGIC, KRL_MAGIC_SIZE) == 0;
}

/* A byte that says what follows, and that as a string. */
static bool next_part(struct view *rest, uint8_t *type, struct view *data)
{
	if (rest->n == 0)
		return false;
	*type = rest->p[0];
	*rest = (struct view){rest->p + 1, rest->n - 1};
	return sshwire_string(rest, data);
}

static enum err read_list(struct view rest, struct krl *out)
{
	uint64_t serial;

	if (rest.n == 0)
		return malformed("an empty list of serial numbers");
	for (; rest.n > 0; out->serials++)
		if (!sshwire_u64(&rest, &serial) || serial == 0)
			return malformed("a list of serial numbers that is not whole");
	return OK;
}

static enum err read_range(struct view rest, struct krl *out)
{
	uint64_t lo, hi;

	if (!sshwire_u64(&rest, &lo) || !sshwire_u64(&rest, &hi) || rest.n > 0 || lo == 0 ||
		hi < lo)
		return malformed("a range that is none");
	out->serials += hi - lo + 1;
	return OK;
}

static enum err read_bitmap(struct view rest, struct krl *out)
{
	struct view bits;
	uint64_t offset;

	if (!sshwire_u64(&rest, &offset) || !sshwire_mpint(&rest, &bits) || rest.n > 0 ||
		offset == 0 || bits.n > KRL_BITMAP_MAX / 8 + 1)
		return malformed("a bitmap that is none, or a very long one");
	for (size_t i = 0; i < bits.n; i++)
		out->serials += (uint64_t)__builtin_popcount(bits.p[i]);
	return OK;
}

static enum err read_key_ids(struct view rest, struct krl *out)
{
	struct view id;

	for (; rest.n > 0; out->key_ids++)
		if (!sshwire_string(&rest, &id) || id.n == 0)
			return malformed("a key ID that is not whole, or empty");
	return OK;
}

static enum err read_certificates(struct view rest, struct krl *out)
{
	struct view ca, reserved, data;
	uint8_t type;

	if (!sshwire_string(&rest, &ca) || !sshwire_string(&rest, &reserved))
		return malformed("a section that does not say whose certificates it is about");
	while (rest.n > 0) {
		if (!next_part(&rest, &type, &data))
			return malformed("a section that is not whole");
		if (type == KRL_SERIAL_LIST)
			TRY(read_list(data, out));
		else if (type == KRL_SERIAL_RANGE)
			TRY(read_range(data, out));
		else if (type == KRL_SERIAL_BITMAP)
			TRY(read_bitmap(data, out));
		else if (type == KRL_KEY_ID)
			TRY(read_key_ids(data, out));
		else
			return malformed("certificates told of in a way that is not known");
	}
	return OK;
}

static enum err read_keys(struct view rest, struct krl *out)
{
	struct view blob;

	for (; rest.n > 0; out->keys++) {
		AUTO(buf_free) struct buf bits = BUF(SSHKEY_MAX);
		struct grant_key key;

		if (!sshwire_string(&rest, &blob) || sshkey_parse(blob, &bits, &key) != OK)
			return malformed("a key that is none");
	}
	return OK;
}

static enum err read_head(struct view *rest, struct krl *out)
{
	struct view reserved, comment;
	uint64_t at, flags;
	uint32_t format;

	if (!krl_begins(*rest))
		return malformed("it does not begin as one");
	*rest = (struct view){rest->p + KRL_MAGIC_SIZE, rest->n - KRL_MAGIC_SIZE};
	if (!sshwire_u32(rest, &format) || !sshwire_u64(rest, &out->version) ||
		!sshwire_u64(rest, &at) || !sshwire_u64(rest, &flags) ||
		!sshwire_string(rest, &reserved) || !sshwire_string(rest, &comment))
		return malformed("it ends early");
	if (format != KRL_FORMAT || at > INT64_MAX)
		return malformed("of a format that is not known");
	out->at = (int64_t)at;
	return OK;
}

enum err krl_parse(struct view bytes, struct krl *out)
{
	struct krl read = {0};
	struct view rest = bytes, data;
	uint8_t type;

	if (bytes.n > KRL_MAX)
		return malformed("it is too long");
	TRY(read_head(&rest, &read));
	while (rest.n > 0) {
		if (!next_part(&rest, &type, &data))
			return malformed("it ends early");
		if (type == KRL_CERTIFICATES)
			TRY(read_certificates(data, &read));
		else if (type == KRL_KEYS)
			TRY(read_keys(data, &read));
		else
			return malformed("a section that is not known, such as a signature, which "
					 "OpenSSH refuses too");
	}
	*out = read;
	return OK;
}

void krl_tell(const struct krl *krl, char out[static KRL_TEXT])
{
	char at[CLOCK_TEXT_SIZE];

	clock_text(krl->at, at);
	snprintf(out, KRL_TEXT,
		"version %" PRIu64 " of %s: %" PRIu64 " certificates, %" PRIu64 " devices, %" PRIu64
		" CAs",
		krl->version, at, krl->serials, krl->key_ids, krl->keys);
}
