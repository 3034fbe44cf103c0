#include "enroll/flow/decide.h"

#include "ca/base/encode.h"
#include "db/pending.h"
#include "enroll/flow/act.h"
#include "enroll/flow/attempt_id.h"

#include <stdio.h>
#include <string.h>

/* The two have the same order, and neither may see the other. */
static enum waiting_state state_of(enum pending_state state)
{
	static const enum waiting_state states[] = {[PENDING_HELD] = WAITING_HELD,
		[PENDING_ACCEPTED] = WAITING_ACCEPTED,
		[PENDING_REJECTED] = WAITING_REJECTED};

	return states[state];
}

static enum pending_state state_to(enum waiting_state state)
{
	static const enum pending_state states[] = {[WAITING_HELD] = PENDING_HELD,
		[WAITING_ACCEPTED] = PENDING_ACCEPTED,
		[WAITING_REJECTED] = PENDING_REJECTED};

	return states[state];
}

static void tell(const struct pending *pending, struct waiting *out)
{
	hex_write(VIEW(pending->attempt_id), out->id);
	hex_write(VIEW(pending->ek_digest), out->ek_digest);
	out->state = state_of(pending->state);
	snprintf(out->host, sizeof(out->host), "%s", pending->host);
	snprintf(out->from, sizeof(out->from), "%s", pending->client_address);
	snprintf(out->manufacturer, sizeof(out->manufacturer), "%s", pending->manufacturer);
	snprintf(out->model, sizeof(out->model), "%s", pending->model);
	snprintf(out->version, sizeof(out->version), "%s", pending->version);
	snprintf(out->code, sizeof(out->code), "%s", pending->code);
	snprintf(out->sentence, sizeof(out->sentence), "%s", pending->sentence);
	snprintf(out->rule, sizeof(out->rule), "%s", pending->rule);
	snprintf(out->decided_by, sizeof(out->decided_by), "%s", pending->decided_by);
	snprintf(out->why, sizeof(out->why), "%s", pending->why);
	out->first_at = pending->first_at;
	out->last_at = pending->last_at;
	out->asked = pending->asked;
	out->decided_at = pending->decided_at;
}

static enum err read_state(const char *text, int *out)
{
	*out = PENDING_HELD;
	if (text == NULL)
		return OK;
	*out = -1;
	if (strcmp(text, "all") == 0)
		return OK;
	for (int i = 0; waiting_state_words[i] != NULL; i++)
		if (strcmp(waiting_state_words[i], text) == 0) {
			*out = (int)state_to((enum waiting_state)i);
			return OK;
		}
	return refuse(ERR_MALFORMED, "query-value", "PROTOCOL admin",
		"state is \"%.32s\": wanted held, accepted, rejected or all", text);
}

enum err decide_list(const struct service *service, const char *state, struct waiting_list *out)
{
	AUTO(pending_page_free) struct pending_page page = {0};
	int wanted;

	*out = (struct waiting_list){0};
	TRY(read_state(state, &wanted));
	TRY(pending_list(service->db, wanted, WAITING_MAX, &page));
	TRY(waiting_list_init(out, page.n));
	out->n = page.n;
	for (size_t i = 0; i < page.n; i++)
		tell(&page.items[i], &out->items[i]);
	out->more = page.more;
	return OK;
}

static enum err add_evidence(const struct pending *pending, struct waiting *out)
{
	buf_add(&out->ek_public, buf_view(&pending->ek_public));
	buf_add(&out->ek_certificate, buf_view(&pending->ek_certificate));
	buf_add(&out->ak_name, buf_view(&pending->ak_name));
	TRY(buf_ok(&out->ek_public));
	TRY(buf_ok(&out->ek_certificate));
	TRY(buf_ok(&out->ak_name));
	for (size_t i = 0; i < pending->chain_n && i < LIMIT_INTERMEDIATES; i++) {
		buf_add(&out->chain[i], buf_view(&pending->chain[i]));
		TRY(buf_ok(&out->chain[i]));
		out->chain_n = i + 1;
	}
	return OK;
}

enum err decide_show(const struct service *service, const char *id, struct waiting *out)
{
	AUTO(pending_free) struct pending pending = {0};
	uint8_t attempt_id[ATTEMPT_ID_SIZE];

	TRY(attempt_id_read(id == NULL ? "" : id, attempt_id));
	TRY(pending_find(service->db, attempt_id, &pending));
	tell(&pending, out);
	return add_evidence(&pending, out);
}

enum err decide(const struct service *service, const struct caller *caller, const char *who,
	const struct decide_request *request, enum waiting_state state)
{
	uint8_t attempt_id[ATTEMPT_ID_SIZE];
	struct act act;

	TRY(attempt_id_read(request->id, attempt_id));
	TRY(act_make(service, caller, who, request->why, &act));
	return pending_decide(service->db, attempt_id, state_to(state), &act);
}
