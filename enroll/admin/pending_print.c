#include "enroll/admin/pending_print.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "ca/base/printable.h"
#include "enroll/admin/paragraph.h"
#include "enroll/tpm/ekcert.h"
#include "enroll/tpm/ekpublic.h"
#include "enroll/tpm/manufacturer.h"
#include "enroll/trust/issuerhint.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#define SHORT_ID 12 /* digits of an id in commands that are proposed */

static enum err put_json(const struct waiting *waiting)
{
	AUTO(buf_free) struct buf out = BUF(1 << 20);

	TRY(waiting_encode(waiting, &out));
	buf_str(&out, "\n");
	return paragraph_put(&out);
}

static void field(struct buf *out, const char *label, const char *text)
{
	char shown[WAITING_TEXT];

	printable(text, shown, sizeof(shown));
	paragraph_field(out, label, shown);
}

static void add_head(struct buf *out, const struct waiting *waiting)
{
	char last[CLOCK_TEXT_SIZE], host[LIMIT_HOST + 1], code[LIMIT_REASON + 1],
		from[WAITING_TEXT];

	clock_text(waiting->last_at, last);
	printable(waiting->host[0] == '\0' ? "(no name)" : waiting->host, host, sizeof(host));
	printable(waiting->code, code, sizeof(code));
	printable(waiting->from, from, sizeof(from));
	buf_fmt(out, "%.*s  %-8s  %s  %-32s  %s\n", SHORT_ID, waiting->id,
		waiting_state_words[waiting->state], last, host, code);
	buf_fmt(out, "    from %s, asked %lld time(s)", from[0] == '\0' ? "?" : from,
		(long long)waiting->asked);
}

enum err waiting_print(const struct waiting *waiting, enum print_form form)
{
	AUTO(buf_free) struct buf out = BUF(1 << 16);
	char letters[MANUFACTURER_SIZE], model[WAITING_TEXT];

	if (form == PRINT_JSON)
		return put_json(waiting);
	add_head(&out, waiting);
	manufacturer_text(waiting->manufacturer, letters);
	printable(waiting->model, model, sizeof(model));
	if (letters[0] == '\0')
		buf_str(&out, "; no EK certificate\n");
	else
		buf_fmt(&out, "; its certificate says (not proven) %s %s\n", letters, model);
	return paragraph_put(&out);
}

static void add_asked(struct buf *out, const struct waiting *waiting)
{
	char first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE], text[128];

	clock_text(waiting->first_at, first);
	clock_text(waiting->last_at, last);
	snprintf(text, sizeof(text), "%lld time(s), first %s, last %s", (long long)waiting->asked,
		first, last);
	buf_fmt(out, "attempt %s, %s\n", waiting->id, waiting_state_words[waiting->state]);
	field(out, "asked as", waiting->host[0] == '\0' ? "(no name)" : waiting->host);
	field(out, "from", waiting->from);
	field(out, "asked", text);
	field(out, "held by rule", waiting->rule);
	field(out, "decided by", waiting->decided_by);
	field(out, "why", waiting->why);
}

static void add_proven(struct buf *out, const struct waiting *waiting)
{
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	AUTO(buf_free) struct buf name = BUF(512);
	const struct ek_template *template;
	char kind[64] = "?";

	if (ek_public_read(buf_view(&waiting->ek_public), &key, &template) == OK)
		snprintf(kind, sizeof(kind), "%s, template %s", key_kind_text(template->kind),
			template->name);
	hex_add(&name, buf_view(&waiting->ak_name));
	buf_str(out, "proven: some TPM has this EK, and with it this AK\n");
	field(out, "EK digest", waiting->ek_digest);
	field(out, "EK", kind);
	field(out, "AK name", buf_text(&name));
	buf_str(out, "what nobody vouches for\n");
	field(out, "reason", waiting->code);
	field(out, "", waiting->sentence);
}

/* `label` says where it stood. */
static void add_certificate(struct buf *out, const char *label, const struct buf *content)
{
	AUTO(x509_free) X509 *cert = NULL;
	char name[WAITING_TEXT], serial[CERT_SERIAL_SIZE], from[CLOCK_TEXT_SIZE],
		until[CLOCK_TEXT_SIZE], dates[64], digest_text[2 * SHA256_SIZE + 1];
	int64_t not_before, not_after;
	uint8_t digest[SHA256_SIZE];
	struct view der;

	if (ek_certificate_read(buf_view(content), &der, &cert) != OK) {
		field(out, label, "cannot be read");
		ERR_clear_error();
		return;
	}
	name_text(X509_get_subject_name(cert), name, sizeof(name));
	field(out, label, name[0] == '\0' ? "(an empty subject)" : name);
	name_text(X509_get_issuer_name(cert), name, sizeof(name));
	field(out, "  issuer", name);
	cert_serial(cert, serial);
	field(out, "  serial", serial);
	if (cert_validity(cert, &not_before, &not_after) == OK) {
		clock_text(not_before, from);
		clock_text(not_after, until);
		snprintf(dates, sizeof(dates), "%.10s to %.10s", from, until);
		field(out, "  valid", dates);
	}
	if (SHA256_OF(digest, der) == OK) {
		hex_write(VIEW(digest), digest_text);
		field(out, "  SHA-256", digest_text);
	}
}

static void add_claims(struct buf *out, const struct waiting *waiting)
{
	char letters[MANUFACTURER_SIZE], maker[WAITING_TEXT + MANUFACTURER_SIZE + 64], label[48];
	const char *name = manufacturer_name(waiting->manufacturer);

	if (waiting->ek_certificate.n == 0) {
		buf_str(out, "it has no EK certificate\n");
		return;
	}
	manufacturer_text(waiting->manufacturer, letters);
	snprintf(maker, sizeof(maker), "%s (%s, %s)", name == NULL ? "?" : name, letters,
		waiting->manufacturer);
	buf_str(out, "NOT PROVEN, the certificate's own words\n");
	field(out, "manufacturer", maker);
	field(out, "model", waiting->model);
	field(out, "version", waiting->version);
	add_certificate(out, "EK certificate", &waiting->ek_certificate);
	for (size_t i = 0; i < waiting->chain_n; i++) {
		snprintf(label, sizeof(label), "sent with it %zu", i + 1);
		add_certificate(out, label, &waiting->chain[i]);
	}
}

static void add_choice(
	struct buf *out, const struct waiting *waiting, const char *command, const char *meaning)
{
	buf_fmt(out, "  endorsectl pending %s %.*s %s--why ...\n", command, SHORT_ID, waiting->id,
		strcmp(command, "trust-ca") == 0 ? "--certificate SHA256 " : "");
	paragraph_add(out, "      ", meaning);
}

static void add_import(struct buf *out, const struct waiting *waiting)
{
	AUTO(buf_free) struct buf text = BUF(4096);
	struct issuer_hint hint;
	char name[sizeof(hint.name)];

	issuer_hint_read(buf_view(&waiting->ek_certificate), &hint);
	printable(hint.name, name, sizeof(name));
	buf_fmt(&text,
		"it was signed by \"%s\"%s%s, whose certificate did not come with it: get that "
		"from the "
		"manufacturer, not on the device's word%s%s",
		name, hint.key_id[0] == '\0' ? "" : ", key identifier ", hint.key_id,
		hint.url[0] == '\0' ? "" : "; it says it is at ", hint.url);
	buf_str(out, "  endorsectl vendors import FILE --why ...\n");
	paragraph_add(out, "      ", buf_text(&text));
}

static void add_choices(struct buf *out, const struct waiting *waiting)
{
	buf_str(out, "what you can do\n");
	if (waiting->state != WAITING_ACCEPTED)
		add_choice(out, waiting, "accept-once",
			"this EK may enroll under the name it asked for, as \"approved\", where "
			"the "
			"rule's trust has that. Nothing else changes. You vouch for that machine: "
			"go "
			"and look at it, or compare the EK digest with what its console tells "
			"(endorse "
			"doctor).");
	buf_fmt(out, "  endorsectl ek allow add --ek-digest %s --why ...\n", waiting->ek_digest);
	paragraph_add(out, "      ",
		"this EK is believed from now on, as \"allow-list\", where the rule's trust has "
		"that; "
		"with --host only under that name.");
	if (waiting->chain_n > 0)
		add_choice(out, waiting, "trust-ca",
			"every TPM that this CA vouches for, and that claims the same "
			"manufacturer, is "
			"believed from now on, as \"operator-import\". Compare its fingerprint "
			"with "
			"what the manufacturer publishes.");
	else if (waiting->ek_certificate.n > 0)
		add_import(out, waiting);
	if (waiting->state != WAITING_REJECTED)
		add_choice(out, waiting, "reject",
			"it is told so, and refused as long as this stands. No name is taken from "
			"anybody.");
	buf_str(out, "  nothing\n");
	paragraph_add(out, "      ",
		"it goes on asking and gets nothing; what nobody decides goes away by itself after "
		"the days that the policy says.");
}

enum err waiting_print_all(const struct waiting *waiting, enum print_form form)
{
	AUTO(buf_free) struct buf out = BUF(1 << 18);

	if (form == PRINT_JSON)
		return put_json(waiting);
	add_asked(&out, waiting);
	add_proven(&out, waiting);
	add_claims(&out, waiting);
	add_choices(&out, waiting);
	return paragraph_put(&out);
}
