#include "enroll/trust/revocation.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "enroll/trust/chain.h"
#include "enroll/trust/crl.h"
#include "enroll/trust/issuer.h"

#include <string.h>

struct looking {
	const struct trust *trust;
	const STACK_OF(X509) *sent;
	const struct path *path;
	bool is_whole;
	int64_t now;
	struct buf *old;
	size_t at; /* the certificate of the path that is looked up */
};

static X509 *cert_of(const struct looking *looking)
{
	return looking->path->step[looking->at].cert;
}

static bool is_replaced(const struct looking *looking, const struct trust_entry *crl)
{
	const struct trust_entries *crls = &looking->trust->crls;

	for (size_t i = 0; i < crls->n; i++)
		if (crl_replaces(&crls->at[i], crl, looking->now))
			return true;
	return false;
}

static enum err revoked(const struct looking *looking, const struct crl_revocation *revocation)
{
	char name[ISSUER_NAME], when[CLOCK_TEXT_SIZE] = "an unknown time";

	issuer_name(looking->path, looking->at, name);
	if (revocation->at >= 0)
		clock_text(revocation->at, when);
	return refuse(ERR_REJECTED, "ek-revoked", "RFC 5280 6.3",
		"%s was revoked by its issuer at %s (%s): the TPM's maker has the details", name,
		when, revocation->reason);
}

static enum err unverified(const struct looking *looking, const struct trust_entry *crl)
{
	char name[ISSUER_NAME], issuer[ISSUER_NAME];

	issuer_name(looking->path, looking->at, name);
	name_text(X509_CRL_get_issuer(crl->crl), issuer, sizeof(issuer));
	return refuse(ERR_REJECTED, "ek-chain", "RFC 5280 6.3.3",
		"whether %s is revoked cannot be told: the CRL of \"%s\" that this service has is "
		"signed by nobody that it knows; the operator is to replace the CRL, or to import "
		"its issuer's certificate",
		name, issuer);
}

static void note_old(const struct looking *looking, const struct trust_entry *crl)
{
	char name[ISSUER_NAME], when[CLOCK_TEXT_SIZE];
	int64_t due;

	if (looking->old->n > 0 || !crl_is_old(crl->crl, looking->now, &due) ||
		is_replaced(looking, crl))
		return;
	name_text(X509_CRL_get_issuer(crl->crl), name, sizeof(name));
	clock_text(due, when);
	buf_fmt(looking->old, "the CRL of \"%s\" was to be renewed by %s", name, when);
}

/* The certificate's own issuer's CRL. Another CA of that name has its own, by its key. */
static enum err look_direct(const struct looking *looking, const struct trust_entry *crl)
{
	X509 *issuer = looking->path->step[looking->at + 1].cert;
	struct crl_revocation revocation;

	/* Who signed it is the issuer, whichever of its certificates the CRL names. */
	if (!crl_is_of(crl->crl, issuer) && !crl->is_signed)
		return OK;
	if (!crl_is_signed_by(crl, issuer))
		return crl->is_signed ? OK : unverified(looking, crl);
	note_old(looking, crl);
	return crl_has(crl, cert_of(looking), &revocation) && !is_replaced(looking, crl)
		       ? revoked(looking, &revocation)
		       : OK;
}

static const struct path_step *root_of(const struct path *path)
{
	return &path->step[path->n - 1];
}

static bool is_same_ca(const X509 *one, const X509 *other)
{
	return X509_NAME_cmp(X509_get_subject_name(one), X509_get_subject_name(other)) == 0 &&
	       EVP_PKEY_eq(X509_get0_pubkey(one), X509_get0_pubkey(other)) == 1;
}

/* A path_judge: does the CRL's issuer have a chain to the root that the certificate has one to? */
static enum err judge_issuer(void *ctx, const struct path *path, bool is_whole)
{
	const struct looking *looking = ctx;
	struct path verified;

	if (is_whole && is_same_ca(root_of(path)->cert, root_of(looking->path)->cert))
		return chain_verify(path, &verified);
	return refuse(ERR_REJECTED, "ek-chain", "RFC 5280 6.3.3", "a CRL issuer of another root");
}

enum authority { UNKNOWN, OF_ANOTHER_ROOT, AUTHORITATIVE };

/* Is this certificate the CRL issuer's, and may it speak for the one that is looked up? */
static enum authority authority_of(
	struct looking *looking, const struct trust_entry *crl, X509 *issuer)
{
	const struct path *path = looking->path;

	if ((!crl_is_of(crl->crl, issuer) && !crl->is_signed) || !crl_is_signed_by(crl, issuer))
		return UNKNOWN;
	for (size_t i = looking->at + 1; i < path->n; i++)
		if (is_same_ca(path->step[i].cert, issuer))
			return AUTHORITATIVE;
	return path_search(looking->trust, looking->sent, issuer, judge_issuer, looking) == OK
		       ? AUTHORITATIVE
		       : OF_ANOTHER_ROOT;
}

static enum authority find_authority(struct looking *looking, const struct trust_entry *crl)
{
	const struct trust *trust = looking->trust;
	const X509_NAME *name = X509_CRL_get_issuer(crl->crl);
	enum authority best = UNKNOWN;

	for (size_t i = trust_find(trust, name); trust_is_named(trust, i, name); i++) {
		enum authority one = authority_of(looking, crl, trust->certificates.at[i].cert);

		best = one > best ? one : best;
	}
	for (int i = 0; best != AUTHORITATIVE && i < sk_X509_num(looking->sent); i++) {
		enum authority one = authority_of(looking, crl, sk_X509_value(looking->sent, i));

		best = one > best ? one : best;
	}
	return best;
}

/* A CRL of somebody else that has this very certificate, by its issuer's name. */
static enum err look_indirect(struct looking *looking, const struct trust_entry *crl)
{
	struct crl_revocation revocation;

	if (!looking->is_whole || !crl_has(crl, cert_of(looking), &revocation) ||
		!crl_is_indirect(crl->crl) || is_replaced(looking, crl))
		return OK;
	switch (find_authority(looking, crl)) {
	case AUTHORITATIVE:
		return revoked(looking, &revocation);
	case OF_ANOTHER_ROOT:
		return OK;
	case UNKNOWN:
	default:
		return unverified(looking, crl);
	}
}

static enum err look_up(struct looking *looking)
{
	const struct trust_entries *crls = &looking->trust->crls;
	const X509_NAME *issuer = X509_get_issuer_name(cert_of(looking));

	for (size_t i = 0; i < crls->n; i++) {
		const struct trust_entry *crl = &crls->at[i];

		if (X509_NAME_cmp(X509_CRL_get_issuer(crl->crl), issuer) == 0)
			TRY(look_direct(looking, crl));
		else
			TRY(look_indirect(looking, crl));
	}
	return OK;
}

enum err revocation_check(const struct trust *trust, const STACK_OF(X509) *sent,
	const struct path *path, bool is_whole, int64_t now, struct buf *old)
{
	struct looking looking = {trust, sent, path, is_whole, now, old, 0};

	for (; looking.at + 1 < path->n; looking.at++)
		TRY(look_up(&looking));
	return OK;
}
