#include "tests/flow/published.h"

#include "ca/base/cert.h"
#include "ca/base/ossl.h"
#include "tests/flow/process.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static void points_free(CRL_DIST_POINTS **points)
{
	CRL_DIST_POINTS_free(*points);
	*points = NULL;
}

char *crl_path_of(struct view certificate)
{
	AUTO(x509_free) X509 *cert = cert_from_der(certificate);
	AUTO(points_free)
	CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
	const GENERAL_NAME *name;
	const char *url;

	must(points != NULL && sk_DIST_POINT_num(points) == 1, "no distribution point");
	name = sk_GENERAL_NAME_value(sk_DIST_POINT_value(points, 0)->distpoint->name.fullname, 0);
	must(name->type == GEN_URI, "not a URL");
	url = (const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
	must(strstr(url, "/crl/") != NULL, "%s", url);
	return text("%s", strstr(url, "/crl/"));
}

void x509_crl_free(X509_CRL **crl)
{
	X509_CRL_free(*crl);
	*crl = NULL;
}

X509_CRL *crl_at(const struct httpc_peer *peer, const char *path)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	AUTO(mem_free) char *type = NULL, *cache = NULL;
	const uint8_t *der;

	httpc_get(peer, path, &answer);
	if (answer.status != 200)
		return NULL;
	type = httpc_header(&answer, "Content-Type");
	cache = httpc_header(&answer, "Cache-Control");
	must(strcmp(type, "application/pkix-crl") == 0, "%s", type);
	must(strcmp(cache, "public, max-age=60") == 0, "%s", cache);
	der = answer.body.p;
	return d2i_X509_CRL(NULL, &der, (long)answer.body.n);
}

long crl_number_of(const X509_CRL *crl)
{
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	long n = ASN1_INTEGER_get(number);

	ASN1_INTEGER_free(number);
	return n;
}

int crl_entries(X509_CRL *crl)
{
	int n = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));

	return n < 0 ? 0 : n;
}

bool crl_has(X509_CRL *crl, struct view certificate)
{
	AUTO(x509_free) X509 *cert = cert_from_der(certificate);
	X509_REVOKED *entry;

	return X509_CRL_get0_by_cert(crl, &entry, cert) == 1;
}

struct waited {
	const struct httpc_peer *peer;
	struct view certificate;
	const char *path;
	bool listed;
};

static bool has_come(void *arg)
{
	const struct waited *waited = arg;
	AUTO(x509_crl_free) X509_CRL *crl = crl_at(waited->peer, waited->path);

	return crl != NULL && crl_has(crl, waited->certificate) == waited->listed;
}

long crl_wait(const struct httpc_peer *peer, struct view certificate, bool listed)
{
	AUTO(mem_free) char *path = crl_path_of(certificate);
	struct waited waited = {peer, certificate, path, listed};
	int64_t from = now_ms();

	must(wait_until(has_come, &waited, 5000), "%s does not change", path);
	return (long)(now_ms() - from);
}

void certificate_write(struct view certificate, const char *path)
{
	AUTO(x509_free) X509 *cert = cert_from_der(certificate);
	AUTO(buf_free) struct buf pem = BUF(1 << 16);

	must(cert != NULL && cert_pem_add(cert, &pem) == OK, "no certificate");
	write_file(path, 0644, buf_view(&pem));
}

void crl_write(const struct httpc_peer *peer, const char *crl, const char *path)
{
	AUTO(x509_crl_free) X509_CRL *made = crl_at(peer, crl);
	AUTO(bio_free) BIO *bio = BIO_new_file(path, "w");

	must(made != NULL && bio != NULL && PEM_write_bio_X509_CRL(bio, made) == 1, "%s", crl);
}
