/* doctor_ek.c - the EK certificates in NV, and the key that this TPM makes for one of them. */
#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "enroll/agent/doctor.h"
#include "enroll/tpm/roca.h"

#include <openssl/x509.h>
#include <string.h>

#define NAME 160

#define SAY(doctor, level, ...)                                                                    \
	diagnosis_add(&(doctor)->diagnosis, FINDING_##level, "ek", __VA_ARGS__)

static void say_certificate(struct doctor *doctor, const struct device_ek *ek)
{
	AUTO(x509_free) X509 *certificate = cert_from_der(buf_view(&ek->certificate));
	char issuer[NAME], from_text[DOCTOR_DATE_SIZE], until_text[DOCTOR_DATE_SIZE];
	int64_t from = 0, until = 0;

	if (certificate == NULL || cert_validity(certificate, &from, &until) != OK) {
		SAY(doctor, FAIL, "NV 0x%08x: its dates cannot be read",
			ek->template->nv_certificate);
		return;
	}
	name_text(X509_get_issuer_name(certificate), issuer, sizeof(issuer));
	doctor_date(from, from_text);
	doctor_date(until, until_text);
	SAY(doctor, OK,
		"certificate for the %s EK (template %s) in NV 0x%08x, from \"%s\", valid %s to "
		"%s; "
		"NV has %zu certificates above it",
		key_kind_text(ek->template->kind), ek->template->name, ek->template->nv_certificate,
		issuer, from_text, until_text, ek->chain_n);
}

/* All that there are: which one is used can be changed with --ek. */
static void list_certificates(struct doctor *doctor, struct tpm *tpm)
{
	for (const struct ek_template *t = ek_templates; t->name != NULL; t++) {
		AUTO(device_ek_free) struct device_ek *ek = NULL;
		enum err err = device_ek_find(tpm, t->name, EK_CERTIFICATE_ONLY, &ek);

		if (err == OK)
			say_certificate(doctor, ek);
		else if (err != ERR_NOT_FOUND)
			SAY(doctor, WARN, "the %s EK's certificate is of no use: %s",
				key_kind_text(t->kind), why()->sentence);
	}
}

/* Nothing is wrong with that by itself: it is for the service to say. */
static void warn_of_none(struct doctor *doctor)
{
	SAY(doctor, WARN,
		"%s, so no manufacturer vouches for this TPM: the service takes it only where its "
		"operator allows this EK (endorsectl ek allow add) or approves it",
		doctor->wish.ek_certificate == EK_CERTIFICATE_NONE
			? "no EK certificate is sent, as was asked for"
			: "there is no EK certificate in NV");
}

static bool is_in_time(struct doctor *doctor, const struct device_ek *ek)
{
	AUTO(x509_free) X509 *certificate = cert_from_der(buf_view(&ek->certificate));
	char date[DOCTOR_DATE_SIZE];
	int64_t from = 0, until = 0, now = clock_now();

	if (certificate == NULL || cert_validity(certificate, &from, &until) != OK)
		return false;
	doctor_date(now < from ? from : until, date);
	if (now < from)
		SAY(doctor, FAIL,
			"by this machine's clock the certificate is valid only from %s: the "
			"clock, or the certificate, is wrong",
			date);
	else if (now > until)
		SAY(doctor, FAIL,
			"by this machine's clock the certificate ended %s: the service refuses it "
			"as ek-expired; try another --ek, or ask the manufacturer",
			date);
	return now >= from && now <= until;
}

static bool is_the_tpms_own(struct doctor *doctor, struct tpm *tpm, const struct device_ek *ek)
{
	AUTO(loaded_flush) struct loaded key = LOADED(tpm);
	int64_t began = clock_ms();

	if (device_ek_load(tpm, ek, &key) != OK) {
		SAY(doctor, FAIL, "%s", why()->sentence);
		return false;
	}
	SAY(doctor, OK,
		"an enrollment uses the %s EK: the TPM has %s key (%lld ms); its sha256 is %s",
		key_kind_text(ek->template->kind),
		ek->certificate.n > 0 ? "the certificate's" : "the same",
		(long long)(clock_ms() - began), ek->sha256);
	return true;
}

static void warn_of_another(struct doctor *doctor, const struct device_ek *ek)
{
	const struct enrollment *before = &doctor->attempt.before;

	if (before->ek_sha256[0] != '\0' && strcmp(before->ek_sha256, ek->sha256) != 0)
		SAY(doctor, WARN,
			"%s was enrolled with another EK (template %s): this one is another device "
			"to a service that does not know both; --ek %s, or the TPM was changed",
			before->host, before->ek_template, before->ek_template);
}

void doctor_ek(struct doctor *doctor)
{
	AUTO(tpm_close) struct tpm *tpm = NULL;
	const struct device_ek *ek;

	if (!doctor->has_tpm || doctor_open_tpm(doctor, &tpm) != OK) {
		SAY(doctor, SKIPPED, "not looked at: there is no TPM");
		return;
	}
	list_certificates(doctor, tpm);
	if (attempt_find_ek(&doctor->attempt, tpm) != OK) {
		SAY(doctor, FAIL, "%s", why()->sentence);
		return;
	}
	ek = doctor->attempt.ek;
	warn_of_another(doctor, ek);
	if (ek->certificate.n == 0)
		warn_of_none(doctor);
	if (is_roca(ek->key))
		SAY(doctor, FAIL,
			"this RSA key can be computed from its public half (CVE-2017-15361, "
			"\"ROCA\"), so the service refuses it: update the TPM's firmware, or try "
			"--ek p256");
	else
		doctor->has_ek = (ek->certificate.n == 0 || is_in_time(doctor, ek)) &&
				 is_the_tpms_own(doctor, tpm, ek);
}
