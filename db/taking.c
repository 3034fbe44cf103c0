#include "db/taking.h"

#include <stdlib.h>
#include <string.h>

void reached_free(struct reached *reached)
{
	free(reached->certificates);
	free(reached->name);
	*reached = (struct reached){.x509 = 0};
}

enum { KIND, SERIAL, TEMPLATE, HOST, NOT_AFTER, ISSUER, SHARD, NEXT_UPDATE };

#define TAKE_TEXT(column, member) row_text(rows, row, column, out->member, sizeof(out->member))

static void take_certificate(const PGresult *rows, int row, struct reached_certificate *out)
{
	TAKE_TEXT(KIND, kind);
	TAKE_TEXT(SERIAL, serial);
	TAKE_TEXT(TEMPLATE, template);
	TAKE_TEXT(HOST, host);
	out->not_after = row_int(rows, row, NOT_AFTER);
}

static void count_kind(const PGresult *rows, int row, struct reached *out)
{
	char kind[16];

	row_text(rows, row, KIND, kind, sizeof(kind));
	out->ssh_host += strcmp(kind, "ssh-host") == 0;
	out->ssh_user += strcmp(kind, "ssh-user") == 0;
	if (strcmp(kind, "x509") != 0)
		return;
	out->x509++;
	out->unlisted += row_is_null(rows, row, ISSUER) || row_is_null(rows, row, SHARD);
}

static bool is_of_the_crl_before(const PGresult *rows, int row)
{
	return row > 0 &&
	       view_equal(row_bytes(rows, row, ISSUER), row_bytes(rows, row - 1, ISSUER)) &&
	       row_int(rows, row, SHARD) == row_int(rows, row - 1, SHARD);
}

/* Rows come CRL by CRL, those without one at the end. */
static void count_crl(const PGresult *rows, int row, struct reached *out)
{
	int64_t until = row_int(rows, row, NEXT_UPDATE);

	if (row_is_null(rows, row, ISSUER) || row_is_null(rows, row, SHARD) ||
		is_of_the_crl_before(rows, row))
		return;
	out->crls++;
	if (!row_is_null(rows, row, NEXT_UPDATE) && until > out->crls_until)
		out->crls_until = until;
}

static enum err take_certificates(const PGresult *rows, void *into)
{
	struct reached *out = into;
	size_t n = (size_t)PQntuples(rows);
	size_t told = n < REACHED_TOLD ? n : REACHED_TOLD;

	if ((out->certificates = calloc(told + 1, sizeof(*out->certificates))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%zu certificates", told);
	for (; out->certificates_n < told; out->certificates_n++)
		take_certificate(
			rows, (int)out->certificates_n, &out->certificates[out->certificates_n]);
	for (size_t i = 0; i < n; i++) {
		count_kind(rows, (int)i, out);
		count_crl(rows, (int)i, out);
	}
	return OK;
}

void taking_add(struct pipeline *trip, const struct statement *statement,
	const struct taking *taking, struct reached *out)
{
	const struct act *act = taking->act;

	STEP(trip, statement, taking->which, value_int(act->now), value_text(taking->reason),
		value_text(taking->with), value_text(taking->event), value_bytes(taking->device_id),
		value_text(taking->host), value_prose(act->reason), value_prose(act->who),
		value_prose(act->from), value_prose(act->request_id));
	step_take(trip, take_certificates, out);
}

enum err taking_names(const PGresult *rows, void *reached)
{
	struct reached *out = reached;
	size_t n = (size_t)PQntuples(rows);
	size_t told = n < REACHED_TOLD ? n : REACHED_TOLD;

	out->names = (int64_t)n;
	if ((out->name = calloc(told + 1, sizeof(*out->name))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%zu names", told);
	for (; out->name_n < told; out->name_n++)
		row_text(rows, (int)out->name_n, 0, out->name[out->name_n],
			sizeof(out->name[out->name_n]));
	return OK;
}
