#include "enroll/admin/manifest.h"

#include "ca/base/encode.h"
#include "ca/base/hostname.h"
#include "ca/base/ossl.h"
#include "ca/base/printable.h"
#include "enroll/admin/csv.h"
#include "enroll/tpm/ekpublic.h"
#include "enroll/tpm/roca.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum column { EK_DIGEST, EK_PUBLIC, SERIAL, HOST, LABELS, COLUMNS };
static const char *const column_words[] = {[EK_DIGEST] = "ek_digest",
	[EK_PUBLIC] = "ek_public",
	[SERIAL] = "serial",
	[HOST] = "host",
	[LABELS] = "labels"};

/* What is the same for all lines. */
struct reading {
	const char *path;
	struct manifest *out;
	size_t column[CSV_FIELDS]; /* what each field is */
	size_t columns;
	size_t room;
};

void manifest_init(struct manifest *manifest)
{
	*manifest = (struct manifest){.problems = BUF(16 << 20)};
}

void manifest_free(struct manifest *manifest)
{
	allow_request_free(&manifest->request);
	free(manifest->line);
	buf_free(&manifest->problems);
	manifest_init(manifest);
}

static void add_problem(struct reading *reading, size_t line)
{
	char sentence[512];

	printable(why()->sentence, sentence, sizeof(sentence));
	buf_fmt(&reading->out->problems, "%s:%zu: %s\n", reading->path, line, sentence);
}

static bool is_hex(struct view text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!isxdigit(text.p[i]))
			return false;
	return text.n > 0 && text.n % 2 == 0;
}

/* A TPM2B_PUBLIC begins with its size, below 1024: neither text does. */
enum err manifest_public(struct view text, struct buf *out)
{
	while (text.n > 0 && text.p[0] >= 0x20 && isspace(text.p[text.n - 1]))
		text.n--;
	if (text.n > 0 && text.p[0] < 0x20) {
		buf_add(out, text);
	} else if (is_hex(text) && text.n / 2 <= LIMIT_PUBLIC) {
		uint8_t bytes[LIMIT_PUBLIC];

		TRY(hex_read(text, bytes, text.n / 2));
		buf_add(out, (struct view){bytes, text.n / 2});
	} else if (base64_read(text, out) != OK) {
		return fail(ERR_MALFORMED, "tpm-public",
			"the EK's public area is neither hexadecimal nor base64");
	}
	return buf_ok(out);
}

/* The digest by the public area, which is one of the templates. */
static enum err compute_digest(struct view public, char out[static EK_DIGEST_DIGITS + 1])
{
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	const struct ek_template *template;
	uint8_t digest[SHA256_SIZE];

	TRY(ek_public_read(public, &key, &template));
	if (is_roca(key))
		return fail(ERR_REJECTED, "ek-roca",
			"this EK can be computed from its public half (CVE-2017-15361)");
	TRY(spki_sha256(key, digest));
	hex_write(VIEW(digest), out);
	return OK;
}

enum err manifest_digest(const char *text, char out[static EK_DIGEST_DIGITS + 1])
{
	uint8_t digest[SHA256_SIZE];

	if (hex_read(view_str(text), digest, sizeof(digest)) != OK)
		return fail(ERR_MALFORMED, "ek-digest",
			"\"%.70s\" is no digest of an EK: wanted the SHA-256 of its "
			"SubjectPublicKeyInfo, %d hexadecimal digits",
			text, EK_DIGEST_DIGITS);
	hex_write(VIEW(digest), out);
	return OK;
}

enum err manifest_judge(struct allow_entry *entry)
{
	char computed[EK_DIGEST_DIGITS + 1];

	if (entry->host != NULL)
		TRY(hostname_check(entry->host));
	if (entry->ek_public.n == 0)
		return entry->ek_digest[0] != '\0'
			       ? OK
			       : fail(ERR_MALFORMED, "ek-digest",
					 "no EK: wanted its digest or its public area");
	TRY(compute_digest(buf_view(&entry->ek_public), computed));
	if (entry->ek_digest[0] != '\0' && strcmp(entry->ek_digest, computed) != 0)
		return fail(ERR_MALFORMED, "ek-digest",
			"the digest is not that of the public area beside it, which is %s",
			computed);
	memcpy(entry->ek_digest, computed, sizeof(computed));
	return OK;
}

static enum err bad_manifest(const struct reading *reading, const char *what)
{
	return fail(ERR_MALFORMED, "manifest", "%s: %s", reading->path, what);
}

static size_t column_of(const char *word)
{
	size_t i = 0;

	while (i < COLUMNS && strcmp(column_words[i], word) != 0)
		i++;
	return i;
}

static enum err read_header(struct reading *reading, const struct csv_record *record)
{
	bool seen[COLUMNS + 1] = {false};

	for (size_t i = 0; i < record->n; i++) {
		size_t column = column_of(record->field[i]);
		char word[64];

		printable(record->field[i], word, sizeof(word));
		if (column == COLUMNS)
			return fail(ERR_MALFORMED, "manifest",
				"%s:%zu: there is no column \"%s\": the first line names the "
				"columns, "
				"which are ek_digest, ek_public, serial, host, labels",
				reading->path, record->line, word);
		if (seen[column])
			return fail(ERR_MALFORMED, "manifest", "%s:%zu: the column \"%s\" twice",
				reading->path, record->line, word);
		seen[column] = true;
		reading->column[i] = column;
	}
	reading->columns = record->n;
	if (!seen[EK_DIGEST] && !seen[EK_PUBLIC])
		return bad_manifest(reading, "neither a column ek_digest nor a column ek_public");
	return OK;
}

static enum err keep_text(const char *text, size_t max, const char *column, char **out)
{
	if (strlen(text) > max)
		return fail(
			ERR_MALFORMED, "manifest-value", "%s has more than %zu bytes", column, max);
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return fail(ERR_MALFORMED, "manifest-value",
				"%s has a control character in it", column);
	return (*out = strdup(text)) == NULL ? fail(ERR_INTERNAL, "out-of-memory", "manifest_read")
					     : OK;
}

static enum err keep_labels(const char *text, char **out)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_LABELS);

	TRY(labels_from_pairs(text, &json));
	return (*out = buf_take(&json)) == NULL
		       ? fail(ERR_INTERNAL, "out-of-memory", "manifest_read")
		       : OK;
}

static enum err take_field(enum column column, const char *text, struct allow_entry *out)
{
	if (text[0] == '\0')
		return OK;
	switch (column) {
	case EK_DIGEST:
		return manifest_digest(text, out->ek_digest);
	case EK_PUBLIC:
		return manifest_public(view_str(text), &out->ek_public);
	case SERIAL:
		return keep_text(text, LIMIT_SERIAL, "serial", &out->serial);
	case HOST:
		return keep_text(text, LIMIT_HOST, "host", &out->host);
	case LABELS:
		return keep_labels(text, &out->labels);
	case COLUMNS:
		break;
	}
	return OK;
}

static enum err read_entry(
	const struct reading *reading, const struct csv_record *record, struct allow_entry *out)
{
	*out = (struct allow_entry){.ek_public = BUF(LIMIT_PUBLIC)};
	if (record->n != reading->columns)
		return fail(ERR_MALFORMED, "manifest-value",
			"%zu fields, and the first line names %zu columns", record->n,
			reading->columns);
	for (size_t i = 0; i < record->n; i++)
		TRY(take_field((enum column)reading->column[i], record->field[i], out));
	return manifest_judge(out);
}

static enum err make_room(struct reading *reading)
{
	struct allow_request *request = &reading->out->request;
	size_t room = reading->room == 0 ? 64 : 2 * reading->room;
	struct allow_entry *entries;
	size_t *lines;

	if (request->n < reading->room)
		return OK;
	if (request->n >= ALLOW_MAX)
		return bad_manifest(reading, "more than 20000 EKs: split it");
	if ((entries = realloc(request->entries, room * sizeof(*entries))) != NULL)
		request->entries = entries;
	if ((lines = realloc(reading->out->line, room * sizeof(*lines))) != NULL)
		reading->out->line = lines;
	if (entries == NULL || lines == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "manifest_read");
	reading->room = room;
	return OK;
}

static enum err add_record(struct reading *reading, const struct csv_record *record, enum err err)
{
	struct allow_request *request = &reading->out->request;

	TRY(make_room(reading));
	if (err == OK) {
		struct allow_entry *entry = &request->entries[request->n];

		err = read_entry(reading, record, entry);
		if (err != OK)
			allow_entry_free(entry);
	}
	if (err == ERR_INTERNAL)
		return err;
	if (err != OK) {
		add_problem(reading, record->line);
		reading->out->bad++;
		return OK;
	}
	reading->out->line[request->n++] = record->line;
	return OK;
}

/* An entry by what may be there only once. */
struct unique {
	const char *text;
	size_t at;
};

static int compare(const void *a, const void *b)
{
	const struct unique *one = a, *other = b;
	int by_text = strcmp(one->text, other->text);

	return by_text != 0 ? by_text : (one->at > other->at) - (one->at < other->at);
}

/* Marks those that repeat an earlier one's digest or name. */
static void mark_doubles(
	struct reading *reading, struct unique *sorted, size_t n, const char *what, bool *is_bad)
{
	if (n > 0)
		qsort(sorted, n, sizeof(*sorted), compare);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(sorted[i - 1].text, sorted[i].text) != 0 || is_bad[sorted[i].at])
			continue;
		(void)!fail(ERR_MALFORMED, "manifest-value", "the same %s is in line %zu", what,
			reading->out->line[sorted[i - 1].at]);
		add_problem(reading, reading->out->line[sorted[i].at]);
		is_bad[sorted[i].at] = true;
	}
}

static void drop(struct manifest *manifest, const bool *is_bad)
{
	struct allow_request *request = &manifest->request;
	size_t kept = 0;

	for (size_t i = 0; i < request->n; i++) {
		if (is_bad[i]) {
			allow_entry_free(&request->entries[i]);
			manifest->bad++;
			continue;
		}
		request->entries[kept] = request->entries[i];
		manifest->line[kept++] = manifest->line[i];
	}
	request->n = kept;
}

static enum err drop_doubles(struct reading *reading)
{
	struct allow_request *request = &reading->out->request;
	AUTO(mem_free) struct unique *sorted = calloc(request->n + 1, sizeof(*sorted));
	AUTO(mem_free) bool *is_bad = calloc(request->n + 1, sizeof(*is_bad));
	size_t n = 0;

	if (sorted == NULL || is_bad == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "manifest_read");
	for (size_t i = 0; i < request->n; i++)
		sorted[i] = (struct unique){request->entries[i].ek_digest, i};
	mark_doubles(reading, sorted, request->n, "EK", is_bad);
	for (size_t i = 0; i < request->n; i++)
		if (request->entries[i].host != NULL && !is_bad[i])
			sorted[n++] = (struct unique){request->entries[i].host, i};
	mark_doubles(reading, sorted, n, "host", is_bad);
	drop(reading->out, is_bad);
	return OK;
}

enum err manifest_read(struct view text, const char *path, struct manifest *out)
{
	AUTO(csv_record_free) struct csv_record record = {0};
	struct reading reading = {.path = path, .out = out};
	struct csv csv;
	enum err err;

	csv_begin(text, &csv);
	if (!csv_next(&csv, &record, &err))
		return bad_manifest(&reading, "it is empty");
	if (err != OK)
		return fail(ERR_MALFORMED, "manifest", "%s:%zu: %s", path, record.line,
			why()->sentence);
	TRY(read_header(&reading, &record));
	for (;;) {
		csv_record_free(&record);
		if (!csv_next(&csv, &record, &err))
			break;
		TRY(add_record(&reading, &record, err));
	}
	TRY(drop_doubles(&reading));
	if (out->request.n + out->bad == 0)
		return bad_manifest(&reading, "there is no EK in it");
	return OK;
}
