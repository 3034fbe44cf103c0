#include "enroll/admin/vendors_print.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "ca/base/ossl.h"
#include "ca/base/printable.h"
#include "enroll/tpm/public.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN 1024
#define DAY_TEXT 10 /* "2026-11-22" */

/* "IFX, STM" for "id:49465800,id:53544D20"; ids without letters stay ids. */
static void letters_of(const char *manufacturers, char *out, size_t room)
{
	AUTO(buf_free) struct buf text = BUF(SHOWN);
	char last[8] = "";

	while (*manufacturers != '\0') {
		size_t n = strcspn(manufacturers, ",");
		uint8_t id[4];
		char word[16] = "";

		if (n == 11 &&
			hex_read((struct view){(const uint8_t *)manufacturers + 3, 8}, id, 4) == OK)
			for (size_t i = 0; i < 4 && id[i] > ' ' && id[i] <= '~'; i++)
				word[i] = (char)id[i];
		if (word[0] == '\0')
			snprintf(word, sizeof(word), "%.*s", n < 15 ? (int)n : 15, manufacturers);
		/* With a NUL and with a space in the end it is the same word. */
		if (strcmp(word, last) != 0)
			buf_fmt(&text, "%s%s", text.n == 0 ? "" : ", ", word);
		snprintf(last, sizeof(last), "%.7s", word);
		manufacturers += n + (manufacturers[n] == ',');
	}
	snprintf(out, room, "%s", text.n == 0 ? "any" : buf_text(&text));
}

static void print_line(FILE *out, const char *key, const char *value)
{
	char text[SHOWN];

	printable(value, text, sizeof(text));
	fprintf(out, "%-14s %s\n", key, text);
}

static void day(int64_t when, char out[static CLOCK_TEXT_SIZE])
{
	clock_text(when, out);
	out[DAY_TEXT] = '\0';
}

static void print_row(FILE *out, const struct trust_list_item *entry)
{
	char until[CLOCK_TEXT_SIZE], who[64] = "", subject[SHOWN];

	day(entry->until, until);
	if (strcmp(entry->role, "root") == 0)
		letters_of(strcmp(entry->manufacturers, "any") == 0 ? "" : entry->manufacturers,
			who, sizeof(who));
	printable(entry->subject, subject, sizeof(subject));
	fprintf(out, "  %.12s  %-12s  %s  %-10s  %s\n", entry->sha256, entry->role, until, who,
		subject);
}

static int by_group(const void *a, const void *b)
{
	const struct trust_list_item *const *x = a, *const *y = b;
	int order = strcmp((*x)->class, (*y)->class);

	if (order == 0)
		order = strcmp((*x)->source, (*y)->source);
	if (order == 0) /* roots, then the others */
		order = strcmp((*y)->role, (*x)->role);
	return order != 0 ? order : strcmp((*x)->subject, (*y)->subject);
}

static size_t count_role(const struct trust_list *list, const char *role)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += strcmp(list->items[i].role, role) == 0;
	return n;
}

static bool is_same_group(const struct trust_list_item *a, const struct trust_list_item *b)
{
	return strcmp(a->class, b->class) == 0 && strcmp(a->source, b->source) == 0;
}

void vendors_print_list(FILE *out, const struct trust_list *list, const char *role)
{
	AUTO(mem_free) const struct trust_list_item **sorted = calloc(list->n + 1, sizeof(*sorted));
	const struct trust_list_item *before = NULL;

	fprintf(out, "trust set %s: %zu roots, %zu intermediates, %zu CRLs\n", list->trust_version,
		count_role(list, "root"), count_role(list, "intermediate"),
		count_role(list, "crl"));
	if (sorted == NULL)
		return;
	for (size_t i = 0; i < list->n; i++)
		sorted[i] = &list->items[i];
	qsort(sorted, list->n, sizeof(*sorted), by_group);
	for (size_t i = 0; i < list->n; i++) {
		char source[SHOWN];

		if (role != NULL && strcmp(sorted[i]->role, role) != 0)
			continue;
		printable(sorted[i]->source, source, sizeof(source));
		if (before == NULL || !is_same_group(before, sorted[i]))
			fprintf(out, "\n%s (%s)\n", source, sorted[i]->class);
		before = sorted[i];
		print_row(out, sorted[i]);
	}
}

static void print_certificate(FILE *out, X509 *cert)
{
	AUTO(buf_free) struct buf pem = BUF(CERTS_MAX);
	char text[SHOWN], serial[CERT_SERIAL_SIZE], from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	int64_t begin = 0, end = 0;
	enum key_kind kind;

	name_text(X509_get_issuer_name(cert), text, sizeof(text));
	print_line(out, "issuer", text);
	cert_serial(cert, serial);
	print_line(out, "serial", serial);
	if (cert_validity(cert, &begin, &end) == OK) {
		clock_text(begin, from);
		clock_text(end, until);
		snprintf(text, sizeof(text), "%s to %s", from, until);
		print_line(out, "valid", text);
	}
	if (X509_get0_pubkey(cert) != NULL && key_kind_of(X509_get0_pubkey(cert), &kind) == OK)
		print_line(out, "key", key_kind_text(kind));
	print_line(out, "signed with", OBJ_nid2ln(X509_get_signature_nid(cert)));
	if (cert_pem_add(cert, &pem) == OK)
		fprintf(out, "\n%s", buf_text(&pem));
}

void vendors_print_entry(FILE *out, const struct trust_list_item *entry)
{
	AUTO(x509_free) X509 *cert = cert_from_der(entry->der);
	char who[256], text[CLOCK_TEXT_SIZE];

	print_line(out, "subject", entry->subject);
	print_line(out, "SHA-256", entry->sha256);
	print_line(out, "role", entry->role);
	print_line(out, "class", entry->class);
	if (strcmp(entry->role, "root") == 0) {
		letters_of(strcmp(entry->manufacturers, "any") == 0 ? "" : entry->manufacturers,
			who, sizeof(who));
		print_line(out, "vouches for", who);
	}
	print_line(out, "source", entry->source);
	if (entry->path != NULL && entry->path[0] != '\0')
		print_line(out, "path", entry->path);
	if (entry->imported_by != NULL) {
		clock_text(entry->imported_at, text);
		print_line(out, "imported", text);
		print_line(out, "by", entry->imported_by);
	}
	if (entry->why != NULL)
		print_line(out, "why", entry->why);
	if (cert != NULL)
		print_certificate(out, cert);
}

static void print_number(FILE *out, bool *is_first, size_t n, const char *one, const char *many)
{
	if (n == 0)
		return;
	fprintf(out, "%s%zu %s", *is_first ? "" : ", ", n, n == 1 ? one : many);
	*is_first = false;
}

/* How many of each role came to this. */
static void print_count(FILE *out, const char *what, const struct gathered *const *sent,
	const struct import_answer *answer, enum import_result result)
{
	size_t n[] = {0, 0, 0};
	bool is_first = true;

	for (size_t i = 0; i < answer->n; i++)
		if (answer->items[i].result == result)
			n[sent[i]->candidate.role]++;
	fprintf(out, "  %-15s", what);
	print_number(out, &is_first, n[TRUST_ROOT], "root", "roots");
	print_number(out, &is_first, n[TRUST_INTERMEDIATE], "intermediate", "intermediates");
	print_number(out, &is_first, n[TRUST_CRL], "CRL", "CRLs");
	fprintf(out, "%s\n", is_first ? "nothing" : "");
}

static void print_new_roots(
	FILE *out, const struct gathered *const *sent, const struct import_answer *answer)
{
	bool is_first = true;

	for (size_t i = 0; i < answer->n; i++) {
		char who[64], subject[SHOWN];

		if (answer->items[i].result != IMPORT_ADDED ||
			sent[i]->candidate.role != TRUST_ROOT)
			continue;
		if (is_first)
			fputs("\nnew roots, and whom they may vouch for:\n", out);
		is_first = false;
		letters_of(sent[i]->manufacturers, who, sizeof(who));
		printable(sent[i]->candidate.subject, subject, sizeof(subject));
		fprintf(out, "  %.12s  %-10s  %s\n", answer->items[i].sha256, who, subject);
	}
}

/* What the codes say in few words, in the order in which they are told. */
static const struct {
	const char *code, *words;
	bool is_all; /* there is no more to say of each than its subject */
} reasons[] = {
	{"ca-manufacturers", "roots of which nothing tells whom they may vouch for", false},
	{"ca-known", "trusted already in another role", false},
	{"ca-signature", "altered: their signature by themselves is wrong", true},
	{"ca-unreadable", "cannot be read", false},
	{"ca-key", "keys of an unusual size or kind", true},
	{"ca-weak", "signed with SHA-1 or worse: no chain through them is taken", true},
	{"ca-expired", "expired", false},
	{"ca-aik", "CAs of attestation keys, not of EKs", true},
	{"ca-purpose", "CAs for something else than EKs", true},
	{"ca-not-a-ca", "no CAs", true},
	{"ca-role", "not what they are said to be", false},
	{"no-certificate", "files without a certificate", false},
};

static size_t place_of(const char *code)
{
	size_t i = 0;

	while (i < COUNT(reasons) && strcmp(reasons[i].code, code) != 0)
		i++;
	return i;
}

/* Something that is left out, by us or by the service. */
struct left_out {
	const char *path, *code, *sentence, *subject;
};

static int by_reason(const void *a, const void *b)
{
	const struct left_out *x = a, *y = b;
	size_t p = place_of(x->code), q = place_of(y->code);

	if (p != q)
		return p < q ? -1 : 1;
	return strcmp(x->path, y->path);
}

static size_t collect(const struct gathering *gathering, const struct gathered *const *sent,
	const struct import_answer *answer, struct left_out *out)
{
	size_t n = 0;

	for (size_t i = 0; i < gathering->n; i++)
		if (gathering->item[i].code[0] != '\0')
			out[n++] = (struct left_out){gathering->item[i].path,
				gathering->item[i].code, gathering->item[i].sentence,
				gathering->item[i].candidate.subject};
	for (size_t i = 0; i < answer->n; i++)
		if (answer->items[i].result == IMPORT_REFUSED)
			out[n++] = (struct left_out){sent[i]->path, answer->items[i].reason,
				answer->items[i].sentence, sent[i]->candidate.subject};
	return n;
}

static void print_left_out(FILE *out, const struct left_out *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char path[SHOWN], more[SHOWN];
		size_t same = 0, place = place_of(items[i].code);
		bool is_all = place < COUNT(reasons) && reasons[place].is_all;

		while (i + same < n && strcmp(items[i + same].code, items[i].code) == 0)
			same++;
		if (i == 0 || strcmp(items[i - 1].code, items[i].code) != 0)
			fprintf(out, "\nleft out, %s (%s): %zu\n",
				place < COUNT(reasons) ? reasons[place].words
						       : "for another reason",
				items[i].code, same);
		printable(items[i].path, path, sizeof(path));
		printable(is_all ? items[i].subject : items[i].sentence, more, sizeof(more));
		fprintf(out, "  %s\n", path);
		if (more[0] != '\0')
			fprintf(out, "      %s\n", more);
	}
}

void vendors_print_import(FILE *out, const struct gathering *gathering,
	const struct gathered *const *sent, const struct import_answer *answer, bool is_dry_run)
{
	AUTO(mem_free) struct left_out *left = calloc(gathering->n + answer->n + 1, sizeof(*left));
	size_t doubles = 0, n = left == NULL ? 0 : collect(gathering, sent, answer, left);

	for (size_t i = 0; i < gathering->n; i++)
		doubles += gathering->item[i].is_double;
	fputs(buf_text(&gathering->notes), out);
	fprintf(out, "%zu files, %zu certificates and CRLs in them%s\n", gathering->files,
		gathering->n, is_dry_run ? "; a dry run: nothing was changed" : "");
	print_count(out, is_dry_run ? "would be added" : "added", sent, answer, IMPORT_ADDED);
	print_count(out, "known already", sent, answer, IMPORT_KNOWN);
	if (doubles > 0)
		fprintf(out, "  %-15s%zu\n", "the same again", doubles);
	fprintf(out, "  %-15s%zu\n", "left out", n);
	print_new_roots(out, sent, answer);
	if (n > 0)
		qsort(left, n, sizeof(*left), by_reason);
	print_left_out(out, left, n);
}
