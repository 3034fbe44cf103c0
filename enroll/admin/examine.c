#include "enroll/admin/examine.h"

#include "ca/base/cert.h"
#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "ca/base/printable.h"
#include "enroll/admin/remedy.h"
#include "enroll/tpm/identity.h"
#include "enroll/tpm/manufacturer.h"
#include "enroll/trust/issuerhint.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#define CLIMB_MAX 8 /* certificates above an EK's that are looked at for the missing one */
#define SHOWN(room, text) printable(text, room, sizeof(room))

static void show_manufacturer(const char *id, struct ek_report *out)
{
	const char *name = manufacturer_name(id);

	SHOWN(out->manufacturer, id);
	SHOWN(out->manufacturer_name, name == NULL ? "" : name);
}

static void show_key(EVP_PKEY *key, struct ek_report *out)
{
	uint8_t digest[32];
	enum key_kind kind;
	const char *name = key == NULL ? NULL : EVP_PKEY_get0_type_name(key);

	if (key != NULL && key_kind_of(key, &kind) == OK)
		SHOWN(out->key, key_kind_text(kind));
	else
		snprintf(out->key, sizeof(out->key), "%s, %d bits",
			name == NULL ? "a kind that OpenSSL has no key for" : name,
			key == NULL ? 0 : EVP_PKEY_get_bits(key));
	if (key != NULL && spki_sha256(key, digest) == OK)
		hex_write(VIEW(digest), out->ek_digest);
}

static void show_names(X509 *cert, struct ek_report *out)
{
	struct ek_attributes says = {0};
	char serial[CERT_SERIAL_SIZE], name[REPORT_TEXT];

	/* Whatever is wrong with them is told by the judgement. */
	(void)!ek_certificate_names(cert, &says);
	show_manufacturer(says.manufacturer, out);
	SHOWN(out->model, says.model);
	SHOWN(out->version, says.version);
	cert_serial(cert, serial);
	SHOWN(out->serial, serial);
	name_text(X509_get_subject_name(cert), name, sizeof(name));
	SHOWN(out->subject, name);
	name_text(X509_get_issuer_name(cert), name, sizeof(name));
	SHOWN(out->issuer, name);
}

static void show_certificate(
	struct view content, struct view der, X509 *cert, struct ek_report *out)
{
	uint8_t digest[SHA256_SIZE];

	out->bytes = (int64_t)der.n;
	out->before = der.p - content.p;
	out->behind = (int64_t)content.n - out->before - out->bytes;
	if (SHA256_OF(digest, der) == OK)
		hex_write(VIEW(digest), out->sha256);
	if (cert_validity(cert, &out->not_before, &out->not_after) != OK)
		out->not_before = out->not_after = 0;
	show_names(cert, out);
	show_key(X509_get0_pubkey(cert), out);
}

/* What the certificate says, whether it will be believed or not. */
static void show_content(struct view content, struct ek_report *out)
{
	AUTO(x509_free) X509 *cert = NULL;
	struct view der;

	if (ek_certificate_read(content, &der, &cert) == OK)
		show_certificate(content, der, cert, out);
	ERR_clear_error();
}

static void show_public(struct view ek_public, struct ek_report *out)
{
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	const struct ek_template *template;

	if (ek_public_read(ek_public, &key, &template) != OK)
		return;
	show_key(key, out);
	SHOWN(out->template, template->name);
}

static void show_steps(const struct trust_verdict *verdict, struct ek_report *out)
{
	static const char *const from[] = {[STEP_SENT] = "sent",
		[STEP_INTERMEDIATE] = "intermediate",
		[STEP_ANCHOR] = "anchor"};

	_Static_assert(TRUST_STEPS <= REPORT_STEPS, "a report has room for every step");
	for (size_t i = 0; i < verdict->steps && i < TRUST_STEPS; i++) {
		const struct trust_step *step = &verdict->step[i];
		struct ek_report_step *shown = &out->step[out->steps++];

		SHOWN(shown->subject, step->subject);
		SHOWN(shown->from, from[step->from]);
		SHOWN(shown->source, step->source);
		hex_write(VIEW(step->sha256), shown->sha256);
		shown->not_before = step->not_before;
		shown->not_after = step->not_after;
	}
}

static void show_accepted(const struct identity *identity, struct ek_report *out)
{
	const struct trust_verdict *verdict = identity_trust(identity);

	out->outcome = EK_ACCEPTED;
	SHOWN(out->class, trust_class_text(verdict->class));
	SHOWN(out->source, verdict->source);
	SHOWN(out->remark, verdict->remark);
	out->is_expired = (verdict->remarks & REMARK_EXPIRED) != 0;
	out->is_bad_firmware = (verdict->remarks & REMARK_FIRMWARE) != 0;
	out->is_crl_old = (verdict->remarks & REMARK_CRL_OLD) != 0;
	show_steps(verdict, out);
}

/* Their sentences say what to do with a file; their remedies, what to do with a device. */
static bool is_other_file(const char *code)
{
	static const char *const codes[] = {"ek-eku", "ek-is-ca", "ek-usage", "ek-tpm12"};

	for (size_t i = 0; i < COUNT(codes); i++)
		if (strcmp(codes[i], code) == 0)
			return true;
	return false;
}

/* The last reason, and what to do: about this kind of file, or about this reason. */
static void show_reason(const char *advice, struct ek_report *out)
{
	SHOWN(out->code, why()->code);
	SHOWN(out->sentence, why()->sentence);
	SHOWN(out->clause, why()->clause);
	if (advice == NULL && !is_other_file(out->code))
		advice = remedy_for(out->code);
	SHOWN(out->advice, advice == NULL ? "" : advice);
}

/* Looks for whoever may have issued a certificate, by name and key identifier. */
struct looking {
	X509 *issued;
	X509 *found; /* the caller's */
};

static enum err look_at(void *ctx, const struct trust_item *item)
{
	struct looking *looking = ctx;
	AUTO(x509_free) X509 *cert = NULL;

	if (looking->found != NULL || item->role == TRUST_CRL)
		return OK;
	cert = cert_from_der(item->der);
	if (cert != NULL && X509_check_issued(cert, looking->issued) == X509_V_OK)
		looking->found = MOVE(cert);
	return OK;
}

static X509 *find_issuer(const struct examiner *examiner, const struct ekfile *file, X509 *cert)
{
	struct looking looking = {cert, NULL};
	struct trust_item item = {.role = TRUST_INTERMEDIATE};

	for (size_t i = 0; i < file->chain_n; i++) {
		item.der = buf_view(&file->chain[i]);
		(void)!look_at(&looking, &item);
	}
	for (size_t i = 0; i < examiner->chain_n; i++) {
		item.der = examiner->chain[i];
		(void)!look_at(&looking, &item);
	}
	if (looking.found == NULL && trust_each(examiner->trust, look_at, &looking) != OK)
		return NULL;
	return looking.found;
}

/* Climbs as far as there are certificates: whoever is named last is the one that is missing. */
static void show_missing(
	const struct examiner *examiner, const struct ekfile *file, struct ek_report *out)
{
	AUTO(x509_free) X509 *cert = NULL;
	struct issuer_hint hint;
	struct view der;

	if (ek_certificate_read(buf_view(&file->content), &der, &cert) != OK)
		return;
	for (int i = 0; i < CLIMB_MAX; i++) {
		X509 *above = find_issuer(examiner, file, cert);

		if (above == NULL || X509_cmp(above, cert) == 0) {
			X509_free(above);
			break;
		}
		X509_free(cert);
		cert = above;
	}
	issuer_hint_of(cert, &hint);
	SHOWN(out->missing, hint.name);
	SHOWN(out->missing_key_id, hint.key_id);
	SHOWN(out->missing_url, hint.url);
}

static void begin(const struct examiner *examiner, const char *kind, struct ek_report *out)
{
	char file[REPORT_TEXT];

	snprintf(file, sizeof(file), "%s", out->file);
	*out = (struct ek_report){.outcome = EK_REFUSED, .judged_at = examiner->now};
	snprintf(out->file, sizeof(out->file), "%s", file);
	SHOWN(out->kind, kind);
	if (examiner->trust != NULL)
		hex_write((struct view){trust_version(examiner->trust), 32}, out->trust_version);
}

/* What the device would send beside it: the file's own further certificates first. */
static size_t join_chain(const struct examiner *examiner, const struct ekfile *file,
	struct view chain[static LIMIT_INTERMEDIATES])
{
	size_t n = 0;

	for (size_t i = 0; i < file->chain_n && n < LIMIT_INTERMEDIATES; i++)
		chain[n++] = buf_view(&file->chain[i]);
	for (size_t i = 0; i < examiner->chain_n && n < LIMIT_INTERMEDIATES; i++)
		chain[n++] = examiner->chain[i];
	return n;
}

static void judge(const struct examiner *examiner, const struct ekfile *file, struct ek_report *out)
{
	AUTO(identity_free) struct identity *identity = NULL;
	struct view chain[LIMIT_INTERMEDIATES];
	const struct identity_rules rules = {.trust = examiner->trust,
		.now = examiner->now,
		.takes_expired = examiner->takes_expired};
	struct ek_evidence evidence = {.public = examiner->ek_public, .chain = chain};
	enum err err;

	if (file != NULL) {
		evidence.certificate = buf_view(&file->content);
		evidence.chain_n = join_chain(examiner, file, chain);
	}
	err = identity_judge(&rules, &evidence, &identity);
	if (err == OK)
		show_accepted(identity, out);
	else
		show_reason(file == NULL ? NULL : ekfile_advice(file), out);
	if (err == ERR_INTERNAL || err == ERR_BUSY)
		out->outcome = EK_UNJUDGED;
	ERR_clear_error();
}

/* The template first: an EK of none is refused for that. */
static void judge_bare(const struct examiner *examiner, struct ek_report *out)
{
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	const struct ek_template *template;

	show_public(examiner->ek_public, out);
	if (ek_public_read(examiner->ek_public, &key, &template) != OK)
		show_reason(NULL, out);
	else
		judge(examiner, NULL, out);
}

void examine(const struct examiner *examiner, const struct ekfile *file, struct ek_report *out)
{
	begin(examiner, file == NULL ? "TPM public area" : file->kind, out);
	if (file == NULL) {
		judge_bare(examiner, out);
		return;
	}
	if (file->content.n == 0) {
		(void)!refuse(ERR_MALFORMED, "ek-certificate", "RFC 5280 4.1",
			"this is no certificate (%s)", file->kind);
		show_reason(ekfile_advice(file), out);
		return;
	}
	show_content(buf_view(&file->content), out);
	judge(examiner, file, out);
	if (examiner->is_thorough && strcmp(out->code, "ek-untrusted") == 0)
		show_missing(examiner, file, out);
}

void examine_failed(struct ek_report *out)
{
	out->outcome = EK_UNJUDGED;
	show_reason(NULL, out);
}
