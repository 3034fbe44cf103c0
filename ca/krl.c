#include "ca/krl.h"

#include "ca/krl_format.h"
#include "ca/sshwire.h"

#define COMMENT "endorse" /* for ssh-keygen -Ql */

/* A byte that says what follows, and that as a string. */
static enum err add_part(uint8_t type, const struct buf *data, struct buf *out)
{
	TRY(buf_ok(data));
	buf_u8(out, type);
	sshwire_add_string(out, buf_view(data));
	return buf_ok(out);
}

static enum err add_key_ids(struct view key_ids, struct buf *out)
{
	AUTO(buf_free) struct buf part = BUF(KRL_MAX);

	if (key_ids.n == 0)
		return OK;
	buf_add(&part, key_ids);
	return add_part(KRL_KEY_ID, &part, out);
}

static enum err add_section(const struct krl_section *section, struct buf *out)
{
	AUTO(buf_free) struct buf part = BUF(KRL_MAX);

	if (section->serials.n == 0 && section->key_ids.n == 0)
		return OK;
	sshwire_add_string(&part, section->ca);
	sshwire_add_string(&part, view_str("")); /* reserved */
	TRY(krl_serials_add(section->serials, &part));
	TRY(add_key_ids(section->key_ids, &part));
	return add_part(KRL_CERTIFICATES, &part, out);
}

static enum err add_keys(const struct view *keys, size_t n, struct buf *out)
{
	AUTO(buf_free) struct buf part = BUF(KRL_MAX);

	if (n == 0)
		return OK;
	for (size_t i = 0; i < n; i++)
		sshwire_add_string(&part, keys[i]);
	return add_part(KRL_KEYS, &part, out);
}

enum err krl_build(const struct krl_content *content, struct buf *out)
{
	buf_add(out, (struct view){(const uint8_t *)KRL_MAGIC, KRL_MAGIC_SIZE});
	sshwire_add_u32(out, KRL_FORMAT);
	buf_be64(out, content->version);
	buf_be64(out, (uint64_t)content->at);
	buf_be64(out, 0); /* flags */
	sshwire_add_string(out, view_str("")); /* reserved */
	sshwire_add_string(out, view_str(COMMENT));
	for (size_t i = 0; i < content->sections_n; i++)
		TRY(add_section(&content->sections[i], out));
	TRY(add_keys(content->keys, content->keys_n, out));
	return buf_ok(out);
}
