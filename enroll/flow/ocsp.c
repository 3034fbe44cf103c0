#include "enroll/flow/ocsp.h"

#include "ca/base/encode.h"
#include "db/certificate_status.h"
#include "db/responder.h"
#include "enroll/flow/revision.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct ocsp {
	struct ocsp_cache *cache;
	struct revision *revision;
	pthread_mutex_t making; /* held while the next responder is made and recorded */
	struct ocsp_counters counters; /* atomically */
};

/* One request on its way. */
struct asking {
	const struct service *service;
	const struct caller *caller;
	struct ocsp_request request;
	const uint8_t *issuer;
	struct ocsp_answer answers[OCSP_IDS_MAX];
	/* Of what may be kept. */
	uint8_t key[SHA256_SIZE + OCSP_ID_MAX];
	size_t key_n; /* 0: the answer is for this request alone */
};

enum err ocsp_make(struct db *db, struct ocsp **out)
{
	AUTO(ocsp_free) struct ocsp *ocsp = calloc(1, sizeof(*ocsp));

	if (ocsp == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "ocsp_make");
	pthread_mutex_init(&ocsp->making, NULL);
	TRY(revision_make(db, &ocsp->revision));
	TRY(ocsp_cache_make(OCSP_CACHE_BYTES, &ocsp->cache));
	*out = MOVE(ocsp);
	return OK;
}

void ocsp_free(struct ocsp **ocsp)
{
	if (*ocsp == NULL)
		return;
	ocsp_cache_free(&(*ocsp)->cache);
	revision_free(&(*ocsp)->revision);
	pthread_mutex_destroy(&(*ocsp)->making);
	free(*ocsp);
	*ocsp = NULL;
}

static void count(uint64_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

void ocsp_count(const struct ocsp *ocsp, struct ocsp_counters *out)
{
	const struct ocsp_counters *now = &ocsp->counters;

	*out = (struct ocsp_counters){.good = __atomic_load_n(&now->good, __ATOMIC_RELAXED),
		.revoked = __atomic_load_n(&now->revoked, __ATOMIC_RELAXED),
		.unknown = __atomic_load_n(&now->unknown, __ATOMIC_RELAXED),
		.kept = __atomic_load_n(&now->kept, __ATOMIC_RELAXED),
		.made = __atomic_load_n(&now->made, __ATOMIC_RELAXED),
		.malformed = __atomic_load_n(&now->malformed, __ATOMIC_RELAXED),
		.unauthorized = __atomic_load_n(&now->unauthorized, __ATOMIC_RELAXED),
		.busy = __atomic_load_n(&now->busy, __ATOMIC_RELAXED),
		.internal = __atomic_load_n(&now->internal, __ATOMIC_RELAXED)};
	ocsp_cache_size(ocsp->cache, &out->entries, &out->bytes);
}

/* An answer has one signer, so it is about one CA: the first that is ours. */
static enum err find_issuer(struct asking *asking)
{
	const struct ocsp_request *request = &asking->request;

	for (size_t i = 0; i < request->n && asking->issuer == NULL; i++)
		asking->issuer = signer_ocsp_issuer(asking->service->signer, &request->ids[i]);
	if (asking->issuer == NULL)
		return fail(ERR_NOT_FOUND, "ocsp-issuer",
			"RFC 5019 2.2.3: a certificate of a CA that is none of ours");
	return OK;
}

/* A nonce is to show that an answer is new; RFC 5019 2.1.1 asks for one certificate at a time. */
static void name_it(struct asking *asking)
{
	const struct ocsp_id *id = &asking->request.ids[0];

	if (asking->request.n != 1 || asking->request.nonce_n > 0)
		return;
	memcpy(asking->key, asking->issuer, SHA256_SIZE);
	memcpy(asking->key + SHA256_SIZE, id->der, id->der_n);
	asking->key_n = SHA256_SIZE + id->der_n;
}

static struct view key_of(const struct asking *asking)
{
	return (struct view){asking->key, asking->key_n};
}

static enum ocsp_found find_kept(const struct asking *asking, struct ocsp_reply *out)
{
	const struct ocsp *ocsp = asking->service->ocsp;
	int64_t revision;

	if (asking->key_n == 0 || !revision_now(ocsp->revision, &revision))
		return OCSP_FOUND_NONE;
	return ocsp_cache_find(ocsp->cache, key_of(asking), revision, asking->caller->now, out);
}

/* The CA's own end comes before that of what it signed. */
static void judge_revoked(
	struct ocsp_answer *answer, bool is_revoked, int64_t at, const char *reason)
{
	if (!is_revoked || (answer->status == OCSP_IS_REVOKED && answer->revoked_at <= at))
		return;
	answer->status = OCSP_IS_REVOKED;
	answer->revoked_at = at;
	if (!revoked_reason_read(reason, &answer->reason))
		answer->reason = REVOKED_UNSPECIFIED;
}

static bool is_issued(const struct asking *asking, const struct certificate_status *status)
{
	return status->is_known &&
	       (status->der.n == 0 || signer_has_issued_by(asking->service->signer, asking->issuer,
					      buf_view(&status->der)));
}

static void answer_one(const struct asking *asking, const struct certificate_statuses *statuses,
	const struct certificate_status *status, struct ocsp_answer *out)
{
	out->is_issued = is_issued(asking, status);
	if (out->is_issued) {
		out->status = OCSP_IS_GOOD;
		judge_revoked(out, status->is_revoked, status->revoked_at, status->reason);
	}
	judge_revoked(out, statuses->is_issuer_revoked, statuses->issuer_revoked_at,
		statuses->issuer_reason);
}

/* What the records say of those that are of the CA; the others are unknown here. */
static enum err read_statuses(struct asking *asking, int64_t *revision)
{
	AUTO(certificate_statuses_free) struct certificate_statuses statuses = {.n = 0};
	struct ocsp_answer *of[OCSP_IDS_MAX];
	struct view serials[OCSP_IDS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < asking->request.n; i++) {
		const struct ocsp_id *id = &asking->request.ids[i];

		asking->answers[i] = (struct ocsp_answer){.id = id};
		if (signer_ocsp_issuer(asking->service->signer, id) != asking->issuer)
			continue;
		of[n] = &asking->answers[i];
		serials[n++] = (struct view){id->serial, id->serial_n};
	}
	TRY(certificate_statuses_read(asking->service->db, asking->issuer, serials, n, &statuses));
	for (size_t i = 0; i < n; i++)
		answer_one(asking, &statuses, &statuses.items[i], of[i]);
	*revision = statuses.revision;
	return OK;
}

static bool says_the_same(const struct ocsp_reply *reply, const struct ocsp_answer *answer)
{
	return answer->status != OCSP_IS_UNKNOWN &&
	       reply->is_revoked == (answer->status == OCSP_IS_REVOKED) &&
	       (!reply->is_revoked || (reply->revoked_at == answer->revoked_at &&
					      reply->reason == (unsigned)answer->reason));
}

/* The records have it before anybody is shown it. */
static enum err make_responder(const struct asking *asking)
{
	AUTO(signer_responder_free) struct signer_responder next = {.not_before = 0};
	struct signer *signer = asking->service->signer;
	struct responder_record record = {.issuer = asking->issuer, .now = asking->caller->now};

	TRY(signer_responder_make(signer, asking->issuer, asking->caller->now, &next));
	record.serial = VIEW(next.serial);
	record.der = buf_view(&next.der);
	record.not_before = next.not_before;
	record.not_after = next.not_after;
	TRY(responder_record(asking->service->db, &record));
	signer_responder_take(signer, asking->issuer, next.serial);
	return OK;
}

/* One thread makes it, and the others go on with the present one, or wait where there is none. */
static enum err keep_responder(const struct asking *asking)
{
	struct signer *signer = asking->service->signer;
	pthread_mutex_t *making = &asking->service->ocsp->making;
	int64_t now = asking->caller->now;
	bool is_alive = signer_responder_ends(signer, asking->issuer) > now;
	enum err err = OK;

	if (!signer_responder_is_due(signer, asking->issuer, now))
		return OK;
	if (!is_alive)
		pthread_mutex_lock(making);
	else if (pthread_mutex_trylock(making) != 0)
		return OK;
	if (signer_responder_is_due(signer, asking->issuer, now))
		err = make_responder(asking);
	pthread_mutex_unlock(making);
	/* While the present one lives, there is time to try again. */
	return is_alive ? OK : err;
}

static enum err sign(const struct asking *asking, struct ocsp_reply *out)
{
	struct ocsp_content content = {.answers = asking->answers,
		.n = asking->request.n,
		.this_update = asking->caller->now,
		.next_update = asking->caller->now + OCSP_LIFE,
		.nonce = {asking->request.nonce, asking->request.nonce_n}};

	TRY(keep_responder(asking));
	out->der = BUF(OCSP_RESPONSE_MAX);
	TRY(signer_ocsp(asking->service->signer, asking->issuer, &content, &out->der));
	out->this_update = content.this_update;
	out->next_update = content.next_update;
	return OK;
}

static enum err keep(const struct asking *asking, int64_t revision, struct ocsp_reply *out)
{
	const struct ocsp_answer *answer = &asking->answers[0];
	uint8_t digest[SHA256_SIZE];

	/* What is not known yet may be issued in a moment, and strangers can ask for a lot of it. */
	if (asking->key_n == 0 || !answer->is_issued)
		return OK;
	TRY(SHA256_OF(digest, buf_view(&out->der)));
	hex_write(VIEW(digest), out->etag);
	out->is_for_all = true;
	out->is_revoked = answer->status == OCSP_IS_REVOKED;
	out->revoked_at = answer->revoked_at;
	out->reason = (unsigned)answer->reason;
	ocsp_cache_put(asking->service->ocsp->cache, key_of(asking), revision, out);
	return OK;
}

static void count_statuses(struct ocsp_counters *counters, const struct asking *asking)
{
	uint64_t *const each[] = {[OCSP_IS_UNKNOWN] = &counters->unknown,
		[OCSP_IS_GOOD] = &counters->good,
		[OCSP_IS_REVOKED] = &counters->revoked};

	for (size_t i = 0; i < asking->request.n; i++)
		count(each[asking->answers[i].status]);
}

static enum err give_kept(struct ocsp_counters *counters, const struct ocsp_reply *reply)
{
	count(&counters->kept);
	count(reply->is_revoked ? &counters->revoked : &counters->good);
	return OK;
}

static enum err answer(struct asking *asking, struct ocsp_reply *out)
{
	struct ocsp *ocsp = asking->service->ocsp;
	enum ocsp_found found = find_kept(asking, out);
	int64_t revision;

	if (found == OCSP_FOUND)
		return give_kept(&ocsp->counters, out);
	/* What is signed is signed with a time. */
	TRY(db_clock_judge(asking->service->db, asking->caller->now));
	TRY(read_statuses(asking, &revision));
	if (found == OCSP_FOUND_OLD && says_the_same(out, &asking->answers[0])) {
		ocsp_cache_confirm(ocsp->cache, key_of(asking), revision, out);
		return give_kept(&ocsp->counters, out);
	}
	ocsp_reply_free(out);
	*out = (struct ocsp_reply){.this_update = 0};
	TRY(sign(asking, out));
	TRY(keep(asking, revision, out));
	count(&ocsp->counters.made);
	count_statuses(&ocsp->counters, asking);
	return OK;
}

static void count_refusal(struct ocsp_counters *counters, enum err err)
{
	count(err == ERR_MALFORMED     ? &counters->malformed
		: err == ERR_NOT_FOUND ? &counters->unauthorized
		: err == ERR_BUSY      ? &counters->busy
				       : &counters->internal);
}

enum err ocsp_answer(const struct service *service, struct view request,
	const struct caller *caller, struct ocsp_reply *out)
{
	struct asking asking = {.service = service, .caller = caller};
	enum err err = ocsp_request_parse(request, &asking.request);

	*out = (struct ocsp_reply){.this_update = 0};
	if (err == OK)
		err = find_issuer(&asking);
	if (err == OK) {
		name_it(&asking);
		err = answer(&asking, out);
	}
	if (err != OK)
		count_refusal(&service->ocsp->counters, err);
	return err;
}

enum err ocsp_refused(enum err err, struct buf *der)
{
	return ocsp_refuse(err == ERR_MALFORMED	  ? OCSP_IS_MALFORMED
			   : err == ERR_NOT_FOUND ? OCSP_IS_UNAUTHORIZED
			   : err == ERR_BUSY	  ? OCSP_IS_BUSY
						  : OCSP_IS_INTERNAL,
		der);
}
