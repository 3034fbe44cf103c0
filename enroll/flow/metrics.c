#include "enroll/flow/metrics.h"

#include "ca/base/encode.h"
#include "db/freshness.h"
#include "db/health.h"
#include "db/pending.h"
#include "enroll/flow/expiry.h"
#include "enroll/flow/exposition.h"
#include "enroll/flow/tally.h"
#include "enroll/flow/traffic.h"

#include <stdlib.h>

static enum err write_process(const struct service *service, int64_t now, struct buf *out)
{
	AUTO(mem_free) struct attempt_counters *counters = calloc(1, sizeof(*counters));

	if (counters == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "metrics_write");
	tally_read(service->tally, counters);
	exposition_head(out, "endorse_build_info", "gauge", "The version that runs");
	buf_str(out, "endorse_build_info{version=\"" ENDORSE_VERSION "\"} 1\n");
	exposition_number(out, "endorse_start_time_seconds", "gauge",
		"When this server began to count", counters->since);
	exposition_number(out, "endorse_time_seconds", "gauge", "This server's clock", now);
	return OK;
}

static void write_usage(const struct service *service, struct buf *out)
{
	unsigned lent, size;

	db_usage(service->db, &lent, &size);
	exposition_number(out, "endorse_database_connections_lent", "gauge",
		"Connections of the pool that are in use", lent);
	exposition_number(out, "endorse_database_connections_max", "gauge",
		"Connections that the pool may have", size);
	exposition_number(out, "endorse_database_trips_total", "counter",
		"Trips to the database and back, each a transaction",
		(int64_t)db_trips(service->db));
}

/* A histogram whose steps are all the sizes that there are. */
static void write_sizes(const struct db_together *together, struct buf *out)
{
	uint64_t n = 0, sum = 0;

	exposition_head(out, "endorse_enrollments_per_transaction", "histogram",
		"Records of new devices that shared a transaction");
	for (unsigned i = 1; i <= TOGETHER_MAX; i++) {
		n += together->transactions[i];
		sum += i * together->transactions[i];
		buf_fmt(out, "endorse_enrollments_per_transaction_bucket{le=\"%u\"} %llu\n", i,
			(unsigned long long)n);
	}
	buf_fmt(out,
		"endorse_enrollments_per_transaction_bucket{le=\"+Inf\"} %llu\n"
		"endorse_enrollments_per_transaction_sum %llu\n"
		"endorse_enrollments_per_transaction_count %llu\n",
		(unsigned long long)n, (unsigned long long)sum, (unsigned long long)n);
}

static void write_together(const struct service *service, struct buf *out)
{
	struct db_together together;

	db_together(service->db, &together);
	write_sizes(&together, out);
	exposition_number(out, "endorse_enrollment_batches_failed_total", "counter",
		"Shared transactions that failed, whereupon each record had its own",
		(int64_t)together.apart);
	exposition_number(out, "endorse_enrollments_waiting", "gauge",
		"Records of new devices that wait for a transaction to share", together.waiting);
}

static void write_clock(const struct db_health *health, struct buf *out)
{
	exposition_head(out, "endorse_database_clock_ahead_seconds", "gauge",
		"How far the database's clock is ahead of this server's");
	buf_fmt(out, "endorse_database_clock_ahead_seconds %.3f\n",
		(double)health->ahead_ms / 1000);
}

static void write_crls(const struct freshness *fresh, struct buf *out)
{
	exposition_number(
		out, "endorse_crl_shards", "gauge", "CRLs that there are", fresh->crl_shards);
	exposition_number(out, "endorse_crl_shards_behind", "gauge",
		"CRLs that do not say yet what was revoked in them", fresh->crl_behind);
	exposition_number(out, "endorse_crl_shards_overdue", "gauge",
		"CRLs past their nextUpdate, though certificates name them", fresh->crl_overdue);
	if (fresh->crl_first_end == 0)
		return;
	exposition_number(out, "endorse_crl_oldest_timestamp_seconds", "gauge",
		"The earliest thisUpdate of the CRLs that are kept up", fresh->crl_oldest);
	exposition_number(out, "endorse_crl_next_update_min_timestamp_seconds", "gauge",
		"The earliest nextUpdate of the CRLs that are kept up", fresh->crl_first_end);
	exposition_number(out, "endorse_crl_next_update_max_timestamp_seconds", "gauge",
		"The latest nextUpdate of all CRLs", fresh->crl_last_end);
}

static void write_krl(const struct freshness *fresh, struct buf *out)
{
	exposition_number(out, "endorse_krl_behind", "gauge",
		"1: something changed that the OpenSSH KRL does not say yet", fresh->krl_behind);
	exposition_number(
		out, "endorse_krl_version", "gauge", "The KRL's version", fresh->krl_number);
	if (fresh->krl_at > 0)
		exposition_number(out, "endorse_krl_timestamp_seconds", "gauge",
			"When the KRL was made", fresh->krl_at);
	exposition_number(out, "endorse_revocation_revision", "counter",
		"Moves with everything that is taken back or released", fresh->revision);
}

static void write_responders(
	const struct service *service, const struct freshness *fresh, struct buf *out)
{
	char issuer[2 * SHA256_SIZE + 1];

	exposition_head(out, "endorse_ocsp_responder_expiry_timestamp_seconds", "gauge",
		"When the certificate ends that signs OCSP answers, by the CA's id");
	for (size_t i = 0; i < fresh->responders_n; i++) {
		if (!expiry_is_of_ours(service, fresh->responders[i].issuer))
			continue;
		hex_write(VIEW(fresh->responders[i].issuer), issuer);
		buf_fmt(out,
			"endorse_ocsp_responder_expiry_timestamp_seconds{issuer=\"%s\"} %lld\n",
			issuer, (long long)fresh->responders[i].until);
	}
}

/* False when it does not answer: all that follows needs it. */
static bool write_database(const struct service *service, struct buf *out)
{
	struct db_health health;
	bool is_up = db_health(service->db, &health) == OK;

	exposition_number(
		out, "endorse_database_up", "gauge", "1: the database answers this server", is_up);
	if (is_up)
		write_clock(&health, out);
	return is_up;
}

static enum err write_shared(const struct service *service, struct buf *out)
{
	AUTO(mem_free) struct freshness *fresh = calloc(1, sizeof(*fresh));
	struct pending_crowd crowd;

	if (fresh == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "metrics_write");
	if (!write_database(service, out))
		return OK;
	if (pending_crowd(service->db, &crowd) == OK)
		exposition_number(out, "endorse_attempts_held", "gauge",
			"Attempts that wait for an admin", crowd.held);
	if (freshness_read(service->db, fresh) != OK)
		return OK;
	write_crls(fresh, out);
	write_krl(fresh, out);
	write_responders(service, fresh, out);
	return OK;
}

static void write_expiry(void *ctx, const struct expiry *expiry)
{
	struct buf *out = ctx;
	char sha256[2 * SHA256_SIZE + 1];

	hex_write(VIEW(expiry->sha256), sha256);
	buf_fmt(out,
		"endorse_certificate_expiry_timestamp_seconds{role=\"%s\",sha256=\"%s\","
		"subject=\"",
		expiry_role_words[expiry->role], sha256);
	exposition_escape(out, expiry->subject);
	buf_fmt(out, "\"} %lld\n", (long long)expiry->until);
}

static void write_trust(const struct service *service, struct buf *out)
{
	exposition_number(out, "endorse_ca_ready", "gauge", "1: the CAs' keys sign, and may",
		signer_ready(service->signer) == OK);
	exposition_head(out, "endorse_certificate_expiry_timestamp_seconds", "gauge",
		"When a certificate ends that the service stands on");
	expiry_each(service, write_expiry, out);
	exposition_number(out, "endorse_imported_revision", "gauge",
		"What operators imported, as this server has it", service->imported.revision);
}

enum err metrics_write(const struct service *service, int64_t now, struct buf *out)
{
	TRY(write_process(service, now, out));
	traffic_write(service->traffic, out);
	write_usage(service, out);
	write_together(service, out);
	write_trust(service, out);
	TRY(write_shared(service, out));
	return buf_ok(out);
}
