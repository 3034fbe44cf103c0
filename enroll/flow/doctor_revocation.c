#include "enroll/flow/doctor_revocation.h"

#include "ca/base/clock.h"
#include "db/freshness.h"
#include "enroll/flow/expiry.h"
#include "enroll/flow/publication.h"

#include <stdlib.h>
#include <string.h>

#define AREA "revocation"
#define RESPONDER_LEFT                                                                             \
	(2 * DAY) /* one has 7 days, and the next is made when 2/3 of them are over */

static void examine_crls(const struct freshness *fresh, struct findings *findings)
{
	if (fresh->crl_overdue > 0)
		finding_add(findings, AREA, FINDING_FAIL,
			"%lld CRL(s) are past their next update: relying parties that check refuse "
			"every certificate that names them; the log says why no server makes new "
			"ones (publishing.)",
			(long long)fresh->crl_overdue);
	if (fresh->crl_behind > 0)
		finding_add(findings, AREA, FINDING_WARN,
			"%lld CRL(s) do not say yet what was revoked: that takes 2 s, and longer "
			"after a mass revocation; where the number does not fall, the log says why "
			"(publishing.)",
			(long long)fresh->crl_behind);
	if (fresh->crl_overdue == 0 && fresh->crl_behind == 0)
		finding_add(findings, AREA, FINDING_OK, "%lld CRL(s), all up to date",
			(long long)fresh->crl_shards);
}

static void examine_krl(const struct freshness *fresh, struct findings *findings)
{
	if (fresh->krl_at > 0 && fresh->krl_behind)
		finding_add(findings, AREA, FINDING_WARN,
			"the OpenSSH KRL does not say yet what was revoked: where that stays so, "
			"the log says why (publishing.)");
}

static void examine_responders(const struct service *service, int64_t now,
	const struct freshness *fresh, struct findings *findings)
{
	for (size_t i = 0; i < fresh->responders_n; i++) {
		int64_t left = fresh->responders[i].until - now;

		if (!expiry_is_of_ours(service, fresh->responders[i].issuer) ||
			left >= RESPONDER_LEFT)
			continue;
		finding_add(findings, AREA, left <= 0 ? FINDING_FAIL : FINDING_WARN,
			"the certificate that signs OCSP answers %s, and no server has made the "
			"next one: does the CA's key sign, and what does the log say (ocsp.)?",
			left <= 0 ? "has ended" : "ends within two days");
	}
}

static void examine_former(const struct service *service, int64_t now, struct findings *findings)
{
	struct signer_issuer issuer;
	char when[CLOCK_TEXT_SIZE];

	for (size_t i = 0; signer_issuer(service->signer, i, &issuer); i++) {
		if (issuer.kind != TEMPLATE_X509 || issuer.issues)
			continue;
		clock_text(issuer.not_after, when);
		if (issuer.not_after <= now)
			finding_add(findings, AREA, FINDING_WARN,
				"a former CA ended at %s, and nothing that it issued is valid any "
				"more: take it out of former_cas",
				when);
		else
			finding_add(findings, AREA, FINDING_OK,
				"a former CA tells until %s what of it was revoked", when);
	}
}

/* Each of them is in certificates, for their whole life. */
static void examine_urls(const struct service *service, struct findings *findings)
{
	const char *url = publication_base(service);

	finding_add(findings, AREA, FINDING_OK, "certificates name %s for CRLs and OCSP%s", url,
		strncmp(url, "https://", strlen("https://")) == 0
			? "; many relying parties fetch these by plain HTTP only: for those, "
			  "public_url names an http:// address of the edge"
			: "");
}

void doctor_revocation(const struct service *service, int64_t now, struct findings *findings)
{
	AUTO(mem_free) struct freshness *fresh = calloc(1, sizeof(*fresh));

	examine_urls(service, findings);
	examine_former(service, now, findings);
	/* Why the database cannot be asked was told of the database. */
	if (fresh == NULL || freshness_read(service->db, fresh) != OK)
		return;
	examine_crls(fresh, findings);
	examine_krl(fresh, findings);
	examine_responders(service, now, fresh, findings);
}
