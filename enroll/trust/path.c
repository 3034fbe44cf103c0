#include "enroll/trust/path.h"

#include "ca/base/cert.h"
#include "enroll/trust/issuer.h"

#include <openssl/x509v3.h>
#include <string.h>

struct search {
	const struct trust *trust;
	const STACK_OF(X509) *sent;
	path_judge *judge;
	void *ctx;
	struct path path;
	/* The signatures that were computed: of which certificate, with whose key. */
	struct check {
		const X509 *of, *by;
		bool is_good;
	} check[PATH_CHECKS];
	unsigned checks;
	unsigned judged; /* paths */
	struct kept_reason telling;
	int rank; /* of what is kept; 0: nothing yet */
};

/* What the certificates of one issuer's name came to. */
struct level {
	bool is_signed; /* one of them has signed the last certificate of the path */
	const X509 *other; /* one that has not, and why */
	int code;
	bool is_spent;
};

/* The later ones tell more: they were found out by going further. */
static int rank_of(const char *code)
{
	static const char *const codes[] = {"ek-untrusted", "ek-signature", "ek-chain", "ek-weak",
		"ek-not-yet-valid", "ek-expired", "ek-manufacturer", "ek-revoked"};

	for (size_t i = 0; i < COUNT(codes); i++)
		if (strcmp(codes[i], code) == 0)
			return (int)i + 1;
	return 0;
}

/* Keeps a refusal that tells more than those before, and lets the search go on. */
static enum err note(struct search *search, enum err err)
{
	int rank;

	if (err != ERR_REJECTED)
		return err;
	rank = rank_of(why()->code);
	if (rank > search->rank) {
		reason_keep(&search->telling);
		search->rank = rank;
	}
	return ERR_REJECTED;
}

static X509 *last_of(const struct search *search)
{
	return search->path.step[search->path.n - 1].cert;
}

static bool is_in_path(const struct search *search, const X509 *cert)
{
	for (size_t i = 0; i < search->path.n; i++)
		if (search->path.step[i].cert == cert ||
			X509_cmp(search->path.step[i].cert, cert) == 0)
			return true;
	return false;
}

static enum err climb(struct search *search);

static enum err too_many(struct search *search)
{
	return note(search, refuse(ERR_REJECTED, "ek-chain", "PROTOCOL limits",
				    "too many certificates of one name: %d signatures and %d paths "
				    "were tried, and "
				    "none leads to a trusted root",
				    PATH_CHECKS, PATH_JUDGED));
}

/* Certificates of one key that certify each other make dozens of paths of a few signatures. */
static enum err judge_path(struct search *search, bool is_whole)
{
	if (search->judged++ >= PATH_JUDGED)
		return too_many(search);
	return note(search, search->judge(search->ctx, &search->path, is_whole));
}

static enum err step_up(struct search *search, X509 *cert, const struct trust_entry *entry)
{
	struct path *path = &search->path;
	enum err err;

	path->step[path->n++] = (struct path_step){cert, entry};
	err = entry != NULL && entry->role == TRUST_ROOT ? judge_path(search, true) : climb(search);
	path->n--;
	return err;
}

/* The certificate says by which key it was issued, and it is none of those that are known. */
static bool is_other_key(int code)
{
	return code == X509_V_ERR_AKID_SKID_MISMATCH ||
	       code == X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH;
}

/* Certificates of one key are several in the field; its signature is computed once. */
static const struct check *recall(const struct search *search, const X509 *cert)
{
	for (unsigned i = 0; i < search->checks; i++)
		if (search->check[i].of == last_of(search) &&
			EVP_PKEY_eq(
				X509_get0_pubkey(search->check[i].by), X509_get0_pubkey(cert)) == 1)
			return &search->check[i];
	return NULL;
}

/* NULL when there were too many. */
static const struct check *check(struct search *search, const X509 *cert)
{
	X509 *last = last_of(search);
	EVP_PKEY *key = X509_get0_pubkey(cert);
	const struct check *known = key == NULL ? NULL : recall(search, cert);
	struct check *new;

	if (known != NULL)
		return known;
	if (search->checks == PATH_CHECKS)
		return NULL;
	new = &search->check[search->checks++];
	*new = (struct check){last, cert, cert_is_signed_by(last, key)};
	return new;
}

enum signature { GOOD, BAD, NOT_COMPUTED };

/* Has it signed the last certificate of the path? What one of ours has signed for another is known soon. */
static enum signature judge_signature(
	struct search *search, const X509 *cert, const struct trust_entry *entry)
{
	const struct trust_entry *last = search->path.step[search->path.n - 1].entry;
	bool is_among_ours = entry != NULL && last != NULL;
	const struct check *done;

	if (is_among_ours && trust_signer(last) == cert)
		return GOOD;
	if ((done = check(search, cert)) == NULL)
		return NOT_COMPUTED;
	if (is_among_ours && done->is_good)
		trust_note_signer(last, cert);
	return done->is_good ? GOOD : BAD;
}

/* One that has the name: has it signed the last certificate of the path, and where does it lead? */
static enum err try_issuer(
	struct search *search, struct level *level, X509 *cert, const struct trust_entry *entry)
{
	enum signature signature = GOOD;
	int code;

	if (is_in_path(search, cert))
		return ERR_REJECTED;
	code = X509_check_issued(cert, last_of(search));
	if (code == X509_V_OK)
		signature = judge_signature(search, cert, entry);
	if (signature == NOT_COMPUTED) {
		level->is_spent = true;
		return ERR_REJECTED;
	}
	if (signature == BAD)
		code = X509_V_ERR_CERT_SIGNATURE_FAILURE;
	if (code == X509_V_OK) {
		level->is_signed = true;
		return step_up(search, cert, entry);
	}
	/* A key that should have signed and did not says more than another key. */
	if (level->other == NULL || is_other_key(level->code)) {
		level->other = cert;
		level->code = code;
	}
	return ERR_REJECTED;
}

/* Those that the service has; an EK certificate among them leads nowhere. */
static enum err try_ours(struct search *search, struct level *level, const X509_NAME *name)
{
	const struct trust *trust = search->trust;

	for (size_t i = trust_find(trust, name); trust_is_named(trust, i, name); i++) {
		const struct trust_entry *entry = &trust->certificates.at[i];
		enum err err = try_issuer(search, level, entry->cert, entry);

		if (err != ERR_REJECTED)
			return err;
	}
	return ERR_REJECTED;
}

/* One that the service has too was tried. */
static bool is_ours(const struct trust *trust, const X509 *cert)
{
	const X509_NAME *name = X509_get_subject_name(cert);

	for (size_t i = trust_find(trust, name); trust_is_named(trust, i, name); i++)
		if (X509_cmp(trust->certificates.at[i].cert, cert) == 0)
			return true;
	return false;
}

static enum err try_sent(struct search *search, struct level *level, const X509_NAME *name)
{
	for (int i = 0; i < sk_X509_num(search->sent); i++) {
		X509 *cert = sk_X509_value(search->sent, i);
		enum err err;

		if (X509_NAME_cmp(X509_get_subject_name(cert), name) != 0 ||
			is_ours(search->trust, cert))
			continue;
		if ((err = try_issuer(search, level, cert, NULL)) != ERR_REJECTED)
			return err;
	}
	return ERR_REJECTED;
}

/* Nothing leads up from here. */
static enum err dead_end(struct search *search, const struct level *level)
{
	if (level->is_spent)
		return too_many(search);
	if (level->is_signed)
		return ERR_REJECTED;
	if (level->other != NULL && !is_other_key(level->code))
		return note(search, issuer_differs(&search->path, level->other, level->code));
	if (judge_path(search, false) == ERR_INTERNAL)
		return ERR_INTERNAL;
	return note(search, level->other == NULL
				    ? issuer_unknown(&search->path)
				    : issuer_differs(&search->path, level->other, level->code));
}

static enum err climb(struct search *search)
{
	const X509_NAME *name = X509_get_issuer_name(last_of(search));
	struct level level = {.code = X509_V_OK};
	enum err err;

	if (search->path.n > PATH_ABOVE)
		return note(
			search, refuse(ERR_REJECTED, "ek-chain", "PROTOCOL limits",
					"more than %d certificates above the EK's", PATH_ABOVE));
	if ((err = try_ours(search, &level, name)) == ERR_REJECTED)
		err = try_sent(search, &level, name);
	return err == ERR_REJECTED ? dead_end(search, &level) : err;
}

enum err path_search(const struct trust *trust, const STACK_OF(X509) *sent, X509 *first,
	path_judge *judge, void *ctx)
{
	struct search search = {.trust = trust, .sent = sent, .judge = judge, .ctx = ctx};
	enum err err;

	search.path.step[search.path.n++].cert = first;
	err = climb(&search);
	return err == ERR_REJECTED && search.rank > 0 ? reason_again(&search.telling) : err;
}
