#include "enroll/admin/ekfile.h"

#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "enroll/tpm/ekpublic.h"
#include "enroll/tpm/nvcert.h"
#include "enroll/trust/bundle.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (1024 * 1024)

static const char certificate[] = "certificate";

/* By kind: what somebody was looking for is elsewhere. */
static const struct {
	const char *kind, *advice;
} advices[] = {
	{"private key", "this is a secret, and no certificate: keep it to yourself. A TPM never "
			"gives its EK's "
			"out, so it is not an EK's"},
	{"certificate request",
		"a request is what a certificate is made from; an EK has its certificate from the "
		"TPM's "
		"manufacturer: read NV index 0x01c00002, 0x01c0000a or those that follow "
		"(tpm2_getekcertificate)"},
	{"public key",
		"the key alone says nothing of who made it: read the TPM's NV index 0x01c00002 or "
		"0x01c0000a, or put the EK on the allow-list (endorsectl ek allow add)"},
	{"TPM public area", "this is a key's public area and no certificate: give it as "
			    "--ek-public, or put the EK "
			    "on "
			    "the allow-list (endorsectl ek allow add --ek-public)"},
	{"certificate revocation list", "a CA revokes with it; what is judged is an EK "
					"certificate. To have CRLs looked at: "
					"endorsectl vendors import"},
	{"empty file", "there is nothing in it: was it read from an NV index that does not exist?"},
	{"empty NV area", "there are only 00, 11 or FF bytes: the manufacturer reserved the index "
			  "and wrote no "
			  "certificate. Look at the TPM's other indices from 0x01c00002 on"},
	{"PEM text without a certificate", "wanted -----BEGIN CERTIFICATE-----"},
	{"unknown",
		"wanted DER, PEM, or the content of the EK certificate's NV index, from its first "
		"byte to its last"},
};

const char *ekfile_advice(const struct ekfile *file)
{
	for (size_t i = 0; i < COUNT(advices); i++)
		if (strcmp(advices[i].kind, file->kind) == 0)
			return advices[i].advice;
	return NULL;
}

void ekfile_init(struct ekfile *file)
{
	*file = (struct ekfile){.kind = "unknown", .content = BUF(FILE_MAX)};
	for (size_t i = 0; i < COUNT(file->chain); i++)
		file->chain[i] = BUF(FILE_MAX);
}

void ekfile_free(struct ekfile *file)
{
	buf_free(&file->content);
	for (size_t i = 0; i < COUNT(file->chain); i++)
		buf_free(&file->chain[i]);
}

static enum err read_input(struct buf *out)
{
	uint8_t block[4096];
	ssize_t n;

	while ((n = read(STDIN_FILENO, block, sizeof(block))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			buf_add(out, (struct view){block, (size_t)n});
	if (n < 0)
		return fail(ERR_INTERNAL, "file-read", "standard input: %s", strerror(errno));
	return buf_ok(out);
}

/* RFC 7468: by the first of these labels that is there. */
static const struct {
	const char *label, *kind;
} labels[] = {
	{"-----BEGIN CERTIFICATE-----", certificate},
	{"-----BEGIN X509 CERTIFICATE-----", certificate},
	{"-----BEGIN TRUSTED CERTIFICATE-----", certificate},
	{"PRIVATE KEY-----", "private key"},
	{"CERTIFICATE REQUEST-----", "certificate request"},
	{"PUBLIC KEY-----", "public key"},
	{"X509 CRL-----", "certificate revocation list"},
	{"-----BEGIN ", "PEM text without a certificate"},
};

static const char *kind_of_pem(const struct buf *bytes)
{
	for (size_t i = 0; i < COUNT(labels); i++)
		if (memmem(bytes->p, bytes->n, labels[i].label, strlen(labels[i].label)) != NULL)
			return labels[i].kind;
	return NULL;
}

/* The bytes as they stand there, never encoded anew. */
static enum err take_pem(const struct buf *bytes, const char *path, struct ekfile *out)
{
	AUTO(bundle_free) struct bundle *bundle = NULL;

	if (bundle_read(buf_view(bytes), path, &bundle) != OK || bundle->n == 0) {
		out->kind = "PEM text without a certificate";
		return OK;
	}
	for (size_t i = 0; i < bundle->n && out->chain_n < COUNT(out->chain); i++) {
		struct view der = {bundle->entry[i].der, bundle->entry[i].der_n};

		if (bundle->entry[i].kind != BUNDLE_CERTIFICATE || der.n == 0)
			continue;
		buf_add(out->content.n == 0 ? &out->content : &out->chain[out->chain_n++], der);
	}
	out->kind = out->content.n == 0 ? "PEM text without a certificate" : certificate;
	return OK;
}

static bool is_blank(const struct buf *bytes)
{
	for (size_t i = 0; i < bytes->n; i++)
		if (bytes->p[i] != 0x00 && bytes->p[i] != 0x11 && bytes->p[i] != 0xff)
			return false;
	return true;
}

static bool is_private_key(const uint8_t *p, long n)
{
	AUTO(pkey_free) EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, n);

	return key != NULL;
}

static bool is_request(const uint8_t *p, long n)
{
	X509_REQ *request = d2i_X509_REQ(NULL, &p, n);
	bool is = request != NULL;

	X509_REQ_free(request);
	return is;
}

static bool is_crl(const uint8_t *p, long n)
{
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, n);
	bool is = crl != NULL;

	X509_CRL_free(crl);
	return is;
}

static bool is_public_key(const uint8_t *p, long n)
{
	AUTO(pkey_free) EVP_PKEY *key = d2i_PUBKEY(NULL, &p, n);

	return key != NULL;
}

static bool is_certificate(const uint8_t *p, long n)
{
	AUTO(x509_free) X509 *cert = d2i_X509(NULL, &p, n);

	return cert != NULL;
}

/* TPM2B_PUBLIC: the size of the rest, then RSA or ECC (TPM 2.0 Part 2, 12.2.5). */
static bool is_tpm_public(const struct buf *bytes)
{
	return bytes->n > 10 && (size_t)(bytes->p[0] << 8 | bytes->p[1]) == bytes->n - 2 &&
	       bytes->p[2] == 0 && (bytes->p[3] == 0x01 || bytes->p[3] == 0x23);
}

static const char *kind_of_der(const struct buf *bytes)
{
	const uint8_t *p = bytes->p;
	long n = (long)bytes->n;

	if (is_certificate(p, n))
		return certificate;
	if (is_private_key(p, n))
		return "private key";
	if (is_request(p, n))
		return "certificate request";
	if (is_crl(p, n))
		return "certificate revocation list";
	return is_public_key(p, n) ? "public key" : certificate;
}

static const char *kind_of(const struct buf *bytes)
{
	struct view der;
	const char *kind;

	if (bytes->n == 0)
		return "empty file";
	if (is_blank(bytes))
		return "empty NV area";
	if (bytes->p[0] == 0x30) {
		kind = kind_of_der(bytes);
		ERR_clear_error();
		return kind;
	}
	if (is_tpm_public(bytes))
		return "TPM public area";
	return nv_certificate_cut(buf_view(bytes), &der) == OK ? certificate : "unknown";
}

enum err ekfile_read(const char *path, struct ekfile *out)
{
	AUTO(buf_free) struct buf bytes = BUF(FILE_MAX);
	const char *kind;

	TRY(strcmp(path, "-") == 0 ? read_input(&bytes) : file_read(path, &bytes));
	kind = bytes.n > 0 ? kind_of_pem(&bytes) : NULL;
	if (kind == certificate)
		return take_pem(&bytes, path, out);
	out->kind = kind != NULL ? kind : kind_of(&bytes);
	if (out->kind == certificate)
		buf_add(&out->content, buf_view(&bytes));
	return buf_ok(&out->content);
}
