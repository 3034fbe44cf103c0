#include "db/enrollment_facts.h"

#include "db/connection.h"
#include "db/enrollment_look.h"
#include "db/pool_connection.h"

#include <stdlib.h>
#include <string.h>

/* Also what is not there any more, or not in force: with one of them the ticket brings nothing. */
static const struct statement find_brought = {"find_brought",
	"SELECT certificate.serial, certificate.template, certificate.grant_digest,"
	" certificate.der, (SELECT true FROM certificate_in_force AS good"
	"  WHERE good.serial = brought.serial)"
	" FROM ticket"
	" CROSS JOIN LATERAL unnest(ticket.serials) WITH ORDINALITY AS brought (serial, place)"
	" LEFT JOIN LATERAL (SELECT serial, template, grant_digest, der FROM certificate"
	"  WHERE certificate.serial = brought.serial LIMIT 1) AS certificate ON true"
	" WHERE ticket.ticket_digest = $1::bytea ORDER BY brought.place LIMIT $2::bigint"};

/* Of the last 64, so that a device which renews daily for years does not cost more each day. */
static const struct statement find_reusable = {"find_reusable",
	"SELECT good.serial, good.template, good.grant_digest, good.der"
	" FROM (SELECT serial, not_before, not_after FROM certificate"
	"  WHERE device_id = $1::uuid AND ak_name = $2::bytea AND host = $3::text"
	"  ORDER BY issued_at DESC LIMIT 64) AS recent"
	" CROSS JOIN LATERAL (SELECT serial, template, grant_digest, der, issued_at, place"
	"  FROM certificate_in_force AS one WHERE one.serial = recent.serial LIMIT 1) AS good"
	" WHERE recent.not_before + (recent.not_after - recent.not_before) / 2"
	"  >= to_timestamp($4::bigint)"
	" ORDER BY good.issued_at DESC, good.grant_digest, good.place LIMIT $5::bigint"};

/* A known device has its own: those that its EK had when it came. */
static const struct statement find_labels = {"find_labels",
	"SELECT label.key, label.value FROM jsonb_each_text(coalesce("
	" (SELECT device.labels FROM device WHERE device.device_id = $1::uuid),"
	" (SELECT ek_allowed.labels FROM ek_allowed WHERE ek_allowed.ek_digest = $2::bytea),"
	" '{}'::jsonb)) AS label ORDER BY label.key COLLATE \"C\" LIMIT $3::bigint"};

static const struct statement find_ak_certificates = {"find_ak_certificates",
	"SELECT template, sha256(der) FROM (SELECT DISTINCT ON (template) template, der, issued_at"
	"  FROM certificate_in_force WHERE device_id = $1::uuid AND ak_name = $2::bytea"
	"  AND host = $3::text"
	"  AND kind = 'x509' AND key_kind = 'ak' AND not_after > to_timestamp($4::bigint)"
	"  ORDER BY template, issued_at DESC) AS newest ORDER BY issued_at DESC LIMIT $5::bigint"};

const struct statement *const enrollment_facts_statements[] = {
	&find_brought, &find_reusable, &find_labels, &find_ak_certificates, NULL};

static void certificate_free(struct stored_certificate *certificate)
{
	free(certificate->template);
	buf_free(&certificate->der);
	*certificate = (struct stored_certificate){.der = BUF(0)};
}

void enrollment_facts_free(struct enrollment_facts *facts)
{
	for (size_t i = 0; i < REUSABLE_CERTIFICATES; i++)
		certificate_free(&facts->certificates[i]);
	facts->certificates_n = 0;
	for (size_t i = 0; i < facts->labels_n; i++) {
		free(facts->labels[i].name);
		free(facts->labels[i].value);
	}
	facts->labels_n = 0;
}

enum device_state device_state_named(const char *state)
{
	if (state[0] == '\0' || strcmp(state, "active") == 0)
		return DEVICE_ACTIVE;
	return strcmp(state, "held") == 0 ? DEVICE_HELD : DEVICE_REVOKED;
}

/* The columns of find_brought; find_reusable has the first four. */
enum { SERIAL, TEMPLATE, GRANT_DIGEST, DER, IN_FORCE };

static enum err take_certificate(const PGresult *rows, int row,
	struct stored_certificate *certificate, uint8_t *grant_digest)
{
	struct view serial = row_bytes(rows, row, SERIAL), der = row_bytes(rows, row, DER);

	if (serial.n > SERIAL_MAX)
		return fail(ERR_INTERNAL, "database-error", "a serial of %zu bytes", serial.n);
	memcpy(certificate->serial, serial.p, serial.n);
	certificate->serial_n = serial.n;
	certificate->template = strdup(PQgetvalue(rows, row, TEMPLATE));
	TRY(row_copy(rows, row, GRANT_DIGEST, grant_digest, DIGEST_SIZE));
	certificate->der = BUF(der.n);
	buf_add(&certificate->der, der);
	if (certificate->template == NULL || certificate->der.failed)
		return fail(ERR_INTERNAL, "out-of-memory", "a certificate of %zu bytes", der.n);
	return OK;
}

static enum err take_certificates(const PGresult *rows, struct enrollment_facts *facts)
{
	for (int i = 0; i < PQntuples(rows) && i < REUSABLE_CERTIFICATES; i++) {
		facts->certificates_n = (size_t)i + 1;
		TRY(take_certificate(rows, i, &facts->certificates[i], facts->grant_digest[i]));
	}
	return OK;
}

static bool are_in_force(const PGresult *rows)
{
	for (int i = 0; i < PQntuples(rows); i++)
		if (!row_bool(rows, i, IN_FORCE))
			return false;
	return true;
}

/* Between the two statements the ticket may have been purged: then nothing may be given for it. */
static enum err take_brought(const PGresult *rows, void *into)
{
	struct enrollment_facts *facts = into;

	facts->ticket_revoked = PQntuples(rows) == 0 || !are_in_force(rows);
	return facts->ticket_revoked ? OK : take_certificates(rows, facts);
}

/*
 * For a device that the snapshot does not have, somebody else enrolled it just now: the record
 * would say so. For one that it has, anything that moved since then has moved its revision.
 */
static bool may_reuse(const struct enrollment_facts *facts)
{
	return !facts->ticket_used && facts->host_is_ours && facts->ak_live;
}

static enum err take_reusable(const PGresult *rows, void *into)
{
	struct enrollment_facts *facts = into;

	return may_reuse(facts) ? take_certificates(rows, facts) : OK;
}

static enum err take_labels(const PGresult *rows, void *into)
{
	struct enrollment_facts *facts = into;

	for (int i = 0; i < PQntuples(rows) && i < ENROLLMENT_LABELS; i++) {
		struct stored_label *label = &facts->labels[facts->labels_n++];

		label->name = strdup(PQgetvalue(rows, i, 0));
		label->value = strdup(PQgetvalue(rows, i, 1));
		if (label->name == NULL || label->value == NULL)
			return fail(ERR_INTERNAL, "out-of-memory", "a label");
	}
	return OK;
}

static enum err take_ak_certificates(const PGresult *rows, void *into)
{
	struct enrollment_facts *facts = into;

	for (int i = 0; i < PQntuples(rows) && i < ENROLLMENT_CERTIFICATES; i++) {
		struct ak_certificate *certificate =
			&facts->ak_certificates[facts->ak_certificates_n++];

		row_text(rows, i, 0, certificate->template, sizeof(certificate->template));
		TRY(row_copy(rows, i, 1, certificate->sha256, DIGEST_SIZE));
	}
	return OK;
}

static void look_for_reusable(struct pipeline *lookup, const struct enrollment_key *key,
	const char *host, const uint8_t *device_id, int64_t now, struct enrollment_facts *facts)
{
	STEP(lookup, &find_reusable, value_bytes((struct view){device_id, DEVICE_ID_SIZE}),
		value_bytes(key->ak_name), value_text(host), value_int(now),
		value_int(REUSABLE_CERTIFICATES));
	step_take(lookup, take_reusable, facts);
}

static enum err look_together(void *db, const void *const *what, size_t n)
{
	AUTO(enrollment_looks_free) struct enrollment_looks looks = {.n = n};
	struct pipeline lookup = {.n = 0};

	for (size_t i = 0; i < n; i++) {
		looks.of[i] = *(const struct enrollment_look *)what[i];
		enrollment_facts_free(looks.of[i].facts);
		*looks.of[i].facts = (struct enrollment_facts){.device_known = false};
	}
	TRY(enrollment_looks_add(&lookup, &looks));
	for (size_t i = 0; i < n; i++) {
		const struct enrollment_key *key = looks.of[i].key;

		if (key->device_id != NULL)
			look_for_reusable(&lookup, key, key->host, key->device_id, looks.of[i].now,
				looks.of[i].facts);
	}
	return db_run(db, &lookup, LOST_REPEAT_ONCE);
}

static enum err look_alone(void *db, const void *what)
{
	return look_together(db, &what, 1);
}

/* Under load with others who enroll, for all have the same questions. */
static enum err look(struct db *db, const struct enrollment_key *key, int64_t now,
	struct enrollment_facts *facts)
{
	const struct company_work work = {look_together, look_alone, db};
	const struct enrollment_look look = {key, now, facts};

	TRY(company_run(db_lookups(db), &work, &look));
	if (key->crl_places > 0 && facts->crl_base[0] == '\0')
		return fail(ERR_BUSY, "crl-plan", "no server has said what a shard of the CRL is");
	return OK;
}

static void look_at_the_known(struct pipeline *lookup, const struct enrollment_key *key,
	int64_t now, struct enrollment_facts *facts)
{
	struct value device = value_bytes(VIEW(facts->device_id)), ak = value_bytes(key->ak_name);
	const char *host = key->host == NULL ? facts->registered_host : key->host;

	if (!facts->host_is_ours || !facts->ak_live)
		return;
	if (!facts->ticket_used && key->device_id == NULL)
		look_for_reusable(lookup, key, host, facts->device_id, now, facts);
	if (key->wants_ak_certificates) {
		STEP(lookup, &find_ak_certificates, device, ak, value_text(host), value_int(now),
			value_int(ENROLLMENT_CERTIFICATES));
		step_take(lookup, take_ak_certificates, facts);
	}
}

/* What the first look found reason for. */
static enum err look_further(struct db *db, const struct enrollment_key *key, int64_t now,
	struct enrollment_facts *facts)
{
	struct view device_id = {facts->device_id, facts->device_known ? DEVICE_ID_SIZE : 0};
	struct pipeline lookup = {.n = 0};

	if (facts->ticket_used) {
		STEP(&lookup, &find_brought,
			value_bytes((struct view){key->ticket_digest, DIGEST_SIZE}),
			value_int(ENROLLMENT_CERTIFICATES));
		step_take(&lookup, take_brought, facts);
	}
	if (facts->has_labels) {
		STEP(&lookup, &find_labels, value_bytes(device_id),
			value_bytes((struct view){key->ek_digest, DIGEST_SIZE}),
			value_int(ENROLLMENT_LABELS));
		step_take(&lookup, take_labels, facts);
	}
	look_at_the_known(&lookup, key, now, facts);
	return lookup.n == 0 ? OK : db_run(db, &lookup, LOST_REPEAT_ONCE);
}

enum err enrollment_lookup(struct db *db, const struct enrollment_key *key, int64_t now,
	struct enrollment_facts *facts)
{
	enum err err;

	*facts = (struct enrollment_facts){.device_known = false};
	err = look(db, key, now, facts);
	if (err == OK)
		err = look_further(db, key, now, facts);
	if (err == OK)
		standing_hear_clock(db_standing(db), facts->clock);
	else
		standing_note(db_standing(db), err);
	return err;
}
