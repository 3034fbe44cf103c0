#include "enroll/trust/bundle.h"

#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "enroll/trust/candidate.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "-----BEGIN "
#define END "-----END "
#define KEY_MAX 64
#define VALUE_MAX 1024

/* A file being read. */
struct reading {
	const char *path;
	struct view text;
	size_t at, line;
	struct bundle *bundle;
	struct bundle_entry next; /* what is known of the PEM text to come */
	char fingerprint[VALUE_MAX];
};

void bundle_entry_release(struct bundle_entry *entry)
{
	free(entry->der);
	free(entry->name);
	free(entry->owner);
	free(entry->manufacturers);
	free(entry->source);
	*entry = (struct bundle_entry){.der = NULL};
}

static void reading_release(struct reading *reading)
{
	bundle_entry_release(&reading->next);
}

void bundle_free(struct bundle **bundle)
{
	if (*bundle == NULL)
		return;
	for (size_t i = 0; i < (*bundle)->n; i++)
		bundle_entry_release(&(*bundle)->entry[i]);
	free((*bundle)->entry);
	free(*bundle);
	*bundle = NULL;
}

/* The next line, without its end; false after the last. */
static bool next_line(struct reading *reading, struct view *out)
{
	const uint8_t *from = reading->text.p + reading->at, *end;
	size_t left = reading->text.n - reading->at;

	if (left == 0)
		return false;
	end = memchr(from, '\n', left);
	out->p = from;
	out->n = end == NULL ? left : (size_t)(end - from);
	reading->at += out->n + (end != NULL);
	reading->line++;
	while (out->n > 0 && (out->p[out->n - 1] == '\r' || out->p[out->n - 1] == ' '))
		out->n--;
	return true;
}

static bool begins(struct view line, const char *with)
{
	return line.n >= strlen(with) && memcmp(line.p, with, strlen(with)) == 0;
}

static struct view trimmed(struct view text)
{
	while (text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t'))
		text = (struct view){text.p + 1, text.n - 1};
	while (text.n > 0 && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t'))
		text.n--;
	return text;
}

static enum err keep(struct view value, char **out)
{
	size_t n = value.n < VALUE_MAX ? value.n : VALUE_MAX - 1;

	free(*out);
	if ((*out = calloc(1, n + 1)) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "bundle_read");
	if (n > 0)
		memcpy(*out, value.p, n);
	return OK;
}

static enum err no_such(const struct reading *reading, const char *what, const char *value)
{
	return fail(ERR_MALFORMED, "bundle-value",
		"%s:%zu: \"%.64s\" is no %s of a certificate (%s)", reading->path, reading->line,
		value, what, reading->next.name == NULL ? "without a name" : reading->next.name);
}

static enum err keep_role(struct reading *reading, const char *value)
{
	for (size_t i = 0; candidate_role_words[i] != NULL; i++)
		if (strcmp(value, candidate_role_words[i]) == 0) {
			reading->next.role = (enum trust_role)i;
			reading->next.has_role = true;
			return OK;
		}
	return no_such(reading, "role", value);
}

static enum err keep_class(struct reading *reading, const char *value)
{
	if (trust_class_read(value, &reading->next.class) != OK ||
		reading->next.class > TRUST_OPERATOR_IMPORT)
		return no_such(reading, "class", value);
	reading->next.has_class = true;
	return OK;
}

static enum err keep_value(struct reading *reading, const char *key, struct view value)
{
	char text[VALUE_MAX];

	snprintf(text, sizeof(text), "%.*s", (int)(value.n < INT_MAX ? value.n : INT_MAX),
		(const char *)value.p);
	if (strcmp(key, "Certificate") == 0)
		return keep(value, &reading->next.name);
	if (strcmp(key, "Owner") == 0)
		return keep(value, &reading->next.owner);
	if (strcmp(key, "Manufacturers") == 0)
		return keep(value, &reading->next.manufacturers);
	if (strcmp(key, "Source") == 0)
		return keep(value, &reading->next.source);
	if (strcmp(key, "Role") == 0)
		return keep_role(reading, text);
	if (strcmp(key, "Class") == 0)
		return keep_class(reading, text);
	if (strcmp(key, "Fingerprint (SHA-256)") == 0)
		snprintf(reading->fingerprint, sizeof(reading->fingerprint), "%s", text);
	return OK;
}

/* "# Key: Value"; what is anything else is a comment. */
static enum err read_key(struct reading *reading, struct view line)
{
	const uint8_t *colon = memchr(line.p, ':', line.n);
	char key[KEY_MAX];
	struct view name, value;

	if (colon == NULL || line.n < 2 || line.p[1] == '#')
		return OK;
	name = trimmed((struct view){line.p + 1, (size_t)(colon - line.p) - 1});
	value = trimmed((struct view){colon + 1, line.n - (size_t)(colon - line.p) - 1});
	if (name.n == 0 || name.n >= KEY_MAX || memchr(value.p, '\0', value.n) != NULL)
		return OK;
	snprintf(key, sizeof(key), "%.*s", (int)name.n, (const char *)name.p);
	return keep_value(reading, key, value);
}

/* With or without colons, in either case. */
static bool is_fingerprint(const char *text, const uint8_t digest[static SHA256_SIZE])
{
	uint8_t told[SHA256_SIZE];
	char digits[2 * SHA256_SIZE + 1];
	size_t n = 0;

	for (; *text != '\0' && n < sizeof(digits); text++)
		if (*text != ':')
			digits[n++] = *text;
	return n == 2 * SHA256_SIZE && *text == '\0' &&
	       hex_read((struct view){(const uint8_t *)digits, n}, told, sizeof(told)) == OK &&
	       memcmp(told, digest, sizeof(told)) == 0;
}

static enum err check_fingerprint(const struct reading *reading, const struct bundle_entry *entry)
{
	uint8_t digest[SHA256_SIZE];
	char text[2 * SHA256_SIZE + 1];

	if (reading->fingerprint[0] == '\0')
		return OK;
	TRY(SHA256_OF(digest, ((struct view){entry->der, entry->der_n})));
	if (is_fingerprint(reading->fingerprint, digest))
		return OK;
	hex_write(VIEW(digest), text);
	return fail(ERR_MALFORMED, "bundle-fingerprint",
		"%s:%zu: the certificate \"%s\" is not the one that the lines before it tell of: "
		"its SHA-256 is %s; nothing of this file is to be believed",
		reading->path, entry->line, entry->name == NULL ? "?" : entry->name, text);
}

/* The room grows by doubling: a bundle has thousands. */
static enum err add_entry(struct reading *reading)
{
	struct bundle *bundle = reading->bundle;
	size_t n = bundle->n;

	if (n == BUNDLE_ENTRIES)
		return fail(ERR_MALFORMED, "bundle-size", "%s: more than %d certificates",
			reading->path, BUNDLE_ENTRIES);
	if ((n & (n - 1)) == 0) {
		struct bundle_entry *grown =
			realloc(bundle->entry, (n == 0 ? 1 : 2 * n) * sizeof(*grown));

		if (grown == NULL)
			return fail(ERR_INTERNAL, "out-of-memory", "bundle_read");
		bundle->entry = grown;
	}
	bundle->entry[bundle->n++] = reading->next;
	reading->next = (struct bundle_entry){.der = NULL};
	return check_fingerprint(reading, &bundle->entry[n]);
}

static bool is_of_kind(struct view label, enum bundle_kind *out)
{
	static const struct {
		const char *label;
		enum bundle_kind kind;
	} kinds[] = {{"CERTIFICATE", BUNDLE_CERTIFICATE}, {"X509 CERTIFICATE", BUNDLE_CERTIFICATE},
		{"X509 CRL", BUNDLE_CRL}, {"PKCS7", BUNDLE_PKCS7}, {"CMS", BUNDLE_PKCS7}};

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (begins(label, kinds[i].label) &&
			view_equal((struct view){label.p + strlen(kinds[i].label),
					   label.n - strlen(kinds[i].label)},
				view_str("-----"))) {
			*out = kinds[i].kind;
			return true;
		}
	return false;
}

/* What a PEM text encodes; nothing when it is broken. */
static enum err decode(struct view pem, struct bundle_entry *entry)
{
	BIO *bio = BIO_new_mem_buf(pem.p, pem.n <= INT_MAX ? (int)pem.n : 0);
	char *label = NULL, *header = NULL;
	uint8_t *bytes = NULL;
	long n = 0;
	enum err err = OK;

	if (bio != NULL && PEM_read_bio(bio, &label, &header, &bytes, &n) == 1 && n > 0) {
		entry->der = malloc((size_t)n);
		if (entry->der != NULL)
			memcpy(entry->der, bytes, entry->der_n = (size_t)n);
		else
			err = fail(ERR_INTERNAL, "out-of-memory", "bundle_read");
	}
	ERR_clear_error();
	BIO_free(bio);
	OPENSSL_free(label);
	OPENSSL_free(header);
	OPENSSL_free(bytes);
	return err;
}

/* From its first line on, up to the line that ends it, or that begins another. */
static enum err read_pem(struct reading *reading, struct view line)
{
	struct view label = {line.p + strlen(BEGIN), line.n - strlen(BEGIN)}, next;
	struct reading before = *reading;
	const uint8_t *from = line.p;
	bool is_ended = false;

	reading->next.line = reading->line;
	while (!is_ended && next_line(reading, &next)) {
		if (begins(next, BEGIN)) {
			reading->at = before.at;
			reading->line = before.line;
			break;
		}
		is_ended = begins(next, END);
		before.at = reading->at;
		before.line = reading->line;
	}
	if (!is_of_kind(label, &reading->next.kind))
		bundle_entry_release(&reading->next);
	else {
		struct view pem = {from, (size_t)(reading->text.p + reading->at - from)};

		TRY(is_ended ? decode(pem, &reading->next) : OK);
		TRY(add_entry(reading));
	}
	reading->fingerprint[0] = '\0';
	return OK;
}

enum err bundle_read(struct view text, const char *path, struct bundle **out)
{
	AUTO(bundle_free) struct bundle *bundle = calloc(1, sizeof(*bundle));
	AUTO(reading_release) struct reading reading = {.path = path, .text = text};
	struct view line;

	if (bundle == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "bundle_read");
	reading.bundle = bundle;
	while (next_line(&reading, &line)) {
		if (begins(line, "#"))
			TRY(read_key(&reading, line));
		else if (begins(line, BEGIN))
			TRY(read_pem(&reading, line));
	}
	*out = MOVE(bundle);
	return OK;
}
