#include "enroll/flow/vendors.h"

#include "ca/base/encode.h"
#include "db/trusted.h"
#include "enroll/flow/act.h"
#include "enroll/trust/candidate.h"
#include "enroll/trust/vouching.h"

#include <stdlib.h>
#include <string.h>

static enum err out_of_memory(void)
{
	return fail(ERR_INTERNAL, "out-of-memory", "vendors");
}

/* Something that is trusted, by its digest; `row` is NULL for what comes with the configuration. */
struct known {
	uint8_t sha256[SHA256_SIZE];
	enum trust_role role;
	const struct trusted_row *row;
};

struct knowledge {
	struct known *known;
	size_t n, room;
};

static void knowledge_free(struct knowledge *knowledge)
{
	free(knowledge->known);
}

static enum err learn(struct knowledge *knowledge, const struct known *one)
{
	if (knowledge->n == knowledge->room) {
		size_t room = knowledge->room == 0 ? 256 : 2 * knowledge->room;
		struct known *grown = realloc(knowledge->known, room * sizeof(*grown));

		if (grown == NULL)
			return out_of_memory();
		knowledge->known = grown;
		knowledge->room = room;
	}
	knowledge->known[knowledge->n++] = *one;
	return OK;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_SIZE);
}

static const struct known *find(
	const struct knowledge *knowledge, const uint8_t sha256[static SHA256_SIZE])
{
	return knowledge->n == 0 ? NULL
				 : bsearch(sha256, knowledge->known, knowledge->n,
					   sizeof(*knowledge->known), compare);
}

static enum err learn_item(void *ctx, const struct trust_item *item)
{
	struct known one = {.role = item->role};

	TRY(SHA256_OF(one.sha256, item->der));
	return learn(ctx, &one);
}

static enum trust_role role_of(const struct trusted_row *row)
{
	enum trust_role role = TRUST_ROOT;

	while (candidate_role_words[role] != NULL &&
		strcmp(candidate_role_words[role], row->role) != 0)
		role++;
	return role;
}

/* What this server has loaded may be older than the database by a moment: both count. */
static enum err learn_all(
	const struct service *service, const struct trusted_rows *rows, struct knowledge *out)
{
	for (size_t i = 0; i < rows->n; i++) {
		struct known one = {.role = role_of(&rows->items[i]), .row = &rows->items[i]};

		memcpy(one.sha256, rows->items[i].item.sha256, SHA256_SIZE);
		TRY(learn(out, &one));
	}
	TRY(trust_each(service->trust, learn_item, out));
	if (out->n > 0)
		qsort(out->known, out->n, sizeof(*out->known), compare);
	return OK;
}

/* Imports in progress: what is new of the request, and what else there is. */
struct intake {
	const struct service *service;
	struct knowledge knowledge;
	struct trusted *items; /* the new ones */
	size_t n;
	char (*manufacturers)[VOUCHING_MAX + 1]; /* of each of them */
	int64_t now;
};

static void intake_free(struct intake *intake)
{
	knowledge_free(&intake->knowledge);
	free(intake->items);
	free(intake->manufacturers);
}

static enum err judge_root(const struct import_item *item, char out[static VOUCHING_MAX + 1])
{
	AUTO(buf_free) struct buf list = BUF(VOUCHING_MAX);

	TRY(vouching_read(item->manufacturers, &list));
	snprintf(out, VOUCHING_MAX + 1, "%s", buf_text(&list));
	return OK;
}

static bool is_in_request(const struct intake *intake, const uint8_t sha256[static SHA256_SIZE])
{
	for (size_t i = 0; i < intake->n; i++)
		if (memcmp(intake->items[i].sha256, sha256, SHA256_SIZE) == 0)
			return true;
	return false;
}

static enum err known_already(
	const struct known *known, const struct candidate *candidate, enum import_result *result)
{
	*result = IMPORT_KNOWN;
	if (known->role == candidate->role)
		return OK;
	return refuse(ERR_CONFLICT, "ca-known", "PROTOCOL admin",
		"it is trusted already as %s %s, not as %s %s; take it out there first: %s",
		known->role == TRUST_INTERMEDIATE ? "an" : "a", candidate_role_words[known->role],
		candidate->role == TRUST_INTERMEDIATE ? "an" : "a",
		candidate_role_words[candidate->role], candidate->subject);
}

static enum err judge_item(struct intake *intake, const struct import_item *item,
	enum import_result *result, char digest[static SHA256_TEXT])
{
	struct trusted *next = &intake->items[intake->n];
	char *manufacturers = intake->manufacturers[intake->n];
	enum candidate_wish wish;
	struct candidate candidate;
	const struct known *known;

	*result = IMPORT_REFUSED;
	TRY(SHA256_OF(next->sha256, item->der));
	hex_write(VIEW(next->sha256), digest);
	TRY(candidate_wish_read(item->role, &wish));
	TRY(candidate_judge(item->der, wish, intake->now, &candidate));
	manufacturers[0] = '\0';
	if (candidate.role == TRUST_ROOT)
		TRY(judge_root(item, manufacturers));
	if ((known = find(&intake->knowledge, next->sha256)) != NULL)
		return known_already(known, &candidate, result);
	if (is_in_request(intake, next->sha256)) {
		*result = IMPORT_KNOWN;
		return OK;
	}
	*result = IMPORT_ADDED;
	next->role = candidate_role_words[candidate.role];
	next->der = item->der;
	next->manufacturers = manufacturers;
	next->source = item->source;
	next->path = item->path;
	intake->n++;
	return OK;
}

static enum err judge_all(
	struct intake *intake, const struct import_request *request, struct import_answer *answer)
{
	for (size_t i = 0; i < request->n; i++) {
		struct import_outcome *outcome = &answer->items[i];
		enum err err =
			judge_item(intake, &request->items[i], &outcome->result, outcome->sha256);

		if (err == ERR_INTERNAL)
			return err;
		if (err == OK)
			continue;
		outcome->result = IMPORT_REFUSED;
		snprintf(outcome->reason, sizeof(outcome->reason), "%s", why()->code);
		snprintf(outcome->sentence, sizeof(outcome->sentence), "%s", why()->sentence);
	}
	return OK;
}

enum err vendors_import(const struct service *service, const struct caller *caller, const char *who,
	const struct import_request *request, struct import_answer *answer)
{
	const struct act act = {
		who, caller->client_address, request->why, caller->request_id, caller->now};
	AUTO(trusted_rows_free) struct trusted_rows rows = {.n = 0};
	AUTO(intake_free) struct intake intake = {.service = service, .now = caller->now};
	size_t added = 0;

	TRY(service_clock(service, caller));
	if (!request->is_dry_run)
		TRY(act_reason_check(request->why));
	TRY(import_answer_init(answer, request->n));
	intake.items = calloc(request->n + 1, sizeof(*intake.items));
	intake.manufacturers = calloc(request->n + 1, sizeof(*intake.manufacturers));
	if (intake.items == NULL || intake.manufacturers == NULL)
		return out_of_memory();
	TRY(trusted_read(service->db, &rows));
	TRY(learn_all(service, &rows, &intake.knowledge));
	TRY(judge_all(&intake, request, answer));
	if (request->is_dry_run || intake.n == 0)
		return OK;
	return trusted_import(service->db, intake.items, intake.n, &act, &added);
}

enum err vendors_remove(const struct service *service, const struct caller *caller, const char *who,
	const struct remove_request *request)
{
	struct act act;
	uint8_t sha256[SHA256_SIZE];

	TRY(act_make(service, caller, who, request->why, &act));
	if (hex_read(view_str(request->sha256), sha256, sizeof(sha256)) != OK)
		return refuse(ERR_MALFORMED, "certificate-digest", "PROTOCOL admin",
			"\"%s\" is no SHA-256: wanted %d hexadecimal digits", request->sha256,
			2 * SHA256_SIZE);
	return trusted_remove(service->db, sha256, &act);
}

/* A list being written. */
struct listing {
	struct json_t *json;
	const struct knowledge *knowledge;
	bool is_export;
};

static enum err list_item(void *ctx, const struct trust_item *item)
{
	struct listing *listing = ctx;
	struct candidate candidate;
	const struct known *known;
	const struct trusted_row *row;
	char sha256[SHA256_TEXT];
	struct trust_list_item entry = {
		.sha256 = sha256,
		.role = candidate_role_words[item->role],
		.class = trust_class_text(item->class),
		.manufacturers = item->role != TRUST_ROOT || item->manufacturers[0] != '\0'
					 ? item->manufacturers
					 : "any",
		.source = item->source,
		.subject = candidate.subject,
	};

	/* What is in the set is described whatever is thought of it today. */
	if (candidate_judge(item->der, CANDIDATE_ANY, 0, &candidate) == ERR_INTERNAL)
		return ERR_INTERNAL;
	hex_write(VIEW(candidate.sha256), sha256);
	entry.until = candidate.until;
	known = find(listing->knowledge, candidate.sha256);
	row = known == NULL ? NULL : known->row;
	if (row != NULL) {
		entry.source = row->source;
		entry.path = row->path;
		entry.imported_at = row->imported_at;
		entry.imported_by = row->imported_by;
		entry.why = row->why;
	}
	if (listing->is_export)
		entry.der = item->der;
	trust_list_add(listing->json, &entry);
	return OK;
}

enum err vendors_list(const struct service *service, bool is_export, struct buf *json)
{
	AUTO(trusted_rows_free) struct trusted_rows rows = {.n = 0};
	AUTO(knowledge_free) struct knowledge knowledge = {.n = 0};
	AUTO(trust_list_drop) struct json_t *list = NULL;
	struct listing listing = {.knowledge = &knowledge, .is_export = is_export};
	char version[SHA256_TEXT];

	TRY(trusted_read(service->db, &rows));
	for (size_t i = 0; i < rows.n; i++) {
		struct known one = {.row = &rows.items[i]};

		memcpy(one.sha256, rows.items[i].item.sha256, SHA256_SIZE);
		TRY(learn(&knowledge, &one));
	}
	if (knowledge.n > 0)
		qsort(knowledge.known, knowledge.n, sizeof(*knowledge.known), compare);
	hex_write((struct view){trust_version(service->trust), SHA256_SIZE}, version);
	list = listing.json = trust_list_begin(version);
	TRY(trust_each(service->trust, list_item, &listing));
	return trust_list_end(MOVE(list), json);
}
