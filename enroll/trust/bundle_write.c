#include "enroll/trust/bundle.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "ca/base/ossl.h"
#include "ca/base/printable.h"
#include "enroll/trust/candidate.h"

#include <limits.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINE 1024

/* One "# Key: Value"; a value cannot begin a line of its own. */
static void add_line(struct buf *out, const char *key, const char *value)
{
	char text[LINE];

	printable(value, text, sizeof(text));
	buf_fmt(out, "# %s: %s\n", key, text);
}

void bundle_begin(struct buf *out, const char *title, const char *lines)
{
	buf_fmt(out, "##\n## %s\n##\n", title);
	while (*lines != '\0') {
		size_t n = strcspn(lines, "\n");

		buf_fmt(out, "## %.*s\n", (int)n, lines);
		lines += n + (lines[n] == '\n');
	}
	buf_str(out, "##\n");
}

static void add_fingerprint(
	struct buf *out, const char *key, const EVP_MD *md, const struct view der)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (EVP_Digest(der.p, der.n, digest, &n, md, NULL) != 1)
		out->failed = true;
	buf_fmt(out, "# %s: ", key);
	for (unsigned i = 0; i < n; i++)
		buf_fmt(out, "%s%02X", i == 0 ? "" : ":", digest[i]);
	buf_str(out, "\n");
}

/* "Wed Apr 03 16:36:58 2023" */
static void add_time(struct buf *out, const char *key, const ASN1_TIME *time)
{
	struct tm tm;
	char text[64] = "?";

	if (ASN1_TIME_to_tm(time, &tm) == 1)
		strftime(text, sizeof(text), "%a %b %d %H:%M:%S %Y", &tm);
	add_line(out, key, text);
}

static void add_serial(struct buf *out, const X509 *cert)
{
	AUTO(bn_free) BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	AUTO(ossl_text_free) char *decimal = number == NULL ? NULL : BN_bn2dec(number);
	char hex[CERT_SERIAL_SIZE], text[LINE];
	const char *digits = hex;

	cert_serial(cert, hex);
	while (digits[0] == '0' && digits[1] != '\0')
		digits++;
	snprintf(text, sizeof(text), "%s (0x%s)", decimal == NULL ? "?" : decimal, digits);
	add_line(out, "Serial Number", text);
}

static void last_part(const char *subject, char *out, size_t room)
{
	const char *name = strstr(subject, "CN=");
	size_t n;

	name = name == NULL ? subject : name + strlen("CN=");
	n = strcspn(name, ",+");
	snprintf(out, room, "%.*s", (int)n, name);
}

/* The letters of the first manufacturer, where it has any. */
static void add_owner(struct buf *out, const char *manufacturers)
{
	uint8_t id[4];
	char letters[5] = "";

	if (strncmp(manufacturers, "id:", 3) != 0 || strlen(manufacturers) < 11 ||
		hex_read((struct view){(const uint8_t *)manufacturers + 3, 8}, id, 4) != OK)
		return;
	for (size_t i = 0; i < 4 && id[i] > ' ' && id[i] <= '~'; i++)
		letters[i] = (char)id[i];
	if (letters[0] != '\0' && letters[1] != '\0')
		add_line(out, "Owner", letters);
}

static void add_ours(struct buf *out, const struct trust_item *item)
{
	add_line(out, "Role", candidate_role_words[item->role]);
	if (item->role == TRUST_ROOT)
		add_line(out, "Manufacturers",
			item->manufacturers[0] == '\0' ? "any" : item->manufacturers);
	add_line(out, "Class", trust_class_text(item->class));
	add_line(out, "Source", item->source);
	buf_str(out, "#\n");
}

static void add_pem(struct buf *out, const char *label, struct view der)
{
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	uint8_t *pem = NULL;
	long n;

	if (bio == NULL || der.n > LONG_MAX ||
		PEM_write_bio(bio, label, "", der.p, (long)der.n) <= 0 ||
		(n = BIO_get_mem_data(bio, &pem)) <= 0)
		out->failed = true;
	else
		buf_add(out, (struct view){pem, (size_t)n});
}

static void add_crl(struct buf *out, const struct trust_item *item, const X509_CRL *crl)
{
	char issuer[LINE], name[LINE];

	name_text(X509_CRL_get_issuer(crl), issuer, sizeof(issuer));
	last_part(issuer, name, sizeof(name));
	buf_str(out, "\n#\n");
	add_line(out, "Certificate", name);
	add_ours(out, item);
	add_line(out, "Issuer", issuer);
	add_fingerprint(out, "Fingerprint (SHA-256)", EVP_sha256(), item->der);
	add_pem(out, "X509 CRL", item->der);
}

static void add_certificate(struct buf *out, const struct trust_item *item, const X509 *cert)
{
	char subject[LINE], issuer[LINE], name[LINE];

	name_text(X509_get_subject_name(cert), subject, sizeof(subject));
	name_text(X509_get_issuer_name(cert), issuer, sizeof(issuer));
	last_part(subject, name, sizeof(name));
	buf_str(out, "\n#\n");
	add_line(out, "Certificate", name);
	add_owner(out, item->manufacturers);
	add_ours(out, item);
	add_line(out, "Issuer", issuer);
	add_serial(out, cert);
	add_line(out, "Subject", subject);
	add_time(out, "Not Valid Before", X509_get0_notBefore(cert));
	add_time(out, "Not Valid After ", X509_get0_notAfter(cert));
	add_fingerprint(out, "Fingerprint (SHA-256)", EVP_sha256(), item->der);
	add_fingerprint(out, "Fingerprint (SHA1)", EVP_sha1(), item->der);
	add_pem(out, "CERTIFICATE", item->der);
}

enum err bundle_add(struct buf *out, const struct trust_item *item)
{
	AUTO(x509_free) X509 *cert = NULL;
	X509_CRL *crl = NULL;
	const uint8_t *at = item->der.p;

	if (item->role != TRUST_CRL) {
		if ((cert = cert_from_der(item->der)) == NULL)
			return fail(ERR_MALFORMED, "bundle-value", "%s: not a certificate",
				item->source);
		add_certificate(out, item, cert);
		return buf_ok(out);
	}
	if ((crl = d2i_X509_CRL(NULL, &at, (long)item->der.n)) == NULL)
		return fail(ERR_MALFORMED, "bundle-value", "%s: not a CRL", item->source);
	add_crl(out, item, crl);
	X509_CRL_free(crl);
	return buf_ok(out);
}
