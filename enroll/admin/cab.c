#include "enroll/admin/cab.h"

#include "ca/base/cert.h"
#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "enroll/admin/run.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <string.h>
#include <sys/stat.h>

#define SECONDS 60
#define FILES_MAX 20000
#define FILE_MAX (1024 * 1024)
#define ALL_MAX (64 * 1024 * 1024)
#define NAME_MAX_BYTES 255

/* [MS-CAB] 2.1, CFHEADER; what is signed begins with it. */
enum {
	FILES_AT = 16,
	FILES_N = 28,
	FLAGS = 30,
	RESERVED_N = 36,
	SIGNATURE_AT = 44,
	SIGNATURE_N = 48,
	HEADER_SIZE = 60,
};
#define FLAG_OTHERS 3 /* there is a cabinet before it, or after it */
#define FLAG_RESERVED 4
#define SIGNED_RESERVE 20 /* bytes that a signed one reserves in its header */

static unsigned u16(struct view bytes, size_t at)
{
	return bytes.p[at] | (unsigned)bytes.p[at + 1] << 8;
}

static size_t u32(struct view bytes, size_t at)
{
	return u16(bytes, at) | (size_t)u16(bytes, at + 2) << 16;
}

bool is_cab(struct view bytes)
{
	return bytes.n >= HEADER_SIZE && memcmp(bytes.p, "MSCF", 4) == 0;
}

static void pkcs7_free(PKCS7 **p7)
{
	PKCS7_free(*p7);
	*p7 = NULL;
}

static enum err unsigned_cab(const char *shown)
{
	return fail(ERR_REJECTED, "cab-unsigned", "%s: is not signed, so nothing of it is believed",
		shown);
}

/* The signature is behind the cabinet; where, its header says. */
static enum err find_signature(struct view cab, const char *shown, PKCS7 **out)
{
	size_t at, n;
	const uint8_t *p;

	if ((u16(cab, FLAGS) & FLAG_RESERVED) == 0 || u16(cab, RESERVED_N) != SIGNED_RESERVE)
		return unsigned_cab(shown);
	at = u32(cab, SIGNATURE_AT);
	n = u32(cab, SIGNATURE_N);
	if (n == 0 || at >= cab.n || n > cab.n - at)
		return unsigned_cab(shown);
	p = cab.p + at;
	*out = d2i_PKCS7(NULL, &p, (long)n);
	ERR_clear_error();
	return *out == NULL ? unsigned_cab(shown) : OK;
}

/*
 * osslsigncode takes a signer without any extended key usage, and that would be whatever certificate the
 * root has ever led to. So who signed is found here, and osslsigncode is held to that very certificate.
 */
static enum err judge_signer(struct view cab, const char *shown, uint8_t digest[static SHA256_SIZE],
	char signer[static CAB_SIGNER])
{
	AUTO(pkcs7_free) PKCS7 *p7 = NULL;
	AUTO(ossl_free) uint8_t *der = NULL;
	STACK_OF(X509) *signers;
	X509 *cert;
	int n;
	bool is_signer;

	TRY(find_signature(cab, shown, &p7));
	signers = PKCS7_type_is_signed(p7) ? PKCS7_get0_signers(p7, NULL, 0) : NULL;
	ERR_clear_error();
	if (signers == NULL || sk_X509_num(signers) != 1) {
		sk_X509_free(signers);
		return unsigned_cab(shown);
	}
	cert = sk_X509_value(signers, 0);
	sk_X509_free(signers); /* the certificates are the signature's */
	name_text(X509_get_subject_name(cert), signer, CAB_SIGNER);
	is_signer = (X509_get_extension_flags(cert) & EXFLAG_XKUSAGE) != 0 &&
		    (X509_get_extended_key_usage(cert) & XKU_CODE_SIGN) != 0;
	if (!is_signer)
		return fail(ERR_REJECTED, "cab-signer",
			"%s: signed by %s, whose certificate is not for signing code (RFC 5280 "
			"4.2.1.12)",
			shown, signer);
	n = i2d_X509(cert, &der);
	return n <= 0 ? fail(ERR_INTERNAL, "crypto", "cannot encode a certificate")
		      : SHA256_OF(digest, ((struct view){der, (size_t)n}));
}

static enum err read_root(const char *path, X509 **out)
{
	AUTO(buf_free) struct buf bytes = BUF(CERTS_MAX);
	AUTO(x509_stack_free) STACK_OF(X509) *certs = NULL;

	TRY(file_read(path, &bytes));
	if ((*out = cert_from_der(buf_view(&bytes))) != NULL)
		return OK;
	TRY(certs_parse(buf_view(&bytes), path, "cab-root", &certs));
	if (sk_X509_num(certs) != 1)
		return fail(ERR_MALFORMED, "cab-root", "%s: wanted one certificate, it has %d",
			path, sk_X509_num(certs));
	*out = sk_X509_pop(certs);
	return OK;
}

/* Digits with or without colons between them. */
static bool is_digest(const char *text, const uint8_t digest[static SHA256_SIZE])
{
	char told[2 * SHA256_SIZE + 1], digits[2 * SHA256_SIZE + 1];
	size_t n = 0;

	for (; *text != '\0' && n < sizeof(digits) - 1; text++)
		if (*text != ':')
			digits[n++] = (char)tolower((unsigned char)*text);
	digits[n] = '\0';
	hex_write((struct view){digest, SHA256_SIZE}, told);
	return *text == '\0' && strcmp(told, digits) == 0;
}

/* The root that the operator means, as the only certificate of a file in `dir`. */
static enum err place_root(const char *path, const char *wanted, const char *dir, const char *name)
{
	AUTO(x509_free) X509 *root = NULL;
	AUTO(buf_free) struct buf bytes = BUF(CERTS_MAX);
	AUTO(mem_free) char *place = path_join(dir, name);
	uint8_t digest[SHA256_SIZE];
	char text[2 * SHA256_SIZE + 1];

	if (place == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "cab_extract");
	TRY(read_root(path, &root));
	TRY(cert_der_add(root, &bytes));
	TRY(SHA256_OF(digest, buf_view(&bytes)));
	hex_write(VIEW(digest), text);
	if (!is_digest(wanted, digest))
		return fail(ERR_MALFORMED, "cab-root",
			"%s: its SHA-256 is %s, not the one that was given", path, text);
	buf_free(&bytes);
	TRY(cert_pem_add(root, &bytes));
	return file_replace(place, 0600, buf_view(&bytes));
}

/* Newer ones fetch CRLs from where the file itself says, unless told not to; 2.5 has no such option. */
static enum err can_fetch(const char *dir, bool *out)
{
	static const char *const argv[] = {"osslsigncode", "verify", "--help", NULL};
	AUTO(buf_free) struct buf said = BUF(64 * 1024);
	int status = 0;

	TRY(run_program(
		&(struct run){argv, "osslsigncode", dir, SECONDS, FILE_MAX}, &said, &status));
	*out = strstr(buf_text(&said), "-ignore-crl") != NULL;
	return OK;
}

/* For the message only: did the digest differ, or does nobody vouch for the signer? */
static bool is_altered(const char *said)
{
	static const char current[] = "Current message digest",
			  calculated[] = "Calculated message digest";
	const char *a = strstr(said, current), *b = strstr(said, calculated);

	if (a == NULL || b == NULL)
		return true;
	a = strchr(a, ':');
	b = strchr(b, ':');
	return a == NULL || b == NULL || strcspn(a, " \n") == 0 ||
	       strncmp(a + 2, b + 2, strcspn(a + 2, " \n")) != 0;
}

static enum err verify(const char *dir, const char *shown, bool has_stamp_root,
	const uint8_t leaf[static SHA256_SIZE], const char *signer)
{
	char hash[sizeof("sha256:") + 2 * SHA256_SIZE] = "sha256:";
	const char *argv[] = {"osslsigncode", "verify", "-CAfile", "root.pem", "-TSA-CAfile",
		has_stamp_root ? "stamp.pem" : "root.pem", "-require-leaf-hash", hash, "-in",
		"signed.cab", NULL, NULL};
	AUTO(buf_free) struct buf said = BUF(1 << 20);
	bool fetches = false;
	int status = 1;

	hex_write((struct view){leaf, SHA256_SIZE}, hash + strlen("sha256:"));
	TRY(can_fetch(dir, &fetches));
	if (fetches)
		argv[10] = "-ignore-crl";
	TRY(run_program(
		&(struct run){argv, "osslsigncode", dir, SECONDS, FILE_MAX}, &said, &status));
	if (status == 0 && strstr(buf_text(&said), "\nSucceeded") != NULL)
		return OK;
	if (is_altered(buf_text(&said)))
		return fail(ERR_REJECTED, "cab-altered",
			"%s: is not what %s signed: it was altered, or is damaged; nothing of it "
			"is "
			"believed",
			shown, signer);
	return fail(ERR_REJECTED, "cab-untrusted",
		"%s: signed by %s, and that leads to no root that was given, or not at this time: "
		"osslsigncode does not verify it; a time stamp may need --cab-stamp-root",
		shown, signer);
}

static bool is_safe_name(const char *name, size_t n)
{
	size_t from = 0;

	if (n == 0 || n > NAME_MAX_BYTES || name[0] == '/' || name[0] == '\\' ||
		memchr(name, ':', n) != NULL)
		return false;
	for (size_t i = 0; i <= n; i++)
		if (i == n || name[i] == '/' || name[i] == '\\') {
			if (i - from == 2 && name[from] == '.' && name[from + 1] == '.')
				return false;
			from = i + 1;
		} else if ((unsigned char)name[i] < ' ')
			return false;
	return true;
}

/* [MS-CAB] 2.3, CFFILE: how large each will be, and where it wants to lie. */
static enum err judge_content(struct view cab, const char *shown)
{
	size_t at = u32(cab, FILES_AT), files = u16(cab, FILES_N), sum = 0;

	if ((u16(cab, FLAGS) & FLAG_OTHERS) != 0 || files > FILES_MAX)
		return fail(ERR_REJECTED, "cab-content",
			"%s: one cabinet of a set, or with more than %d files", shown, FILES_MAX);
	for (size_t i = 0; i < files; i++) {
		const uint8_t *name, *end;

		if (at > cab.n || cab.n - at < 17)
			return fail(
				ERR_REJECTED, "cab-content", "%s: its list of files is cut", shown);
		name = cab.p + at + 16;
		end = memchr(name, '\0', cab.n - at - 16);
		if (end == NULL || !is_safe_name((const char *)name, (size_t)(end - name)))
			return fail(ERR_REJECTED, "cab-content",
				"%s: has a file whose path would leave the directory: \"%.64s\"",
				shown, end == NULL ? "?" : (const char *)name);
		sum += u32(cab, at);
		if (u32(cab, at) > FILE_MAX || sum > ALL_MAX)
			return fail(ERR_REJECTED, "cab-content",
				"%s: has files of more than %d bytes, or of more than %d together",
				shown, FILE_MAX, ALL_MAX);
		at = (size_t)(end - cab.p) + 1;
	}
	return OK;
}

static enum err extract(const char *dir, const char *shown)
{
	static const char *const argv[] = {
		"cabextract", "-q", "-d", "content", "cabinet.cab", NULL};
	AUTO(buf_free) struct buf said = BUF(64 * 1024);
	int status = 1;

	TRY(run_program(&(struct run){argv, "cabextract", dir, SECONDS, FILE_MAX}, &said, &status));
	if (status != 0)
		return fail(ERR_REJECTED, "cab-content", "%s: cabextract cannot read it: %.200s",
			shown, buf_text(&said));
	return OK;
}

/*
 * What was signed, and no more: cabextract reads every cabinet that it finds in a file, and behind the
 * signed one is room for another, in and after the signature, where nobody's signature covers it.
 */
static enum err place_cabinet(struct view bytes, const char *place)
{
	return file_replace(place, 0600, (struct view){bytes.p, u32(bytes, SIGNATURE_AT)});
}

enum err cab_extract(struct view bytes, const char *shown, const struct cab_trust *trust,
	const char *dir, char signer[static CAB_SIGNER])
{
	AUTO(mem_free) char *place = path_join(dir, "signed.cab");
	AUTO(mem_free) char *cabinet = path_join(dir, "cabinet.cab");
	uint8_t leaf[SHA256_SIZE];

	if (place == NULL || cabinet == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "cab_extract");
	if (trust->root == NULL || trust->root_sha256 == NULL)
		return fail(ERR_MALFORMED, "cab-root",
			"%s: is a cabinet, and believed only by its signature: say --cab-root FILE "
			"and --cab-root-sha256 HEX",
			shown);
	TRY(place_root(trust->root, trust->root_sha256, dir, "root.pem"));
	if (trust->stamp_root != NULL)
		TRY(place_root(trust->stamp_root, trust->stamp_root_sha256, dir, "stamp.pem"));
	TRY(judge_signer(bytes, shown, leaf, signer));
	/* What is verified and what is extracted are the same bytes, whatever becomes of the file. */
	TRY(file_replace(place, 0600, bytes));
	TRY(verify(dir, shown, trust->stamp_root != NULL, leaf, signer));
	TRY(judge_content(bytes, shown));
	TRY(place_cabinet(bytes, cabinet));
	return extract(dir, shown);
}
