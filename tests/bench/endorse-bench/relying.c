#include "tests/bench/endorse-bench/relying.h"

#include "ca/base/encode.h"
#include "ca/base/ossl.h"

#include <libpq-fe.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>

enum { UNKNOWN = 1000, SERIAL = 16, CHAIN_MAX = 64 * 1024 };

OSSL_FREE(ocsp_request_free, OCSP_REQUEST, OCSP_REQUEST_free)

static void relying_free(struct relying **relying)
{
	for (size_t i = 0; *relying != NULL && i < (*relying)->n; i++)
		buf_free(&(*relying)->questions[i]);
	free(*relying);
	*relying = NULL;
}

static enum err ask_chain(void *ctx, size_t i, void *kept, struct load_request *out)
{
	(void)ctx;
	(void)i;
	(void)kept;
	out->method = "GET";
	out->path = "/ca/chain.pem";
	return OK;
}

static enum err take_chain(void *ctx, void *kept, struct view body, struct load_request *out)
{
	(void)kept;
	(void)out;
	buf_add(ctx, body);
	return OK;
}

/* By the engine itself: one errand. */
static enum err fetch_issuer(const struct options *options, X509 **issuer)
{
	static struct figures figures;
	AUTO(buf_free) struct buf chain = BUF(CHAIN_MAX);
	AUTO(bio_free) BIO *bio = NULL;
	const struct load_plan plan = {.url = options->plan.url,
		.ca = options->plan.ca,
		.errands = 1,
		.connections = 1,
		.threads = 1};
	const struct load_work work = {
		.what = "chain", .ctx = &chain, .begin = ask_chain, .next = take_chain};

	TRY(load_run(&plan, &work, &figures));
	TRY(buf_ok(&chain));
	if (chain.n > 0)
		bio = BIO_new_mem_buf(chain.p, (int)chain.n);
	*issuer = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (*issuer == NULL)
		return fail(ERR_INTERNAL, "bench-chain",
			"%s/ca/chain.pem is not there, or has no certificate: is it the edge's "
			"plain "
			"front?",
			options->plan.url);
	return OK;
}

static void result_clear(PGresult **result)
{
	PQclear(*result);
	*result = NULL;
}

static void connection_close(PGconn **connection)
{
	PQfinish(*connection);
	*connection = NULL;
}

/* Each row's first column is a question's bytes. */
static enum err query(const char *conninfo, const char *sql, PGresult **out)
{
	AUTO(connection_close) PGconn *connection = PQconnectdb(conninfo);
	AUTO(result_clear)
	PGresult *rows = PQexecParams(connection, sql, 0, NULL, NULL, NULL, NULL, 1);

	if (PQresultStatus(rows) != PGRES_TUPLES_OK || PQntuples(rows) == 0)
		return fail(ERR_INTERNAL, "bench-database", "%s",
			PQresultStatus(rows) == PGRES_TUPLES_OK
				? "the database has no such certificates yet"
				: PQerrorMessage(connection));
	*out = MOVE(rows);
	return OK;
}

static enum err add_request(X509 *issuer, struct view serial, struct relying *out)
{
	AUTO(ocsp_request_free) OCSP_REQUEST *request = OCSP_REQUEST_new();
	AUTO(bn_free) BIGNUM *number = BN_bin2bn(serial.p, (int)serial.n, NULL);
	ASN1_INTEGER *integer = number == NULL ? NULL : BN_to_ASN1_INTEGER(number, NULL);
	OCSP_CERTID *id = integer == NULL
				  ? NULL
				  : OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(issuer),
					    X509_get0_pubkey_bitstr(issuer), integer);
	AUTO(ossl_free) uint8_t *der = NULL;
	int n = -1;

	ASN1_INTEGER_free(integer);
	if (request == NULL || id == NULL || OCSP_request_add0_id(request, id) == NULL) {
		OCSP_CERTID_free(id);
		return fail(ERR_INTERNAL, "out-of-memory", "a request of OCSP");
	}
	n = i2d_OCSP_REQUEST(request, &der);
	out->questions[out->n] = BUF(1024);
	buf_add(&out->questions[out->n++], (struct view){der, n < 0 ? 0 : (size_t)n});
	return buf_ok(&out->questions[out->n - 1]);
}

static enum err add_unknown(X509 *issuer, struct relying *out)
{
	uint8_t serial[SERIAL];

	for (size_t i = 0; i < UNKNOWN; i++) {
		if (RAND_bytes(serial, sizeof(serial)) != 1)
			return fail(ERR_INTERNAL, "random", "RAND_bytes");
		serial[0] = 1;
		TRY(add_request(issuer, VIEW(serial), out));
	}
	return OK;
}

enum err relying_ocsp(const struct options *options, struct relying *out)
{
	AUTO(x509_free) X509 *issuer = NULL;
	AUTO(result_clear) PGresult *rows = NULL;

	TRY(fetch_issuer(options, &issuer));
	if (options->database == NULL)
		return add_unknown(issuer, out);
	TRY(query(options->database,
		"SELECT serial FROM certificate WHERE kind = 'x509' AND issuer IS NOT NULL"
		" ORDER BY issued_at DESC LIMIT 10000",
		&rows));
	for (int i = 0; i < PQntuples(rows) && out->n < RELYING_MAX; i++)
		TRY(add_request(issuer,
			(struct view){(const uint8_t *)PQgetvalue(rows, i, 0),
				(size_t)PQgetlength(rows, i, 0)},
			out));
	return OK;
}

static enum err add_path(struct view path, struct relying *out)
{
	out->questions[out->n] = BUF(256);
	buf_add(&out->questions[out->n++], path);
	return buf_ok(&out->questions[out->n - 1]);
}

/* A CA is called by the first digits of its key's digest. */
static enum err add_first(X509 *issuer, struct relying *out)
{
	AUTO(ossl_free) uint8_t *spki = NULL;
	AUTO(buf_free) struct buf path = BUF(64);
	uint8_t digest[SHA256_DIGEST_LENGTH];
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issuer), &spki);

	if (n <= 0 || SHA256(spki, (size_t)n, digest) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "a digest");
	buf_str(&path, "/crl/");
	hex_add(&path, (struct view){digest, 8});
	buf_str(&path, "-0.crl");
	TRY(buf_ok(&path));
	return add_path(buf_view(&path), out);
}

enum err relying_crl(const struct options *options, struct relying *out)
{
	AUTO(x509_free) X509 *issuer = NULL;
	AUTO(result_clear) PGresult *rows = NULL;

	if (options->database == NULL) {
		TRY(fetch_issuer(options, &issuer));
		return add_first(issuer, out);
	}
	TRY(query(options->database,
		"SELECT '/crl/' || substr(encode(issuer, 'hex'), 1, 16) || '-' || shard || '.crl'"
		" FROM crl_shard WHERE der IS NOT NULL ORDER BY issuer, shard LIMIT 10000",
		&rows));
	for (int i = 0; i < PQntuples(rows) && out->n < RELYING_MAX; i++)
		TRY(add_path(view_str(PQgetvalue(rows, i, 0)), out));
	return OK;
}

enum err relying_run(struct options *options, struct load_work work,
	enum err (*make)(const struct options *options, struct relying *out), struct figures *out)
{
	AUTO(relying_free) struct relying *relying = calloc(1, sizeof(*relying));

	if (relying == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "relying_run");
	options->goes_round = true;
	TRY(make(options, relying));
	options->first = 0;
	TRY(options_fit(options, relying->n));
	work.ctx = relying;
	return options_run(options, &work, out);
}
