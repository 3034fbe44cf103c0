#include "tests/bench/endorse-bench/floor/notary.h"
#include "tests/bench/endorse-bench/floor/part.h"

#include <openssl/ec.h>
#include <openssl/ssl.h>
#include <stdlib.h>

OSSL_FREE(ssl_free, SSL, SSL_free)

/* Both ends of it in this thread; only the server's calls are timed. */
struct handshake {
	SSL_CTX *server, *client;
};

static void handshake_free(void *state)
{
	struct handshake *handshake = state;

	if (handshake != NULL) {
		SSL_CTX_free(handshake->server);
		SSL_CTX_free(handshake->client);
	}
	free(handshake);
}

static void state_free(struct handshake **state)
{
	handshake_free(*state);
	*state = NULL;
}

static enum err use_file(SSL_CTX *ctx, const char *file)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, file) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, file, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_check_private_key(ctx) != 1)
		return part_openssl(file);
	return OK;
}

/* As `endorsectl ca edge` makes it: P-256, and its issuer goes with it. */
static enum err use_made(SSL_CTX *ctx)
{
	AUTO(pkey_free) EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	AUTO(x509_free) X509 *ca = NULL, *leaf = NULL;

	if (ca_key == NULL || key == NULL)
		return part_openssl("P-256");
	TRY(notary_authority("Floor edge CA", ca_key, NULL, NULL, &ca));
	TRY(notary_certify(&(struct paper){.common_name = "localhost",
				   .key = key,
				   .issuer = ca,
				   .signer = ca_key,
				   .extensions = "[ext]\nbasicConstraints=critical,CA:FALSE\n"
						 "keyUsage=critical,digitalSignature\n"
						 "extendedKeyUsage=serverAuth\n"
						 "subjectAltName=DNS:localhost,IP:127.0.0.1\n"
						 "subjectKeyIdentifier=hash\n"
						 "authorityKeyIdentifier=keyid:always\n"},
		&leaf));
	if (SSL_CTX_use_certificate(ctx, leaf) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1 ||
		SSL_CTX_add1_chain_cert(ctx, ca) != 1)
		return part_openssl("the edge's certificate");
	return OK;
}

/* Nothing is to be resumed: a device comes once in weeks, and session tickets would only cost. */
static enum err handshake_make(const struct floor_plan *plan, void **state)
{
	AUTO(state_free) struct handshake *handshake = calloc(1, sizeof(*handshake));

	if (handshake == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "handshake");
	handshake->server = SSL_CTX_new(TLS_server_method());
	handshake->client = SSL_CTX_new(TLS_client_method());
	if (handshake->server == NULL || handshake->client == NULL ||
		SSL_CTX_set_min_proto_version(handshake->server, TLS1_3_VERSION) != 1 ||
		SSL_CTX_set_num_tickets(handshake->server, 0) != 1)
		return part_openssl("SSL_CTX_new");
	SSL_CTX_set_session_cache_mode(handshake->server, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_cache_mode(handshake->client, SSL_SESS_CACHE_OFF);
	if (plan->edge_certificate != NULL)
		TRY(use_file(handshake->server, plan->edge_certificate));
	else
		TRY(use_made(handshake->server));
	*state = MOVE(handshake);
	return OK;
}

/* Two byte pipes; each SSL owns one reference to either. */
static bool join(SSL *server, SSL *client)
{
	BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());

	if (up == NULL || down == NULL || BIO_up_ref(up) != 1 || BIO_up_ref(down) != 1)
		return false; /* the program ends */
	SSL_set_bio(server, up, down);
	SSL_set_bio(client, down, up);
	return true;
}

static bool is_good_so_far(SSL *ssl, int result)
{
	return result == 1 || SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ;
}

static enum err shake(struct handshake *handshake, uint64_t *ns)
{
	AUTO(ssl_free) SSL *client = SSL_new(handshake->client);
	uint64_t start = part_clock();
	SSL *server = SSL_new(handshake->server);
	bool is_good = client != NULL && server != NULL && join(server, client);

	*ns += part_clock() - start;
	if (is_good) {
		SSL_set_connect_state(client);
		SSL_set_accept_state(server);
	}
	while (is_good && !(SSL_is_init_finished(server) && SSL_is_init_finished(client))) {
		is_good = is_good_so_far(client, SSL_do_handshake(client));
		start = part_clock();
		is_good = is_good && is_good_so_far(server, SSL_do_handshake(server));
		*ns += part_clock() - start;
	}
	start = part_clock();
	SSL_free(server);
	*ns += part_clock() - start;
	return is_good ? OK : part_openssl("a TLS handshake");
}

static enum err handshake_run(void *state, unsigned *n, uint64_t *ns)
{
	*ns = 0;
	for (unsigned i = 0; i < *n; i++)
		TRY(shake(state, ns));
	return OK;
}

const struct part part_handshake = {100, handshake_make, handshake_run, handshake_free};
