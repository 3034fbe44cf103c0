#include "enroll/admin/command.h"

#include "ca/base/clock.h"
#include "enroll/admin/look.h"
#include "enroll/admin/progress.h"
#include "enroll/proto/certificates.h"
#include "enroll/proto/devices.h"
#include "enroll/proto/labels.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: endorsectl export (devices | certificates) [--format csv | jsonl] [--out FILE]\n"
	"                         [--host PATTERN] [--state STATE] [--since TIME] [--until TIME]\n"
	"                         [--admin URL] [--token-file FILE]\n"
	"\n"
	"Writes all devices, or all certificates that were issued, those that came last first; on "
	"a\n"
	"terminal it tells how far it is. What comes while it writes may be there or not.\n"
	"\n"
	"  --format csv       comma-separated values, the first line has their names (default)\n"
	"  --format jsonl     one JSON object a line, with all that device list --json tells\n"
	"  --out FILE         where to (default: standard output); FILE is there when all of it "
	"is\n"
	"  --host PATTERN     only of such names\n"
	"  --state STATE      only those: active, held, revoked; valid, expired, revoked\n"
	"  --since TIME       enrolled first, or issued, from then on: 8h, 7d, 2026-11-22\n"
	"  --until TIME       ... before then\n" ADMIN_USAGE;

/* How a member of a record becomes a cell. */
struct column {
	const char *key;
	enum { CELL_TEXT, CELL_NUMBER, CELL_TIME, CELL_TEXTS, CELL_LABELS } kind;
};
static const struct column device_columns[] = {{"device_id", CELL_TEXT}, {"state", CELL_TEXT},
	{"hosts", CELL_TEXTS}, {"manufacturer", CELL_TEXT}, {"model", CELL_TEXT},
	{"version", CELL_TEXT}, {"trust_class", CELL_TEXT}, {"trust_source", CELL_TEXT},
	{"created_at", CELL_TIME}, {"last_success_at", CELL_TIME}, {"barred_at", CELL_TIME},
	{"barred_reason", CELL_TEXT}, {"labels", CELL_LABELS}, {0}};
static const struct column certificate_columns[] = {{"serial", CELL_TEXT}, {"kind", CELL_TEXT},
	{"template", CELL_TEXT}, {"template_version", CELL_NUMBER}, {"host", CELL_TEXT},
	{"device_id", CELL_TEXT}, {"issued_at", CELL_TIME}, {"not_before", CELL_TIME},
	{"not_after", CELL_TIME}, {"revoked_at", CELL_TIME}, {"revocation_reason", CELL_TEXT},
	{"issuer", CELL_TEXT}, {"shard", CELL_NUMBER}, {0}};

/* A spreadsheet would compute a cell that begins so, and TPM makers' texts are others' words. */
static bool is_formula(const char *text)
{
	return *text != '\0' && strchr("=+-@\t\r", *text) != NULL;
}

/* RFC 4180 2. */
static void add_cell(struct buf *out, const char *text)
{
	bool is_quoted = strpbrk(text, "\",\r\n") != NULL || is_formula(text);

	buf_str(out, is_quoted ? "\"" : "");
	if (is_formula(text))
		buf_str(out, "'");
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buf_str(out, "\"");
		buf_u8(out, (uint8_t)*text);
	}
	buf_str(out, is_quoted ? "\"" : "");
}

static void add_texts(struct buf *out, const struct record *record, const char *key)
{
	const char *text;

	for (size_t i = 0; (text = record_item_text(record, key, i)) != NULL; i++)
		buf_fmt(out, "%s%s", i > 0 ? " " : "", text);
}

static enum err cell_of(const struct record *record, const struct column *column, struct buf *out)
{
	AUTO(buf_free) struct buf json = BUF(2 * LIMIT_LABELS);
	char when[CLOCK_TEXT_SIZE];

	if (!record_has(record, column->key))
		return OK;
	switch (column->kind) {
	case CELL_TEXT:
		buf_str(out, record_text(record, column->key));
		break;
	case CELL_NUMBER:
		buf_fmt(out, "%lld", (long long)record_number(record, column->key));
		break;
	case CELL_TIME:
		clock_text(record_number(record, column->key), when);
		buf_str(out, when);
		break;
	case CELL_TEXTS:
		add_texts(out, record, column->key);
		break;
	case CELL_LABELS:
		record_member(record, column->key, &json);
		TRY(labels_to_pairs(buf_text(&json), out));
		break;
	}
	return buf_ok(out);
}

/* An export on its way. */
struct export
{
	FILE *file;
	const struct column *columns; /* NULL: JSON lines */
	struct progress progress;
};

static enum err put(FILE *file, const struct buf *line)
{
	TRY(buf_ok(line));
	if (fwrite(line->p, 1, line->n, file) != line->n)
		return fail(ERR_INTERNAL, "output", "cannot write: %s", strerror(errno));
	return OK;
}

static enum err put_names(const struct export *export)
{
	AUTO(buf_free) struct buf line = BUF(4096);

	for (const struct column *column = export->columns; column->key != NULL; column++)
		buf_fmt(&line, "%s%s", line.n > 0 ? "," : "", column->key);
	buf_str(&line, "\n");
	return put(export->file, &line);
}

static enum err put_record(void *of_export, const struct record *record)
{
	AUTO(buf_free) struct buf line = BUF(1 << 20), cell = BUF(1 << 18);
	struct export *export = of_export;

	if (export->columns == NULL)
		TRY(record_encode(record, &line));
	for (const struct column *column = export->columns; column != NULL && column->key != NULL;
		column++) {
		buf_free(&cell);
		TRY(cell_of(record, column, &cell));
		buf_str(&line, column == export->columns ? "" : ",");
		add_cell(&line, buf_text(&cell));
	}
	buf_str(&line, "\n");
	progress_step(&export->progress);
	return put(export->file, &line);
}

static enum err write_all(const struct look *look, const struct record_shape *shape,
	struct export *export, struct problem *problem)
{
	char next[LIMIT_CURSOR + 1];
	enum err err;

	progress_begin(&export->progress, shape->name);
	if (export->columns != NULL)
		TRY(put_names(export));
	err = look_through(look, shape, put_record, export, next, problem);
	progress_end(&export->progress);
	TRY(err);
	if (fflush(export->file) != 0)
		return fail(ERR_INTERNAL, "output", "cannot write: %s", strerror(errno));
	return OK;
}

/* Beside it and then in its place, so that what is at FILE is whole. */
static enum err write_file(const struct look *look, const struct record_shape *shape,
	struct export *export, struct problem *problem)
{
	AUTO(buf_free) struct buf beside = BUF(4096);
	enum err err;

	buf_fmt(&beside, "%s.partial", look->out);
	TRY(buf_ok(&beside));
	if ((export->file = fopen(buf_text(&beside), "we")) == NULL)
		return fail(ERR_INTERNAL, "output", "%s: %s", buf_text(&beside), strerror(errno));
	err = write_all(look, shape, export, problem);
	if (err == OK && fsync(fileno(export->file)) != 0)
		err = fail(ERR_INTERNAL, "output", "%s: %s", look->out, strerror(errno));
	if (fclose(export->file) != 0 && err == OK)
		err = fail(ERR_INTERNAL, "output", "%s: %s", look->out, strerror(errno));
	if (err == OK && rename(buf_text(&beside), look->out) != 0)
		err = fail(ERR_INTERNAL, "output", "%s: %s", look->out, strerror(errno));
	if (err != OK)
		unlink(buf_text(&beside));
	return err;
}

static int run(const struct look *look, bool of_devices)
{
	const struct record_shape *shape = of_devices ? &devices_shape : &certificates_shape;
	bool is_csv = look->format == NULL || strcmp(look->format, "csv") == 0;
	struct export export = {.file = stdout};
	struct problem problem = {0};
	enum err err;

	if (!is_csv && strcmp(look->format, "jsonl") != 0)
		return command_misused(usage);
	if (is_csv)
		export.columns = of_devices ? device_columns : certificate_columns;
	err = look->out == NULL ? write_all(look, shape, &export, &problem)
				: write_file(look, shape, &export, &problem);
	if (err == OK && look->out != NULL)
		printf("%zu %s in %s\n", export.progress.n, shape->name, look->out);
	return command_ended(err, &problem);
}

static int export_all(int argc, char **argv, bool of_devices)
{
	AUTO(look_free) struct look look = LOOK;
	int code = look_options(argc, argv, usage,
		of_devices ? "/v1/admin/devices" : "/v1/admin/certificates", "HsabFo", &look);

	if (code >= 0)
		return code;
	if (optind != argc)
		return command_misused(usage);
	look.limit = SIZE_MAX;
	return run(&look, of_devices);
}

int command_export_devices(int argc, char **argv)
{
	return export_all(argc, argv, true);
}

int command_export_certificates(int argc, char **argv)
{
	return export_all(argc, argv, false);
}
