#include "enroll/flow/grants.h"

#include "ca/base/encode.h"

#include <stdio.h>
#include <string.h>

/* Where `endorsed` serves certificates by their digest; with 64 digits behind. */
#define PUBLISHED "/v1/certificates/"

void grants_free(struct grants *grants)
{
	for (size_t i = 0; i < LIMIT_KEYS; i++)
		issued_free(&grants->item[i].issued);
	grants->n = 0;
}

/* NULL: nothing has proven it. */
static const char *proven(const char *fact)
{
	return fact[0] == '\0' ? NULL : fact;
}

static void note_labels(const struct enrollment_facts *facts, struct grants *out)
{
	for (size_t i = 0; i < facts->labels_n; i++)
		out->labels[i] =
			(struct grant_label){facts->labels[i].name, facts->labels[i].value};
}

static void state(const struct evidence *evidence, struct grants *grants, struct granted *out)
{
	const struct certified *certified = evidence->certified;
	const struct tpm_name *name;

	/* A template that takes any key states nothing of where it is. */
	if (certified == NULL || template_key(evidence->tmpl) != TEMPLATE_KEY_CERTIFIED)
		return;
	name = certified_name(certified);
	out->statement = (struct grant_evidence){
		.name = {name->bytes, name->n},
		.public = certified_area(certified),
		.attest = certified_attest(certified),
		.signature = certified_signature(certified),
		.ak_location = grants->ak_location,
	};
	out->grant.evidence = &out->statement;
}

static enum err grant_one(const struct grants_from *from, size_t i, struct grants *grants)
{
	const struct identity *identity = from->judgement->identity;
	const struct evidence *evidence = &from->evidence->item[i];
	struct granted *out = &grants->item[i];

	if (evidence->tmpl == NULL)
		return fail(ERR_INTERNAL, "template-unknown",
			"policy gives a template that the signer does not have");
	out->evidence = evidence;
	out->grant = (struct grant){
		.template = evidence->tmpl->name,
		.template_version = (unsigned)evidence->tmpl->version,
		.key = evidence->key,
		.host = from->judgement->host,
		.device_id = from->device_id,
		.trust_class = trust_class_text(identity_trust(identity)->class),
		.tpm_manufacturer = proven(identity_manufacturer(identity)),
		.tpm_model = proven(identity_model(identity)),
		.tpm_version = proven(identity_version(identity)),
		.organization = signer_organization(from->service->signer),
		.ek_digest = identity_ek_digest(identity),
		.ek_serial = proven(identity_serial(identity)),
		.labels = grants->labels,
		.labels_n = from->facts->labels_n,
	};
	state(evidence, grants, out);
	grants->n = i + 1;
	return grant_digest(&out->grant, out->digest);
}

static void locate(
	const struct service *service, const uint8_t sha256[static SHA256_SIZE], struct grants *out)
{
	char digits[2 * SHA256_SIZE + 1];

	hex_write((struct view){sha256, SHA256_SIZE}, digits);
	snprintf(out->ak_location, sizeof(out->ak_location), "%s" PUBLISHED "%s",
		publication_base(service), digits);
}

/* What only looks has drawn no place: it is shown how an answer would look. */
static void publish_at(
	const struct grants_from *from, size_t i, size_t taken, struct grants *grants)
{
	const char *drawn = from->facts->crl_base;
	const char *base = drawn[0] == '\0' ? publication_base(from->service) : drawn;
	struct granted *granted = &grants->item[i];

	granted->shard = from->facts->crl_shards[taken];
	publication_urls(
		from->service, base, granted->shard, granted->crl, grants->ocsp, grants->issuer);
	granted->grant.publication = (struct grant_publication){
		.crl = granted->crl, .ocsp = grants->ocsp, .issuer = grants->issuer};
}

/* That of this answer is not signed yet: until then any digest stands for it. */
static bool find_ak_certificate(const struct grants_from *from, struct grants *out)
{
	static const uint8_t not_yet[SHA256_SIZE];
	const struct enrollment_facts *facts = from->facts;

	for (size_t i = 0; i < from->evidence->n; i++)
		if (from->evidence->item[i].tmpl != NULL &&
			makes_ak_certificates(from->evidence->item[i].tmpl)) {
			locate(from->service, not_yet, out);
			return true;
		}
	for (size_t i = 0; i < facts->ak_certificates_n; i++) {
		const struct template *tmpl = signer_template_named(
			from->service->signer, facts->ak_certificates[i].template);

		if (tmpl != NULL && makes_ak_certificates(tmpl)) {
			locate(from->service, facts->ak_certificates[i].sha256, out);
			return true;
		}
	}
	return false;
}

static bool wants_ak_certificate(const struct evidence *evidence)
{
	return evidence->tmpl != NULL && evidence->tmpl->skae && evidence->certified != NULL;
}

static enum err judge_location(const struct grants_from *from, struct grants *out)
{
	bool is_there = find_ak_certificate(from, out);

	for (size_t i = 0; i < from->evidence->n; i++)
		if (wants_ak_certificate(&from->evidence->item[i]) && !is_there)
			return refuse(ERR_REJECTED, "template-needs-ak-certificate",
				"PROTOCOL request",
				"certificates by \"%s\" name that of the AK, and there is none in "
				"force: ask for one together with it (--template ak)",
				from->evidence->item[i].tmpl->name);
	return OK;
}

/* In the order of the statements that took them from the database. */
static void number(const struct grants_from *from, struct grants *grants)
{
	size_t ssh = 0, x509 = 0;

	for (size_t i = 0; i < grants->n; i++)
		if (template_kind(grants->item[i].evidence->tmpl) == TEMPLATE_X509) {
			publish_at(from, i, x509++, grants);
		} else {
			grants->item[i].shard = NO_SHARD;
			grants->item[i].grant.ssh_serial = from->facts->ssh_serials[ssh++];
		}
}

enum err grants_make(const struct grants_from *from, struct grants *out)
{
	note_labels(from->facts, out);
	for (size_t i = 0; i < from->evidence->n; i++)
		TRY(grant_one(from, i, out));
	TRY(judge_location(from, out));
	number(from, out);
	return OK;
}

enum err grants_judge(const struct grants_from *from, const struct grants *grants)
{
	for (size_t i = 0; i < grants->n; i++)
		TRY(signer_judge(from->service->signer, &grants->item[i].grant));
	return OK;
}

static const struct stored_certificate *find_recorded(
	const struct grants_from *from, const struct granted *granted)
{
	const struct enrollment_facts *facts = from->facts;

	for (size_t i = 0; i < facts->certificates_n; i++)
		if (memcmp(facts->grant_digest[i], granted->digest, SHA256_SIZE) == 0 &&
			signer_has_issued(
				from->service->signer, buf_view(&facts->certificates[i].der)))
			return &facts->certificates[i];
	return NULL;
}

void grants_find_recorded(const struct grants_from *from, struct grants *grants)
{
	for (size_t i = 0; i < grants->n; i++)
		grants->item[i].stored = find_recorded(from, &grants->item[i]);
}

struct view granted_certificate(const struct granted *granted)
{
	return granted->stored == NULL ? buf_view(&granted->issued.der)
				       : buf_view(&granted->stored->der);
}

static enum err sign(
	const struct grants_from *from, int64_t now, struct grants *grants, bool for_the_ak)
{
	struct signer *signer = from->service->signer;

	for (size_t i = 0; i < grants->n; i++) {
		struct granted *granted = &grants->item[i];

		if ((template_key(granted->evidence->tmpl) == TEMPLATE_KEY_AK) != for_the_ak)
			continue;
		if (granted->stored != NULL)
			TRY(signer_judge(signer, &granted->grant));
		else
			TRY(signer_issue(signer, &granted->grant, now, &granted->issued));
	}
	return OK;
}

/* Now that the AK's certificate of this answer is there, others can name it. */
static enum err name_ak_certificate(const struct grants_from *from, struct grants *grants)
{
	uint8_t digest[SHA256_SIZE];

	for (size_t i = 0; i < grants->n; i++)
		if (makes_ak_certificates(grants->item[i].evidence->tmpl)) {
			TRY(SHA256_OF(digest, granted_certificate(&grants->item[i])));
			locate(from->service, digest, grants);
			return OK;
		}
	return OK;
}

enum err grants_sign(const struct grants_from *from, int64_t now, struct grants *grants)
{
	TRY(sign(from, now, grants, true));
	TRY(name_ak_certificate(from, grants));
	return sign(from, now, grants, false);
}

size_t grants_new(const struct grants *grants)
{
	size_t n = 0;

	for (size_t i = 0; i < grants->n; i++)
		n += grants->item[i].stored == NULL;
	return n;
}
