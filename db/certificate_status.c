#include "db/certificate_status.h"

#include "db/connection.h"

static const struct statement find_revocation = {"find_revocation",
	"SELECT revocation.revision, extract(epoch FROM issuer.revoked_at)::bigint,"
	" issuer.revocation_reason"
	" FROM revocation LEFT JOIN issuer ON issuer.issuer_id = $1::bytea"
	" WHERE revocation.only_one"};

static const struct statement find_status = {"find_status",
	"SELECT extract(epoch FROM revoked_at)::bigint, revocation_reason,"
	" CASE WHEN issuer IS NULL THEN der END"
	" FROM certificate WHERE serial = $1::bytea AND kind = 'x509'"
	" AND (issuer IS NULL OR issuer = $2::bytea)"
	" UNION ALL SELECT NULL, NULL, NULL FROM ocsp_responder"
	" WHERE serial = $1::bytea AND issuer = $2::bytea"};

static const struct statement find_revision = {
	"find_revision", "SELECT revision FROM revocation WHERE only_one"};

const struct statement *const certificate_status_statements[] = {
	&find_revocation, &find_status, &find_revision, NULL};

void certificate_statuses_free(struct certificate_statuses *statuses)
{
	for (size_t i = 0; i < statuses->n; i++)
		buf_free(&statuses->items[i].der);
	statuses->n = 0;
}

static enum err want_a_row(const PGresult *rows)
{
	return PQntuples(rows) == 1
		       ? OK
		       : fail(ERR_INTERNAL, "database-error", "revocation has %d rows and not one",
				 PQntuples(rows));
}

static enum err take_revocation(const PGresult *rows, void *into)
{
	enum { REVISION, REVOKED_AT, REASON };
	struct certificate_statuses *out = into;

	TRY(want_a_row(rows));
	out->revision = row_int(rows, 0, REVISION);
	out->is_issuer_revoked = !row_is_null(rows, 0, REVOKED_AT);
	out->issuer_revoked_at = row_int(rows, 0, REVOKED_AT);
	row_text(rows, 0, REASON, out->issuer_reason, sizeof(out->issuer_reason));
	return OK;
}

static enum err take_status(const PGresult *rows, void *into)
{
	enum { REVOKED_AT, REASON, DER };
	struct certificate_status *out = into;

	out->is_known = PQntuples(rows) > 0;
	if (!out->is_known)
		return OK;
	out->is_revoked = !row_is_null(rows, 0, REVOKED_AT);
	out->revoked_at = row_int(rows, 0, REVOKED_AT);
	row_text(rows, 0, REASON, out->reason, sizeof(out->reason));
	buf_add(&out->der, row_bytes(rows, 0, DER));
	return buf_ok(&out->der);
}

enum err certificate_statuses_read(struct db *db, const uint8_t issuer[static 32],
	const struct view *serials, size_t n, struct certificate_statuses *out)
{
	const struct value of = value_bytes((struct view){issuer, 32});
	struct pipeline lookup = {.n = 0};

	*out = (struct certificate_statuses){.n = 0};
	if (n > STATUS_SERIALS_MAX)
		return fail(ERR_INTERNAL, "database-error", "%zu serial numbers at once", n);
	/* First: what changes after it, moves the revision on from the one that is read here. */
	STEP(&lookup, &find_revocation, of);
	step_take(&lookup, take_revocation, out);
	for (size_t i = 0; i < n; i++) {
		out->items[out->n++] = (struct certificate_status){.der = BUF(65536)};
		STEP(&lookup, &find_status, value_bytes(serials[i]), of);
		step_take(&lookup, take_status, &out->items[i]);
	}
	return db_run(db, &lookup, LOST_REPEAT_ONCE);
}

static enum err take_revision(const PGresult *rows, void *into)
{
	int64_t *revision = into;

	TRY(want_a_row(rows));
	*revision = row_int(rows, 0, 0);
	return OK;
}

enum err revocation_revision(struct db *db, int64_t *revision)
{
	struct pipeline lookup = {.n = 0};

	step_add(&lookup, &find_revision, NULL, 0);
	step_take(&lookup, take_revision, revision);
	return db_run(db, &lookup, LOST_REPEAT_ONCE);
}
