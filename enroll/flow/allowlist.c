#include "enroll/flow/allowlist.h"

#include "ca/base/encode.h"
#include "ca/base/hostname.h"
#include "db/allowed.h"
#include "enroll/flow/act.h"
#include "enroll/tpm/identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err read_digest(const char *text, uint8_t out[static DIGEST_SIZE])
{
	if (hex_read(view_str(text), out, DIGEST_SIZE) != OK)
		return refuse(ERR_MALFORMED, "ek-digest", "PROTOCOL admin",
			"\"%.64s\" is no digest of an EK: wanted the SHA-256 of its "
			"SubjectPublicKeyInfo, %d hexadecimal digits",
			text, EK_DIGEST_DIGITS);
	return OK;
}

/* The digest of a public area that is one of the templates. */
static enum err judge_public(const struct service *service, const struct caller *caller,
	struct view public, uint8_t out[static DIGEST_SIZE])
{
	AUTO(identity_free) struct identity *identity = NULL;
	const struct identity_rules rules = {
		.trust = service->trust, .now = caller->now, .takes_unproven = true};
	const struct ek_evidence evidence = {.public = public};

	TRY(identity_judge(&rules, &evidence, &identity));
	memcpy(out, identity_ek_digest(identity), DIGEST_SIZE);
	return OK;
}

static enum err judge_entry(const struct service *service, const struct caller *caller,
	const struct allow_entry *entry, struct allowed *out)
{
	uint8_t said[DIGEST_SIZE];

	*out = (struct allowed){.ek_public = buf_view(&entry->ek_public),
		.serial = entry->serial,
		.host = entry->host,
		.labels = entry->labels == NULL ? "{}" : entry->labels};
	if (entry->host != NULL)
		TRY(hostname_check(entry->host));
	if (entry->ek_digest[0] != '\0')
		TRY(read_digest(entry->ek_digest, said));
	if (entry->ek_public.n == 0)
		memcpy(out->ek_digest, said, DIGEST_SIZE);
	else
		TRY(judge_public(service, caller, out->ek_public, out->ek_digest));
	if (entry->ek_digest[0] != '\0' && memcmp(said, out->ek_digest, DIGEST_SIZE) != 0)
		return refuse(ERR_MALFORMED, "ek-digest", "PROTOCOL admin",
			"the digest %s is not that of the EK's public area beside it",
			entry->ek_digest);
	return OK;
}

/* The two have the same words, and neither may see the other. */
static enum allow_fate fate_of(enum allowed_fate fate)
{
	static const enum allow_fate fates[] = {[ALLOWED_ADDED] = ALLOW_ADDED,
		[ALLOWED_SAME] = ALLOW_SAME,
		[ALLOWED_EK_TAKEN] = ALLOW_EK_TAKEN,
		[ALLOWED_HOST_TAKEN] = ALLOW_HOST_TAKEN,
		[ALLOWED_HOST_BOUND] = ALLOW_HOST_BOUND,
		[ALLOWED_EK_BOUND] = ALLOW_EK_BOUND};

	return fates[fate];
}

static void tell_fates(const enum allowed_fate *fates, const struct allow_request *request,
	struct allow_answer *out)
{
	for (size_t i = 0; i < request->n; i++) {
		enum allow_fate fate = fate_of(fates[i]);

		if (fate == ALLOW_ADDED)
			out->added++;
		else if (fate == ALLOW_SAME)
			out->same++;
		else
			out->bad[out->bad_n++] = (struct allow_bad){(int64_t)i, fate};
	}
	out->changed =
		!request->dry_run && out->added > 0 && (out->bad_n == 0 || request->skip_bad);
}

enum err allowlist_add(const struct service *service, const struct caller *caller, const char *who,
	const struct allow_request *request, struct allow_answer *out)
{
	AUTO(mem_free) struct allowed *entries = calloc(request->n + 1, sizeof(*entries));
	AUTO(mem_free) enum allowed_fate *fates = calloc(request->n + 1, sizeof(*fates));
	struct act act;

	*out = (struct allow_answer){0};
	if (entries == NULL || fates == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "allowlist_add");
	TRY(act_make(service, caller, who, request->why, &act));
	for (size_t i = 0; i < request->n; i++)
		TRY(judge_entry(service, caller, &request->entries[i], &entries[i]));
	TRY(allow_answer_init(out, request->n));
	if (request->n > 0)
		TRY(allowed_add(service->db, entries, request->n, request->source,
			request->skip_bad, request->dry_run, &act, fates));
	tell_fates(fates, request, out);
	return OK;
}

enum err allowlist_remove(const struct service *service, const struct caller *caller,
	const char *who, const struct disallow_request *request)
{
	uint8_t digest[DIGEST_SIZE];
	struct act act;

	TRY(read_digest(request->ek_digest, digest));
	TRY(act_make(service, caller, who, request->why, &act));
	return allowed_remove(service->db, digest, &act);
}

static enum err read_limit(const char *text, size_t *out)
{
	char *end;
	unsigned long n;

	*out = ALLOW_PAGE;
	if (text == NULL)
		return OK;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (strspn(text, "0123456789") != strlen(text) || errno != 0 || n < 1 || n > ALLOW_PAGE)
		return refuse(ERR_MALFORMED, "query-value", "PROTOCOL admin",
			"limit is \"%.32s\": wanted a number from 1 to %d", text, ALLOW_PAGE);
	*out = n;
	return OK;
}

static void tell(const struct allowed_row *row, struct allow_item *out)
{
	hex_write(VIEW(row->ek_digest), out->ek_digest);
	snprintf(out->serial, sizeof(out->serial), "%s", row->serial);
	snprintf(out->host, sizeof(out->host), "%s", row->host);
	snprintf(out->labels, sizeof(out->labels), "%s", row->labels);
	snprintf(out->source, sizeof(out->source), "%s", row->source);
	snprintf(out->added_by, sizeof(out->added_by), "%s", row->added_by);
	snprintf(out->why, sizeof(out->why), "%s", row->why);
	out->added_at = row->added_at;
	out->is_enrolled = row->is_enrolled;
}

enum err allowlist_read(
	const struct service *service, const struct allowlist_wish *wish, struct allow_list *out)
{
	AUTO(allowed_page_free) struct allowed_page page = {0};
	uint8_t after[DIGEST_SIZE];
	struct allowed_query query = {.host = wish->host, .serial = wish->serial};

	*out = (struct allow_list){0};
	TRY(read_limit(wish->limit, &query.limit));
	if (wish->after != NULL) {
		TRY(read_digest(wish->after, after));
		query.after = after;
	}
	TRY(allowed_read(service->db, &query, &page));
	TRY(allow_list_init(out, page.n));
	for (size_t i = 0; i < page.n; i++)
		tell(&page.items[i], &out->items[i]);
	out->n = page.n;
	out->more = page.more;
	return OK;
}
