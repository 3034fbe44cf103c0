#include "enroll/tpm/trust.h"

#include "ca/base/cert.h"
#include "ca/base/crypt.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "enroll/tpm/certfile.h"
#include "enroll/tpm/public.h"
#include "enroll/tpm/verdict.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 4
#define SOURCES_MAX 64
#define CHAINS_REMEMBERED 1024

/* A root and where it came from. The store holds the certificate, this says what it is worth. */
struct anchor {
	uint8_t digest[SHA256_SIZE];
	size_t source;
};

struct source {
	char name[64];
	enum trust_class class;
};

struct trust {
	X509_STORE *anchors; /* nothing but roots: PARTIAL_CHAIN may end a chain at any of them */
	STACK_OF(X509) *intermediates; /* hints; a chain never ends here */
	struct anchor *anchor;
	size_t anchor_n;
	struct source source[SOURCES_MAX];
	size_t source_n;
	uint8_t version[SHA256_SIZE];
	struct verdicts *verdicts; /* by these anchors: it goes with them */
};

const char *const trust_class_words[] = {
	[TRUST_MANUFACTURER] = "manufacturer",
	[TRUST_OPERATOR_IMPORT] = "operator-import",
	[TRUST_ALLOW_LIST] = "allow-list",
	[TRUST_APPROVED] = "approved",
	[TRUST_UNPROVEN] = "unproven-root",
	NULL,
};

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

/* What one source is being loaded into. */
struct loading {
	struct trust *trust;
	trust_skipped *skipped;
	void *ctx;
	size_t source;
	bool is_root;
};

static enum err add_anchor(struct trust *trust, X509 *cert, size_t source)
{
	struct anchor *grown =
		realloc(trust->anchor, (trust->anchor_n + 1) * sizeof(*trust->anchor));
	unsigned int n = 0;

	if (grown == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "trust_load");
	trust->anchor = grown;
	if (X509_digest(cert, EVP_sha256(), grown[trust->anchor_n].digest, &n) != 1 ||
		X509_STORE_add_cert(trust->anchors, cert) != 1)
		return fail(ERR_INTERNAL, "crypto", "cannot keep a root certificate");
	grown[trust->anchor_n++].source = source;
	return OK;
}

/* certificate_each() calls this for every certificate of a file. */
static enum err add_certificate(void *ctx, X509 *cert)
{
	const struct loading *loading = ctx;

	/* OpenSSL keeps what it reads of the extensions in the certificate: now, and not when many
	 * threads look at it for the first time. Whether it is any good is judged with each chain. */
	(void)X509_check_purpose(cert, -1, 0);
	if (loading->is_root)
		return add_anchor(loading->trust, cert, loading->source);
	if (X509_up_ref(cert) != 1 || sk_X509_push(loading->trust->intermediates, cert) <= 0)
		return fail(ERR_INTERNAL, "out-of-memory", "trust_load");
	return OK;
}

static enum err load_file(const struct loading *loading, const char *path)
{
	AUTO(buf_free) struct buf bytes = BUF(1 << 20);
	enum err err = file_read(path, &bytes);

	if (err == OK)
		err = certificate_each(buf_view(&bytes), add_certificate, (void *)loading);
	if (err == ERR_INTERNAL && strcmp(why()->code, "out-of-memory") == 0)
		return err;
	if (err != OK && loading->skipped != NULL)
		loading->skipped(loading->ctx, path, why()->sentence);
	return OK;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static enum err load_directory(const struct loading *loading, const char *dir)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, is_visible, alphasort);
	enum err err = OK;

	if (n < 0)
		return fail(ERR_INTERNAL, "trust-directory", "%s: %s", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		AUTO(mem_free) char *path = path_join(dir, entries[i]->d_name);

		if (err == OK)
			err = path == NULL ? fail(ERR_INTERNAL, "out-of-memory", "trust_load")
					   : load_file(loading, path);
		free(entries[i]);
	}
	free(entries);
	return err;
}

static enum err load_source(
	struct trust *trust, const struct trust_source *from, trust_skipped *skipped, void *ctx)
{
	struct loading loading = {trust, skipped, ctx, trust->source_n, true};
	struct source *source = &trust->source[trust->source_n++];
	size_t before = trust->anchor_n;

	snprintf(source->name, sizeof(source->name), "%s", from->name);
	source->class = from->class;
	TRY(load_directory(&loading, from->roots));
	if (trust->anchor_n == before)
		return fail(ERR_INTERNAL, "trust-empty",
			"trust source \"%s\": %s holds no root certificate", from->name,
			from->roots);
	loading.is_root = false;
	return from->intermediates == NULL ? OK : load_directory(&loading, from->intermediates);
}

static int compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_SIZE);
}

/* Independent of file names and order: who may end a chain, as which class, helped by whom. */
static enum err compute_version(struct trust *trust)
{
	size_t hints = (size_t)sk_X509_num(trust->intermediates), n = trust->anchor_n + hints;
	AUTO(mem_free) uint8_t(*digests)[SHA256_SIZE] = calloc(n, SHA256_SIZE);
	uint8_t one[SHA256_SIZE];
	unsigned int size = 0;

	if (digests == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "trust_load");
	for (size_t i = 0; i < trust->anchor_n; i++) {
		const struct source *source = &trust->source[trust->anchor[i].source];

		TRY(SHA256_OF(digests[i], view_str("anchor"),
			view_str(trust_class_text(source->class)), VIEW(trust->anchor[i].digest)));
	}
	for (size_t i = 0; i < hints; i++) {
		if (X509_digest(sk_X509_value(trust->intermediates, (int)i), EVP_sha256(), one,
			    &size) != 1)
			return fail(ERR_INTERNAL, "crypto", "cannot digest a certificate");
		TRY(SHA256_OF(digests[trust->anchor_n + i], view_str("hint"), VIEW(one)));
	}
	qsort(digests, n, SHA256_SIZE, compare_digests);
	return SHA256_OF(trust->version, ((struct view){digests[0], n * SHA256_SIZE}));
}

enum err trust_load(const struct trust_source *sources, size_t n, trust_skipped *skipped, void *ctx,
	struct trust **out)
{
	AUTO(trust_free) struct trust *trust = calloc(1, sizeof(*trust));

	if (trust == NULL || (trust->anchors = X509_STORE_new()) == NULL ||
		(trust->intermediates = sk_X509_new_null()) == NULL ||
		(trust->verdicts = verdicts_make(CHAINS_REMEMBERED)) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "trust_load");
	if (n == 0 || n > SOURCES_MAX)
		return fail(ERR_INTERNAL, "trust-empty", "%zu trust sources: wanted 1 to %d", n,
			SOURCES_MAX);
	for (size_t i = 0; i < n; i++)
		TRY(load_source(trust, &sources[i], skipped, ctx));
	TRY(compute_version(trust));
	*out = MOVE(trust);
	return OK;
}

void trust_free(struct trust **trust)
{
	if (*trust == NULL)
		return;
	X509_STORE_free((*trust)->anchors);
	sk_X509_pop_free((*trust)->intermediates, X509_free);
	verdicts_free(&(*trust)->verdicts);
	free((*trust)->anchor);
	free(*trust);
	*trust = NULL;
}

const uint8_t *trust_version(const struct trust *trust)
{
	return trust->version;
}

void trust_each_root(
	const struct trust *trust, void (*each)(void *ctx, const X509 *root), void *ctx)
{
	const STACK_OF(X509_OBJECT) *objects;

	/* The first search of another thread sorts them. */
	if (X509_STORE_lock(trust->anchors) != 1)
		return;
	objects = X509_STORE_get0_objects(trust->anchors);
	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		const X509 *root = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

		if (root != NULL)
			each(ctx, root);
	}
	X509_STORE_unlock(trust->anchors);
}

static enum err bad_chain(size_t i, const char *what)
{
	return refuse(ERR_REJECTED, "ek-chain", "PROTOCOL limits", "certificate %zu of ek.chain %s",
		i + 1, what);
}

static bool holds(const STACK_OF(X509) *stack, const X509 *cert)
{
	for (int i = 0; i < sk_X509_num(stack); i++)
		if (X509_cmp(sk_X509_value(stack, i), cert) == 0)
			return true;
	return false;
}

/* The device's own intermediates, each judged before any signature is computed with its key. */
static enum err read_sent(const struct view *sent, size_t n, STACK_OF(X509) *stack)
{
	for (size_t i = 0; i < n; i++) {
		X509 *cert = NULL;
		enum key_kind kind;

		if (certificate_read(sent[i], &cert) != OK)
			return bad_chain(i, "is not a DER certificate");
		if (holds(stack, cert)) {
			X509_free(cert);
			return bad_chain(i, "is there twice");
		}
		if (sk_X509_push(stack, cert) <= 0) {
			X509_free(cert);
			return fail(ERR_INTERNAL, "out-of-memory", "trust_verify");
		}
		if (X509_get0_pubkey(cert) == NULL ||
			key_kind_of(X509_get0_pubkey(cert), &kind) != OK)
			return bad_chain(i, "has a key of unusual size or kind");
	}
	return OK;
}

static STACK_OF(X509) *all_hints(const struct trust *trust, STACK_OF(X509) *sent)
{
	STACK_OF(X509) *all = sk_X509_dup(sent);

	for (int i = 0; all != NULL && i < sk_X509_num(trust->intermediates); i++)
		if (sk_X509_push(all, sk_X509_value(trust->intermediates, i)) <= 0) {
			sk_X509_free(all);
			return NULL;
		}
	return all;
}

static enum err not_verified(X509_STORE_CTX *ctx)
{
	int code = X509_STORE_CTX_get_error(ctx);
	const X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	char name[256] = "(no certificate)", issuer[256] = "";

	if (cert != NULL) {
		name_text(X509_get_subject_name(cert), name, sizeof(name));
		name_text(X509_get_issuer_name(cert), issuer, sizeof(issuer));
	}
	if (code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID)
		return refuse(ERR_REJECTED, "ek-expired", "RFC 5280 6.1.3 (a)(2)",
			"%s is outside its validity period: %s", name,
			X509_verify_cert_error_string(code));
	return refuse(ERR_REJECTED, "ek-untrusted", "RFC 5280 6.1",
		"the EK certificate leads to no root that this service trusts: %s at \"%s\", "
		"issued by \"%s\"; if this manufacturer is to be trusted, ask the operator to "
		"import its root",
		X509_verify_cert_error_string(code), name, issuer);
}

static enum err describe(
	const struct trust *trust, X509_STORE_CTX *ctx, struct trust_verdict *verdict)
{
	const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	AUTO(buf_free) struct buf text = BUF(TRUST_CHAIN_TEXT - 1);
	uint8_t digest[SHA256_SIZE];
	unsigned int n = 0;
	int last = sk_X509_num(chain) - 1;

	for (int i = 1; i <= last; i++) {
		char name[256];

		name_text(X509_get_subject_name(sk_X509_value(chain, i)), name, sizeof(name));
		buf_fmt(&text, "%s%s", i > 1 ? "\n" : "", name);
	}
	if (last < 1 || X509_digest(sk_X509_value(chain, last), EVP_sha256(), digest, &n) != 1)
		return refuse(ERR_REJECTED, "ek-untrusted", "RFC 5280 6.1",
			"the EK certificate is itself among the roots");
	snprintf(verdict->chain, sizeof(verdict->chain), "%s", buf_text(&text));
	for (size_t i = 0; i < trust->anchor_n; i++)
		if (memcmp(trust->anchor[i].digest, digest, sizeof(digest)) == 0) {
			const struct source *source = &trust->source[trust->anchor[i].source];

			verdict->class = source->class;
			snprintf(verdict->source, sizeof(verdict->source), "%s", source->name);
			return OK;
		}
	return refuse(
		ERR_REJECTED, "ek-untrusted", "RFC 5280 6.1", "the chain ends at no root of ours");
}

static enum err verify_anew(const struct trust *trust, const struct trust_question *question,
	struct trust_verdict *verdict)
{
	AUTO(store_ctx_free) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	AUTO(x509_stack_free) STACK_OF(X509) *own = sk_X509_new_null();
	STACK_OF(X509) *hints;
	X509_VERIFY_PARAM *param;
	int verified;

	if (ctx == NULL || own == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "trust_verify");
	TRY(read_sent(question->sent, question->sent_n, own));
	if ((hints = all_hints(trust, own)) == NULL ||
		X509_STORE_CTX_init(ctx, trust->anchors, question->leaf, hints) != 1) {
		sk_X509_free(hints);
		return fail(ERR_INTERNAL, "out-of-memory", "trust_verify");
	}
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX - 1);
	X509_VERIFY_PARAM_set_auth_level(param, 1);
	X509_VERIFY_PARAM_set_time(param, (time_t)question->now);
	verified = X509_verify_cert(ctx);
	sk_X509_free(hints);
	return verified == 1 ? describe(trust, ctx, verdict) : not_verified(ctx);
}

enum err trust_verify(const struct trust *trust, const struct trust_question *question,
	struct trust_verdict *verdict)
{
	uint8_t key[SHA256_SIZE];

	TRY(verdict_key(question->leaf, question->sent, question->sent_n, key));
	if (verdict_recall(trust->verdicts, key, question->now, verdict))
		return OK;
	*verdict = (struct trust_verdict){0};
	TRY(verify_anew(trust, question, verdict));
	verdict_remember(trust->verdicts, key, question->now, verdict);
	return OK;
}

enum err trust_add(const struct trust *base, const struct trust_item *items, size_t n,
	trust_skipped *skipped, void *ctx, struct trust **out)
{
	(void)base, (void)items, (void)n, (void)skipped, (void)ctx, (void)out;
	return fail(ERR_INTERNAL, "not-built", "trust_add");
}

enum err trust_each(const struct trust *trust,
	enum err (*each)(void *ctx, const struct trust_item *item), void *ctx)
{
	(void)trust, (void)each, (void)ctx;
	return fail(ERR_INTERNAL, "not-built", "trust_each");
}
