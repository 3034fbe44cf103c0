#include "ca/specimen.h"

#include "ca/base/cert.h"
#include "ca/extra.h"
#include "ca/key.h"
#include "ca/lint_text.h"
#include "ca/san.h"
#include "ca/subject.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST "web-01"
#define DOMAIN "example.test"
#define ORGANIZATION "Example"
#define LABEL "${label."
#define SERVICE "https://endorse.example.test"
#define PUBLIC "http://endorse.example.test" /* RFC 5280 8: verifiers fetch by http */

/* The first DNS name that the CA may certify names below; NULL: any. */
static const ASN1_IA5STRING *permitted_domain(const NAME_CONSTRAINTS *constraints)
{
	const STACK_OF(GENERAL_SUBTREE) *trees =
		constraints == NULL ? NULL : constraints->permittedSubtrees;

	for (int i = 0; i < sk_GENERAL_SUBTREE_num(trees); i++) {
		const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(trees, i)->base;

		if (base->type == GEN_DNS && base->d.dNSName->length > 0)
			return base->d.dNSName;
	}
	return NULL;
}

static void set_host(const X509 *issuer, struct specimen *out)
{
	NAME_CONSTRAINTS *constraints =
		issuer == NULL ? NULL : X509_get_ext_d2i(issuer, NID_name_constraints, NULL, NULL);
	const ASN1_IA5STRING *domain = permitted_domain(constraints);
	const char *text = domain == NULL ? DOMAIN : (const char *)domain->data;
	int n = domain == NULL ? (int)strlen(DOMAIN) : domain->length;

	if (text[0] == '.') {
		text++;
		n--;
	}
	snprintf(out->host, sizeof(out->host), HOST ".%.*s", n, text);
	NAME_CONSTRAINTS_free(constraints);
}

static void set_organization(const X509 *issuer, struct specimen *out)
{
	if (issuer == NULL ||
		X509_NAME_get_text_by_NID(X509_get_subject_name(issuer), NID_organizationName,
			out->organization, sizeof(out->organization)) <= 0)
		snprintf(out->organization, sizeof(out->organization), ORGANIZATION);
}

/* Keeps the names of labels in a text; they stay apart by NULs. */
static void collect_labels(
	void *arg, const char *text, enum lint_place place, struct yaml_mark mark)
{
	struct specimen *out = arg;

	(void)place;
	(void)mark;
	while ((text = strstr(text, LABEL)) != NULL) {
		text += strlen(LABEL);
		buf_add(&out->names, (struct view){(const uint8_t *)text, strcspn(text, "}")});
		buf_u8(&out->names, 0);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct grant_label *first = a, *second = b;

	return strcmp(first->name, second->name);
}

/* The value is a word that may stand anywhere, also as a host's name. */
static void set_labels(const struct template *tmpl, struct specimen *out)
{
	const char *name;
	size_t at = 0;

	lint_texts(tmpl, collect_labels, out);
	for (; at < out->names.n && out->grant.labels_n < SPECIMEN_LABELS; at += strlen(name) + 1) {
		name = (const char *)out->names.p + at;
		out->labels[out->grant.labels_n++] = (struct grant_label){name, "label"};
	}
	qsort(out->labels, out->grant.labels_n, sizeof(out->labels[0]), by_name);
	out->grant.labels = out->labels;
}

static enum err set_key(struct specimen *out)
{
	AUTO(pkey_free) EVP_PKEY *key = NULL;

	TRY(key_generate(KEY_TYPE_P256, &key));
	return key_public(key, &out->bits, &out->grant.key);
}

/* Of the sizes that a P-256 key and its AK would make; the bytes say nothing. */
static void set_evidence(struct specimen *out)
{
	out->evidence = (struct grant_evidence){
		.name = {out->blob, 34},
		.public = {out->blob, 88},
		.attest = {out->blob, 145},
		.signature = {out->blob, 72},
		.ak_location =
			SERVICE "/v1/certificates/"
				"0000000000000000000000000000000000000000000000000000000000000000",
	};
	out->grant.evidence = &out->evidence;
}

/* As the service would name them: with the beginning of the CA's id, and a shard. */
static const struct grant_publication publication = {
	.crl = PUBLIC "/crl/0000000000000000-0.crl",
	.ocsp = PUBLIC "/ocsp",
	.issuer = PUBLIC "/ca/0000000000000000.cer",
};

enum err specimen_make(const struct template *tmpl, const X509 *issuer, struct specimen *out)
{
	*out = (struct specimen){.bits = BUF(1024), .names = BUF(8192)};
	set_host(issuer, out);
	set_organization(issuer, out);
	out->grant = (struct grant){
		.template = tmpl->name,
		.template_version = (unsigned)tmpl->version,
		.host = out->host,
		.device_id = "00000000000000000000000000000000",
		.trust_class = "manufacturer",
		.tpm_manufacturer = "id:00000000",
		.tpm_model = "model",
		.tpm_version = "id:00010000",
		.organization = out->organization,
		.ek_digest = out->blob,
		.ek_serial = "01",
		.ssh_serial = 1,
		.publication = publication,
	};
	set_labels(tmpl, out);
	if (template_key(tmpl) == TEMPLATE_KEY_CERTIFIED)
		set_evidence(out);
	TRY(buf_ok(&out->names));
	return set_key(out);
}

enum err specimen_names(const struct template *tmpl, const struct specimen *specimen, X509 *cert)
{
	AUTO(san_free) GENERAL_NAMES *names = NULL;
	const struct template_extension *extension = tmpl->extensions.item;

	TRY(subject_build(&tmpl->subject, false, &specimen->grant, X509_get_subject_name(cert)));
	for (size_t i = 0; i < tmpl->extensions.n; i++)
		TRY(extra_add(cert, &extension[i], &specimen->grant));
	if (tmpl->san.names.n == 0)
		return OK;
	TRY(san_build(&tmpl->san, &specimen->grant, &names));
	if (X509_add1_ext_i2d(cert, NID_subject_alt_name, names, tmpl->san.critical, 0) != 1)
		return fail(ERR_INTERNAL, "crypto", "cannot set a subject alternative name");
	return OK;
}

void specimen_free(struct specimen *specimen)
{
	buf_free(&specimen->bits);
	buf_free(&specimen->names);
}
