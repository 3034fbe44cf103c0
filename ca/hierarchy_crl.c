#include "ca/hierarchy_crl.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/crl.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct listing {
	struct authority *root;
	char *kept; /* path of the CRL before */
	uint64_t number; /* of the next one */
	struct revoked *entries;
	size_t n;
};

static void listing_free(struct listing *listing)
{
	authority_free(&listing->root);
	free(listing->kept);
	free(listing->entries);
}

static enum err open_root(const char *dir, struct listing *out)
{
	AUTO(mem_free) char *certificate = path_join(dir, "root.pem");
	AUTO(mem_free) char *key = path_join(dir, "offline/root.key");
	AUTO(mem_free) char *passphrase = path_join(dir, "offline/root.passphrase");

	out->kept = path_join(dir, "offline/root.crl");
	if (certificate == NULL || key == NULL || passphrase == NULL || out->kept == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "hierarchy_crl_make");
	return authority_load(certificate, key, passphrase, &out->root);
}

static enum err bad_kept(const struct listing *listing)
{
	return fail(ERR_INTERNAL, "ca-crl",
		"%s is not a CRL that this root signed: it keeps what was taken back, put it back",
		listing->kept);
}

static bool read_serial(const ASN1_INTEGER *serial, struct revoked *out)
{
	AUTO(bn_free) BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);

	if (number == NULL || BN_num_bytes(number) > REVOKED_SERIAL_MAX)
		return false;
	out->serial_n = (size_t)BN_bn2bin(number, out->serial);
	return out->serial_n > 0;
}

static bool read_entry(X509_REVOKED *entry, struct revoked *out)
{
	ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
	struct tm tm;

	out->reason = reason == NULL ? REVOKED_UNSPECIFIED
				     : (enum revoked_reason)ASN1_ENUMERATED_get(reason);
	ASN1_ENUMERATED_free(reason);
	if (ASN1_TIME_to_tm(X509_REVOKED_get0_revocationDate(entry), &tm) != 1)
		return false;
	out->at = timegm(&tm);
	return read_serial(X509_REVOKED_get0_serialNumber(entry), out);
}

static bool read_number(X509_CRL *crl, uint64_t *out)
{
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	bool is_there = number != NULL && ASN1_INTEGER_get_uint64(out, number) == 1;

	ASN1_INTEGER_free(number);
	return is_there;
}

/* Room for one more. */
static enum err read_entries(X509_CRL *crl, struct listing *out)
{
	STACK_OF(X509_REVOKED) *all = crl == NULL ? NULL : X509_CRL_get_REVOKED(crl);
	const int n = all == NULL ? 0 : sk_X509_REVOKED_num(all);

	out->entries = calloc((size_t)n + 1, sizeof(*out->entries));
	if (out->entries == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "hierarchy_crl_make");
	for (int i = 0; i < n; i++)
		if (!read_entry(sk_X509_REVOKED_value(all, i), &out->entries[out->n++]))
			return bad_kept(out);
	return OK;
}

static enum err read_kept(struct listing *listing)
{
	AUTO(buf_free) struct buf bytes = BUF(CRL_FILE_MAX);
	AUTO(crl_free) X509_CRL *crl = NULL;

	listing->number = 1;
	if (access(listing->kept, F_OK) != 0)
		return read_entries(NULL, listing);
	TRY(file_read(listing->kept, &bytes));
	crl = crl_from_bytes(buf_view(&bytes));
	if (crl == NULL || !read_number(crl, &listing->number) ||
		X509_CRL_verify(crl, X509_get0_pubkey(authority_certificate(listing->root))) != 1)
		return bad_kept(listing);
	listing->number++;
	return read_entries(crl, listing);
}

static bool is_listed(const struct listing *listing, const struct revoked *one)
{
	for (size_t i = 0; i < listing->n; i++)
		if (listing->entries[i].serial_n == one->serial_n &&
			memcmp(listing->entries[i].serial, one->serial, one->serial_n) == 0)
			return true;
	return false;
}

static enum err add_entry(struct listing *listing, const char *path, enum revoked_reason reason)
{
	X509 *root = authority_certificate(listing->root);
	struct revoked *one = &listing->entries[listing->n];
	AUTO(x509_free) X509 *cert = NULL;

	TRY(cert_read(path, "ca-certificate", &cert));
	if (X509_check_issued(root, cert) != X509_V_OK ||
		X509_verify(cert, X509_get0_pubkey(root)) != 1 || X509_cmp(root, cert) == 0)
		return fail(ERR_REJECTED, "crl-not-issued",
			"%s: this root did not issue it, or it is the root itself, which no CRL "
			"takes back",
			path);
	*one = (struct revoked){.at = clock_now(), .reason = reason};
	if (!read_serial(X509_get0_serialNumber(cert), one))
		return fail(ERR_REJECTED, "crl-not-issued", "%s: it has no serial number", path);
	if (is_listed(listing, one))
		return fail(ERR_CONFLICT, "crl-listed", "%s: it was taken back before", path);
	listing->n++;
	return OK;
}

static enum err write_pem(struct view der, const char *path, mode_t mode)
{
	AUTO(crl_free) X509_CRL *crl = crl_from_bytes(der);
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	uint8_t *text;
	long n;

	if (crl == NULL || bio == NULL || PEM_write_bio_X509_CRL(bio, crl) != 1 ||
		(n = BIO_get_mem_data(bio, &text)) <= 0)
		return fail(ERR_INTERNAL, "crypto", "cannot write a CRL as PEM");
	return file_replace(path, mode, (struct view){text, (size_t)n});
}

enum err hierarchy_crl_make(const char *dir, const char *certificate, enum revoked_reason reason,
	int64_t days, const char *path, struct hierarchy_crl *out)
{
	AUTO(listing_free) struct listing listing = {0};
	AUTO(buf_free) struct buf der = BUF(CRL_FILE_MAX / 2); /* PEM is a third longer */
	const int64_t now = clock_now();

	TRY(open_root(dir, &listing));
	TRY(read_kept(&listing));
	if (certificate != NULL)
		TRY(add_entry(&listing, certificate, reason));
	TRY(crl_build(listing.root,
		&(struct crl_content){.number = listing.number,
			.this_update = now,
			.next_update = now + days * DAY,
			.entries = listing.entries,
			.n = listing.n},
		&der));
	TRY(write_pem(buf_view(&der), listing.kept, 0600));
	TRY(write_pem(buf_view(&der), path, 0644));
	*out = (struct hierarchy_crl){listing.number, listing.n, now + days * DAY};
	return OK;
}
