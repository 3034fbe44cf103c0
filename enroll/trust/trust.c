#include "enroll/trust/set.h"

#include "ca/base/cert.h"
#include "ca/base/ossl.h"
#include "enroll/trust/certfile.h"
#include "enroll/trust/crl.h"
#include "enroll/trust/load.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SOURCES_MAX 65
#define CHAINS_REMEMBERED 1024
#define SKIPPED_MAX (32 * 1024) /* bytes of remembered lines */

const char *const trust_class_words[] = {
	[TRUST_MANUFACTURER] = "manufacturer",
	[TRUST_OPERATOR_IMPORT] = "operator-import",
	[TRUST_ALLOW_LIST] = "allow-list",
	[TRUST_APPROVED] = "approved",
	[TRUST_UNPROVEN] = "unproven-root",
	NULL,
};

const char *const trust_root_class_words[] = {"manufacturer", "operator-import", NULL};

const char *trust_class_text(enum trust_class class)
{
	return trust_class_words[class];
}

enum err trust_class_read(const char *text, enum trust_class *out)
{
	for (size_t i = 0; trust_class_words[i] != NULL; i++)
		if (strcmp(text, trust_class_words[i]) == 0) {
			*out = (enum trust_class)i;
			return OK;
		}
	return fail(ERR_INTERNAL, "trust-class", "\"%s\" is no trust class", text);
}

static enum err no_memory(void)
{
	return fail(ERR_INTERNAL, "out-of-memory", "the trust set");
}

enum err trust_make(struct trust **out)
{
	AUTO(trust_free) struct trust *trust = calloc(1, sizeof(*trust));

	if (trust == NULL || (trust->verdicts = verdicts_make(CHAINS_REMEMBERED)) == NULL)
		return no_memory();
	trust->skipped = BUF(SKIPPED_MAX);
	*out = MOVE(trust);
	return OK;
}

static void entry_free(struct trust_entry *entry)
{
	X509_free(entry->cert);
	X509_CRL_free(entry->crl);
	free(entry->manufacturers);
	free(entry->source);
}

static void entries_free(struct trust_entries *entries)
{
	for (size_t i = 0; i < entries->n; i++)
		entry_free(&entries->at[i]);
	free(entries->at);
}

void trust_free(struct trust **trust)
{
	if (*trust == NULL)
		return;
	entries_free(&(*trust)->certificates);
	entries_free(&(*trust)->crls);
	vendors_free(&(*trust)->vendors);
	verdicts_free(&(*trust)->verdicts);
	free((*trust)->moments);
	buf_free(&(*trust)->skipped);
	free(*trust);
	*trust = NULL;
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One spelling for one set of manufacturers: it is compared, digested and exported. */
static char *manufacturers_ordered(const char *text)
{
	AUTO(mem_free) char *copy = strdup(text == NULL ? "" : text);
	AUTO(buf_free) struct buf out = BUF(1 << 16);
	char *word[64] = {NULL}, *rest = NULL;
	size_t n = 0;

	for (char *p = copy; p != NULL && *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	for (char *p = copy == NULL ? NULL : strtok_r(copy, ", ", &rest);
		p != NULL && n < COUNT(word); p = strtok_r(NULL, ", ", &rest))
		word[n++] = p;
	qsort(word, n, sizeof(word[0]), compare_words);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(word[i], word[i - 1]) != 0)
			buf_fmt(&out, "%sid:%s", out.n > 0 ? "," : "",
				strncmp(word[i], "ID:", 3) == 0 ? word[i] + 3 : word[i]);
	if (copy == NULL || buf_ok(&out) != OK)
		return NULL;
	return out.n == 0 ? strdup("") : buf_take(&out);
}

/* Whose DER is it, and is it there? */
static bool has_it(const struct trust_entries *entries, const struct trust_entry *one)
{
	for (size_t i = 0; i < entries->n; i++)
		if (entries->at[i].role == one->role &&
			memcmp(entries->at[i].sha256, one->sha256, SHA256_SIZE) == 0)
			return true;
	return false;
}

static bool make_room(struct trust_entries *entries)
{
	size_t room = entries->room == 0 ? 64 : 2 * entries->room;
	struct trust_entry *grown;

	if (entries->n < entries->room)
		return true;
	if ((grown = realloc(entries->at, room * sizeof(*grown))) == NULL)
		return false;
	entries->at = grown;
	entries->room = room;
	return true;
}

static bool is_digested(X509 *cert, X509_CRL *crl, uint8_t out[static SHA256_SIZE])
{
	unsigned int n = 0;

	return cert != NULL ? X509_digest(cert, EVP_sha256(), out, &n) == 1
			    : X509_CRL_digest(crl, EVP_sha256(), out, &n) == 1;
}

enum err trust_keep(struct trust *trust, const struct trust_item *what, X509 *cert, X509_CRL *crl)
{
	struct trust_entries *entries =
		what->role == TRUST_CRL ? &trust->crls : &trust->certificates;
	struct trust_entry one = {.role = what->role, .class = what->class};

	if (!is_digested(cert, crl, one.sha256))
		return fail(ERR_INTERNAL, "crypto", "cannot digest a certificate or CRL");
	if (has_it(entries, &one))
		return OK;
	one.manufacturers = manufacturers_ordered(what->manufacturers);
	one.source = strdup(what->source == NULL ? "" : what->source);
	if (one.manufacturers == NULL || one.source == NULL || !make_room(entries) ||
		(cert != NULL && X509_up_ref(cert) != 1) ||
		(crl != NULL && X509_CRL_up_ref(crl) != 1)) {
		entry_free(&one);
		return no_memory();
	}
	one.cert = cert;
	one.crl = crl;
	/* OpenSSL keeps what it reads of the extensions in the certificate: now, and not when many
	 * threads look at it for the first time. Whether it is any good is judged with each chain. */
	if (cert != NULL) {
		(void)X509_check_purpose(cert, -1, 0);
		name_text(X509_get_subject_name(cert), one.subject, sizeof(one.subject));
	}
	entries->at[entries->n++] = one;
	return OK;
}

static int compare_entries(const void *a, const void *b)
{
	const struct trust_entry *one = a, *other = b;
	int names =
		X509_NAME_cmp(X509_get_subject_name(one->cert), X509_get_subject_name(other->cert));
	int ends;

	if (names != 0)
		return names;
	if (one->role != other->role)
		return one->role < other->role ? -1 : 1;
	/* The one that ends last is the likeliest to be good, and is tried first. */
	if ((ends = ASN1_TIME_compare(
		     X509_get0_notAfter(other->cert), X509_get0_notAfter(one->cert))) == -1 ||
		ends == 1)
		return ends;
	return memcmp(one->sha256, other->sha256, SHA256_SIZE);
}

size_t trust_find(const struct trust *trust, const X509_NAME *subject)
{
	size_t low = 0, high = trust->certificates.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const X509 *cert = trust->certificates.at[middle].cert;

		if (X509_NAME_cmp(X509_get_subject_name(cert), subject) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool trust_is_named(const struct trust *trust, size_t at, const X509_NAME *subject)
{
	return at < trust->certificates.n &&
	       X509_NAME_cmp(X509_get_subject_name(trust->certificates.at[at].cert), subject) == 0;
}

static int compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_SIZE);
}

static enum err digest_entries(
	const struct trust_entries *entries, uint8_t (*out)[SHA256_SIZE], size_t *n)
{
	static const char *const roles[] = {"anchor", "hint", "crl"};

	for (size_t i = 0; i < entries->n; i++) {
		const struct trust_entry *one = &entries->at[i];
		bool is_root = one->role == TRUST_ROOT;

		TRY(SHA256_OF(out[(*n)++], view_str(roles[one->role]),
			view_str(is_root ? trust_class_text(one->class) : ""), view_str(":"),
			view_str(is_root ? one->manufacturers : ""), view_str(":"),
			VIEW(one->sha256)));
	}
	return OK;
}

/* Independent of file names and order: who may end a chain, as which class, for whom, helped by
 * whom, and what is held against it. */
static enum err compute_version(struct trust *trust)
{
	size_t n = trust->certificates.n + trust->crls.n + 1, used = 0;
	AUTO(mem_free) uint8_t(*digests)[SHA256_SIZE] = calloc(n, SHA256_SIZE);

	if (digests == NULL)
		return no_memory();
	TRY(digest_entries(&trust->certificates, digests, &used));
	TRY(digest_entries(&trust->crls, digests, &used));
	TRY(vendors_digest(trust->vendors, digests[used]));
	qsort(digests, n, SHA256_SIZE, compare_digests);
	return SHA256_OF(trust->version, ((struct view){digests[0], n * SHA256_SIZE}));
}

void trust_tell(const struct trust_teller *teller, const char *path, const char *fmt, ...)
{
	char words[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	/* What is too much for the buffer is not remembered, and still told. */
	buf_fmt(&teller->trust->skipped, "%s: %s\n", path, words);
	if (teller->skipped != NULL)
		teller->skipped(teller->ctx, path, words);
}

/* A CRL that a CA of the set disowns would only stand in the way. */
static enum err examine_crls(struct trust *trust, const struct trust_teller *teller)
{
	struct trust_entries *crls = &trust->crls;

	for (size_t i = 0; i < crls->n;) {
		if (crl_examine(trust, &crls->at[i]) == OK) {
			i++;
			continue;
		}
		if (why()->err == ERR_INTERNAL && strcmp(why()->code, "crl") != 0)
			return why()->err;
		trust_tell(teller, crls->at[i].source, "%s", why()->sentence);
		entry_free(&crls->at[i]);
		crls->at[i] = crls->at[--crls->n];
	}
	return OK;
}

static int compare_moments(const void *a, const void *b)
{
	const int64_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

static void add_crl_moments(struct trust *trust, const X509_CRL *crl)
{
	const ASN1_TIME *const times[] = {
		X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_nextUpdate(crl)};
	struct tm tm;

	for (size_t i = 0; i < COUNT(times); i++)
		if (times[i] != NULL && ASN1_TIME_to_tm(times[i], &tm) == 1)
			trust->moments[trust->moments_n++] = timegm(&tm);
}

/* A certificate with a date that is none is refused at any time. */
static enum err note_moments(struct trust *trust)
{
	const struct trust_entries *certificates = &trust->certificates, *crls = &trust->crls;
	int64_t from, until;

	trust->moments = calloc(2 * (certificates->n + crls->n) + 1, sizeof(trust->moments[0]));
	if (trust->moments == NULL)
		return no_memory();
	for (size_t i = 0; i < certificates->n; i++)
		if (cert_validity(certificates->at[i].cert, &from, &until) == OK) {
			trust->moments[trust->moments_n++] = from;
			trust->moments[trust->moments_n++] = until;
		}
	for (size_t i = 0; i < crls->n; i++)
		add_crl_moments(trust, crls->at[i].crl);
	qsort(trust->moments, trust->moments_n, sizeof(trust->moments[0]), compare_moments);
	return OK;
}

int64_t trust_next_moment(const struct trust *trust, int64_t now)
{
	size_t low = 0, high = trust->moments_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (trust->moments[middle] < now)
			low = middle + 1;
		else
			high = middle;
	}
	return low < trust->moments_n ? trust->moments[low] : INT64_MAX;
}

enum err trust_settle(struct trust *trust, const struct trust_teller *teller)
{
	if (trust->vendors == NULL && (trust->vendors = vendors_make()) == NULL)
		return no_memory();
	if (trust->certificates.n > 0)
		qsort(trust->certificates.at, trust->certificates.n,
			sizeof(trust->certificates.at[0]), compare_entries);
	TRY(examine_crls(trust, teller));
	TRY(note_moments(trust));
	return compute_version(trust);
}

enum err trust_load(const struct trust_source *sources, size_t n, trust_skipped *skipped, void *ctx,
	struct trust **out)
{
	AUTO(trust_free) struct trust *trust = NULL;
	struct trust_teller teller = {NULL, skipped, ctx};

	TRY(trust_make(&trust));
	teller.trust = trust;
	if (n == 0 || n > SOURCES_MAX)
		return fail(ERR_INTERNAL, "trust-empty", "%zu trust sources: wanted 1 to %d", n,
			SOURCES_MAX);
	for (size_t i = 0; i < n; i++)
		TRY(trust_load_source(trust, &sources[i], &teller));
	TRY(trust_settle(trust, &teller));
	*out = MOVE(trust);
	return OK;
}

static enum err keep_all(struct trust *trust, const struct trust_entries *entries)
{
	for (size_t i = 0; i < entries->n; i++) {
		const struct trust_entry *one = &entries->at[i];
		const struct trust_item what = {
			one->role, one->class, {NULL, 0}, one->manufacturers, one->source};

		TRY(trust_keep(trust, &what, one->cert, one->crl));
	}
	return OK;
}

static enum err keep_item(
	struct trust *trust, const struct trust_item *item, const struct trust_teller *teller)
{
	AUTO(x509_free) X509 *cert = NULL;
	AUTO(crl_free) X509_CRL *crl = NULL;
	enum err err = item->role == TRUST_CRL ? crl_read(item->der, &crl)
					       : certificate_read(item->der, &cert);

	if (err == OK && cert != NULL)
		err = trust_takes(item->role, cert);
	if (err == OK)
		return trust_keep(trust, item, cert, crl);
	trust_tell(teller, item->source, "%s", why()->sentence);
	return OK;
}

enum err trust_add(const struct trust *base, const struct trust_item *items, size_t n,
	trust_skipped *skipped, void *ctx, struct trust **out)
{
	AUTO(trust_free) struct trust *trust = NULL;
	struct trust_teller teller = {NULL, skipped, ctx};

	TRY(trust_make(&trust));
	teller.trust = trust;
	if (base != NULL) {
		trust->vendors = vendors_share(base->vendors);
		buf_add(&trust->skipped, buf_view(&base->skipped));
		TRY(keep_all(trust, &base->certificates));
		TRY(keep_all(trust, &base->crls));
	}
	for (size_t i = 0; i < n; i++)
		TRY(keep_item(trust, &items[i], &teller));
	TRY(trust_settle(trust, &teller));
	*out = MOVE(trust);
	return OK;
}

static enum err each_entry(const struct trust_entries *entries,
	enum err (*each)(void *ctx, const struct trust_item *item), void *ctx)
{
	for (size_t i = 0; i < entries->n; i++) {
		const struct trust_entry *one = &entries->at[i];
		AUTO(ossl_free) uint8_t *der = NULL;
		int n = one->cert != NULL ? i2d_X509(one->cert, &der)
					  : i2d_X509_CRL(one->crl, &der);

		if (n <= 0)
			return fail(ERR_INTERNAL, "crypto", "cannot encode a certificate or CRL");
		TRY(each(ctx, &(struct trust_item){one->role, one->class, {der, (size_t)n},
				      one->manufacturers, one->source}));
	}
	return OK;
}

enum err trust_each(const struct trust *trust,
	enum err (*each)(void *ctx, const struct trust_item *item), void *ctx)
{
	TRY(each_entry(&trust->certificates, each, ctx));
	return each_entry(&trust->crls, each, ctx);
}

const uint8_t *trust_version(const struct trust *trust)
{
	return trust->version;
}

const char *trust_bundle_version(const struct trust *trust)
{
	return vendors_version(trust->vendors);
}

const char *trust_bundle_words(const struct trust *trust)
{
	return trust_bundle_version(trust)[0] == '\0' ? "none" : trust_bundle_version(trust);
}

const char *trust_passed_over(const struct trust *trust)
{
	return buf_text(&trust->skipped);
}

void trust_each_crl(
	const struct trust *trust, void (*each)(void *ctx, const X509_CRL *crl), void *ctx)
{
	for (size_t i = 0; i < trust->crls.n; i++)
		each(ctx, trust->crls.at[i].crl);
}

void trust_each_root(
	const struct trust *trust, void (*each)(void *ctx, const X509 *root), void *ctx)
{
	for (size_t i = 0; i < trust->certificates.n; i++)
		if (trust->certificates.at[i].role == TRUST_ROOT)
			each(ctx, trust->certificates.at[i].cert);
}

const X509 *trust_signer(const struct trust_entry *entry)
{
	return __atomic_load_n(&entry->known_signer, __ATOMIC_ACQUIRE);
}

void trust_note_signer(const struct trust_entry *entry, const X509 *signer)
{
	__atomic_store_n((const X509 **)&entry->known_signer, signer, __ATOMIC_RELEASE);
}
