#include "enroll/flow/published_krl.h"

#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "ca/krl.h"
#include "ca/sshsig.h"
#include "ca/sshwire.h"
#include "db/krl.h"

#include <stdlib.h>

#define DEVICE_ID_BYTES 16

/* What the facts become, for the signer; views into them. */
struct content {
	struct krl_section *sections;
	struct buf *merged; /* serials of the CAs that only certificates tell of */
	size_t n, room;
	struct view *keys;
	struct buf key_ids;
};

static void content_free(struct content *content)
{
	for (size_t i = 0; content->merged != NULL && i < content->room; i++)
		buf_free(&content->merged[i]);
	free(content->merged);
	free(content->sections);
	free(content->keys);
	buf_free(&content->key_ids);
}

static enum err make_room(const struct krl_facts *facts, struct content *content)
{
	/* Of each CA a section, were it that each certificate has another; and one of key IDs. */
	content->room = facts->issuers.n + facts->nameless.n + 1;
	content->key_ids = BUF(KRL_MAX);
	content->sections = calloc(content->room, sizeof(*content->sections));
	content->merged = calloc(content->room, sizeof(*content->merged));
	content->keys = calloc(facts->revoked.n + 1, sizeof(*content->keys));
	if (content->sections == NULL || content->merged == NULL || content->keys == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "a KRL");
	return OK;
}

/* The section of a CA among those from `first` on; a new one where it has none. */
static size_t section_of(struct content *content, size_t first, struct view ca)
{
	for (size_t i = first; i < content->n; i++)
		if (view_equal(content->sections[i].ca, ca))
			return i;
	content->merged[content->n] = BUF(KRL_MAX);
	content->sections[content->n] = (struct krl_section){.ca = ca};
	return content->n++;
}

/* They come in the order of their serials. */
static enum err add_nameless(const struct krl_list *nameless, struct content *content)
{
	const size_t first = content->n;

	for (size_t i = 0; i < nameless->n; i++) {
		struct ssh_certificate read;
		size_t at;

		TRY(ssh_certificate_parse(buf_view(&nameless->entries[i].blob), &read));
		at = section_of(content, first, read.signature_key);
		buf_add(&content->merged[at], buf_view(&nameless->entries[i].serials));
		TRY(buf_ok(&content->merged[at]));
		content->sections[at].serials = buf_view(&content->merged[at]);
	}
	return OK;
}

/* The shipped templates have the device's id as key ID, which is one for all CAs. */
static enum err add_devices(struct view devices, struct content *content)
{
	for (size_t i = 0; i + DEVICE_ID_BYTES <= devices.n; i += DEVICE_ID_BYTES) {
		char text[2 * DEVICE_ID_BYTES + 1];

		hex_write((struct view){devices.p + i, DEVICE_ID_BYTES}, text);
		sshwire_add_string(&content->key_ids, view_str(text));
	}
	TRY(buf_ok(&content->key_ids));
	if (devices.n > 0)
		content->sections[content->n++] =
			(struct krl_section){.key_ids = buf_view(&content->key_ids)};
	return OK;
}

static enum err fill(const struct krl_facts *facts, struct content *content)
{
	TRY(make_room(facts, content));
	for (size_t i = 0; i < facts->issuers.n; i++)
		content->sections[content->n++] =
			(struct krl_section){.ca = buf_view(&facts->issuers.entries[i].blob),
				.serials = buf_view(&facts->issuers.entries[i].serials)};
	TRY(add_nameless(&facts->nameless, content));
	TRY(add_devices(buf_view(&facts->devices), content));
	for (size_t i = 0; i < facts->revoked.n; i++)
		content->keys[i] = buf_view(&facts->revoked.entries[i].blob);
	return OK;
}

/*
 * Hosts never take a list with a lower number. So it is also no lower than the time, of which a second
 * has more numbers than lists: a database that was restored from a backup goes on above what had been
 * published after that.
 */
static int64_t number_after(int64_t before, int64_t now)
{
	return before < now * 1000 ? now * 1000 : before + 1;
}

static enum err publish(const struct service *service, int64_t now)
{
	AUTO(krl_facts_free) struct krl_facts facts = {0};
	AUTO(content_free) struct content content = {0};
	AUTO(buf_free) struct buf bytes = BUF(KRL_MAX), signature = BUF(SSHSIG_MAX);
	int64_t number;
	bool published;

	TRY(krl_read(service->db, now - KRL_AFTER_END, &facts));
	TRY(fill(&facts, &content));
	number = number_after(facts.number, now);
	TRY(signer_krl(service->signer,
		&(struct krl_content){.version = (uint64_t)number,
			.at = now,
			.sections = content.sections,
			.sections_n = content.n,
			.keys = content.keys,
			.keys_n = facts.revoked.n},
		&bytes, &signature));
	return krl_publish(service->db,
		&(struct krl_made){.changed = facts.changed,
			.before = facts.number,
			.number = number,
			.at = now,
			.bytes = buf_view(&bytes),
			.signature = buf_view(&signature)},
		&published);
}

enum err krl_publish_round(const struct service *service)
{
	int64_t now = clock_now();
	bool is_due = false;

	if (signer_ssh_ca(service->signer, TEMPLATE_SSH_HOST).n == 0 &&
		signer_ssh_ca(service->signer, TEMPLATE_SSH_USER).n == 0)
		return OK;
	TRY(db_clock_judge(service->db, now));
	TRY(krl_is_due(service->db, now - KRL_PERIOD, &is_due));
	return is_due ? publish(service, now) : OK;
}

enum err published_krl(const struct service *service, struct buf *bytes, struct buf *signature)
{
	TRY(krl_fetch(service->db, bytes, signature));
	if ((bytes != NULL ? bytes : signature)->n == 0)
		return refuse(ERR_NOT_FOUND, "krl-missing", "PROTOCOL OpenSSH revocation list",
			"this service has no KRL: it has no OpenSSH CA, or was started a moment "
			"ago");
	return OK;
}
