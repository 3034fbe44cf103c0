#include "enroll/flow/summary.h"

#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "ca/base/printable.h"
#include "db/freshness.h"
#include "db/health.h"
#include "db/pending.h"
#include "enroll/flow/doctor.h"
#include "enroll/flow/expiry.h"
#include "enroll/flow/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YEAR (365 * DAY)

static enum err out_of_memory(void)
{
	return fail(ERR_INTERNAL, "out-of-memory", "summary_read");
}

static enum err count_answers(const struct service *service, struct status_answer *out)
{
	AUTO(mem_free) struct attempt_counters *seen = calloc(1, sizeof(*seen));

	if (seen == NULL)
		return out_of_memory();
	tally_read(service->tally, seen);
	out->since = seen->since;
	out->tickets = seen->tickets;
	out->issued = seen->issued;
	out->returned = seen->returned;
	out->repeated = seen->repeated;
	out->held = seen->held;
	out->refused = seen->refused;
	out->failed = seen->failed;
	for (size_t i = 0; i < seen->unproven_n; i++)
		out->unproven += seen->unproven[i].n;
	return OK;
}

/* In order; the one that ends last gives way. */
static void add_expiry(
	struct status_answer *out, const char *role, const char *subject, int64_t until)
{
	struct status_expiry *items = out->expiries;
	size_t i = out->expiries_n < STATUS_EXPIRIES ? out->expiries_n++ : STATUS_EXPIRIES - 1;

	if (i == STATUS_EXPIRIES - 1 && items[i].until != 0 && items[i].until <= until)
		return;
	for (; i > 0 && items[i - 1].until > until; i--)
		items[i] = items[i - 1];
	snprintf(items[i].role, sizeof(items[i].role), "%s", role);
	snprintf(items[i].subject, sizeof(items[i].subject), "%s", subject);
	items[i].until = until;
}

static void note_expiry(void *ctx, const struct expiry *expiry)
{
	struct status_answer *out = ctx;

	if (expiry->role != EXPIRY_ROOT || expiry->until < out->now + YEAR)
		add_expiry(out, expiry_role_words[expiry->role], expiry->subject, expiry->until);
}

static enum err count_findings(const struct service *service, struct status_answer *out)
{
	AUTO(mem_free) struct findings *findings = calloc(1, sizeof(*findings));

	if (findings == NULL)
		return out_of_memory();
	doctor_examine(service, true, out->now, findings);
	out->failures = (int64_t)findings_count(findings, FINDING_FAIL);
	out->warnings = (int64_t)findings_count(findings, FINDING_WARN);
	return OK;
}

static void note_freshness(
	const struct service *service, const struct freshness *fresh, struct status_answer *out)
{
	char issuer[2 * SHA256_SIZE + 1];

	out->crl_shards = fresh->crl_shards;
	out->crl_behind = fresh->crl_behind;
	out->crl_overdue = fresh->crl_overdue;
	out->crl_next_update = fresh->crl_first_end;
	out->krl_version = fresh->krl_number;
	out->krl_at = fresh->krl_at;
	out->krl_behind = fresh->krl_behind != 0;
	for (size_t i = 0; i < fresh->responders_n; i++) {
		if (!expiry_is_of_ours(service, fresh->responders[i].issuer))
			continue;
		hex_write(VIEW(fresh->responders[i].issuer), issuer);
		add_expiry(out, "ocsp-responder", issuer, fresh->responders[i].until);
	}
}

static enum err look_at_database(const struct service *service, struct status_answer *out)
{
	AUTO(mem_free) struct freshness *fresh = calloc(1, sizeof(*fresh));
	struct pending_crowd crowd;

	if (fresh == NULL)
		return out_of_memory();
	out->is_database_up = freshness_read(service->db, fresh) == OK;
	if (!out->is_database_up)
		return OK;
	note_freshness(service, fresh, out);
	if (pending_crowd(service->db, &crowd) == OK)
		out->waiting = crowd.held;
	return OK;
}

static void look_at_pool(const struct service *service, struct status_answer *out)
{
	unsigned lent, size;

	db_usage(service->db, &lent, &size);
	out->connections_lent = lent;
	out->connections_max = size;
}

enum err summary_read(const struct service *service, int64_t now, struct status_answer *out)
{
	*out = (struct status_answer){.version = ENDORSE_VERSION, .now = now};
	snprintf(out->service, sizeof(out->service), "%s", service->name);
	out->is_ready = service_ready(service) == OK;
	if (!out->is_ready) {
		printable(why()->code, out->code, sizeof(out->code));
		printable(why()->sentence, out->sentence, sizeof(out->sentence));
	}
	TRY(count_answers(service, out));
	look_at_pool(service, out);
	expiry_each(service, note_expiry, out);
	TRY(look_at_database(service, out));
	return count_findings(service, out);
}
