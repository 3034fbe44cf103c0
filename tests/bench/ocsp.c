/* ocsp.c - OCSP answers per second, kept and signed, beside bare P-256 signatures: bench-ocsp [CERTIFICATES] */
#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "ca/key.h"
#include "ca/signer/client.h"
#include "enroll/flow/ocsp_cache.h"
#include "tests/bench/timing.h"
#include "tests/flow/cluster.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <openssl/ocsp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS 4
#define SECONDS 3 /* of each row of the table */
#define BLOCK 200
#define REVOCATIONS 20

static long certificates = 10000;
static struct world world;
static X509 *leaf, *issuer;

/* A request as clients make it for the certificate with this number; the first is the enrolled one. */
static void request_make(long number, bool has_nonce, struct buf *out)
{
	AUTO(ossl_free) uint8_t *der = NULL;
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	ASN1_INTEGER *serial =
		number == 0 ? ASN1_INTEGER_dup(X509_get0_serialNumber(leaf)) : ASN1_INTEGER_new();
	int n;

	must(request != NULL && serial != NULL, "out of memory");
	if (number > 0)
		ASN1_INTEGER_set_int64(
			serial, (int64_t)(UINT64_C(0x4000000000000000) + (uint64_t)number));
	OCSP_request_add0_id(request, OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(issuer),
					      X509_get0_pubkey_bitstr(issuer), serial));
	if (has_nonce)
		OCSP_request_add1_nonce(request, NULL, 32);
	n = i2d_OCSP_REQUEST(request, &der);
	must(n > 0, "no request");
	buf_add(out, (struct view){der, (size_t)n});
	ASN1_INTEGER_free(serial);
	OCSP_REQUEST_free(request);
}

static X509 *certificate_at(const char *path)
{
	X509 *cert = NULL;

	must(cert_read(path, "certificate", &cert) == OK, "%s", why()->sentence);
	return cert;
}

/* One certificate of a device, and rows like it up to the number. */
static void fill(void)
{
	AUTO(mem_free) char *path = text("%s/issuing.pem", world.ca);
	AUTO(soft_outcome_free) struct soft_outcome outcome;
	AUTO(soft_device_free) struct soft_device device;

	soft_device_make(&(struct soft_plan){.ek = SOFT_L2,
				 .ak = SOFT_P256,
				 .service = world.name,
				 .host = "a.example.test"},
		&world.maker, &device);
	soft_enroll(&device, &world.services[0].peer, world.name, &outcome);
	must(outcome.status == 200, "%s: %s", outcome.code, outcome.detail);
	leaf = cert_from_der(buf_view(&outcome.certificate));
	issuer = certificate_at(path);
	free(sql_text(world.conninfo,
		"INSERT INTO certificate (serial, device_id, host, binding, ak_name, template,"
		" template_version, grant_digest, place, der, not_before, not_after, issued_at,"
		" trust_version, policy_version, issuer)"
		" SELECT int8send(4611686018427387904 + i), device_id, host, binding, ak_name,"
		" template, template_version, grant_digest, place, '\\x3000', not_before, "
		"not_after,"
		" issued_at - interval '1 year', trust_version, policy_version, issuer"
		" FROM certificate, generate_series(1, %ld) AS i",
		certificates - 1));
	free(sql_text(world.conninfo, "ANALYZE certificate"));
}

/* What `openssl speed ecdsap256` counts. */
static void sign_bare(void *arg)
{
	static EVP_PKEY *key;
	uint8_t digest[32] = {1}, signature[128];
	size_t size = sizeof(signature);
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = NULL;

	(void)arg;
	if (key == NULL)
		must(key_generate(KEY_TYPE_P256, &key) == OK, "no key");
	ctx = EVP_PKEY_CTX_new(key, NULL);
	must(EVP_PKEY_sign_init(ctx) == 1, "no signature");
	for (int i = 0; i < BLOCK; i++, size = sizeof(signature))
		must(EVP_PKEY_sign(ctx, signature, &size, digest, sizeof(digest)) == 1,
			"no signature");
}

struct local {
	struct signer *signer;
	struct buf request;
	struct ocsp_request parsed;
	const uint8_t *issuer;
	struct ocsp_cache *cache;
};

static void read_request(void *arg)
{
	struct local *local = arg;

	for (int i = 0; i < BLOCK; i++)
		must(ocsp_request_parse(buf_view(&local->request), &local->parsed) == OK, "%s",
			why()->sentence);
}

static void sign_answer(void *arg)
{
	struct local *local = arg;
	const struct ocsp_answer answer = {.id = &local->parsed.ids[0], .status = OCSP_IS_GOOD};
	int64_t now = clock_now();

	for (int i = 0; i < BLOCK; i++) {
		AUTO(buf_free) struct buf der = BUF(OCSP_RESPONSE_MAX);
		struct ocsp_content content = {
			.answers = &answer, .n = 1, .this_update = now, .next_update = now + HOUR};

		must(signer_ocsp(local->signer, local->issuer, &content, &der) == OK, "%s",
			why()->sentence);
	}
}

static void look_up(void *arg)
{
	struct local *local = arg;
	const struct view key = {local->parsed.ids[0].der, local->parsed.ids[0].der_n};

	for (int i = 0; i < BLOCK; i++) {
		AUTO(ocsp_reply_free) struct ocsp_reply reply = {.this_update = 0};

		must(ocsp_cache_find(local->cache, key, 1, clock_now(), &reply) == OCSP_FOUND,
			"it is not there");
	}
}

static double per_second(void (*block)(void *), void *arg)
{
	double begin = clock_us(CLOCK_THREAD_CPUTIME_ID), now = begin;
	long n = 0;

	for (; now - begin < SECONDS * 1e6 / 3; now = clock_us(CLOCK_THREAD_CPUTIME_ID)) {
		block(arg);
		n += BLOCK;
	}
	return (double)n * 1e6 / (now - begin);
}

static void open_signer(struct local *local)
{
	AUTO(problems_free) struct problems problems;
	AUTO(signer_responder_free) struct signer_responder made = {.not_before = 0};
	AUTO(mem_free) char *certificate = text("%s/issuing.pem", world.ca);
	AUTO(mem_free) char *key = text("%s/issuing.key", world.ca);
	AUTO(mem_free) char *passphrase = text("%s/issuing.passphrase", world.ca);
	AUTO(mem_free) char *templates = world_source("templates");
	const struct signer_files files = {.certificate = certificate,
		.key = key,
		.passphrase = passphrase,
		.templates = templates};

	problems_init(&problems);
	must(signer_open(&files, &problems, &local->signer) == OK, "%s", why()->sentence);
	local->request = BUF(1 << 14);
	request_make(0, false, &local->request);
	read_request(local);
	local->issuer = signer_ocsp_issuer(local->signer, &local->parsed.ids[0]);
	must(local->issuer != NULL && signer_responder_make(local->signer, local->issuer,
					      clock_now(), &made) == OK,
		"no responder");
	signer_responder_take(local->signer, local->issuer, made.serial);
}

static void keep_one(struct local *local)
{
	AUTO(ocsp_reply_free)
	struct ocsp_reply reply = {
		.this_update = clock_now(), .next_update = clock_now() + HOUR, .der = BUF(1024)};
	const uint8_t bytes[800] = {0};

	buf_add(&reply.der, VIEW(bytes));
	must(ocsp_cache_make(1 << 24, &local->cache) == OK, "out of memory");
	ocsp_cache_put(local->cache,
		(struct view){local->parsed.ids[0].der, local->parsed.ids[0].der_n}, 1, &reply);
}

static void tell_local(void)
{
	struct local local = {.signer = NULL};
	double bare, made;

	open_signer(&local);
	keep_one(&local);
	bare = per_second(sign_bare, NULL);
	made = per_second(sign_answer, &local);
	printf("per second and core, of CPU time:\n");
	printf("  bare P-256 signatures         %9.0f\n", bare);
	printf("  answers built and signed      %9.0f   (%.2f signatures each)\n", made,
		bare / made);
	printf("  requests read                 %9.0f\n", per_second(read_request, &local));
	printf("  answers found that were kept  %9.0f\n", per_second(look_up, &local));
	ocsp_cache_free(&local.cache);
	buf_free(&local.request);
	signer_close(&local.signer);
}

/* One connection that asks as fast as it is answered. */
struct asker {
	pthread_t thread;
	long from, span; /* numbers of certificates */
	bool has_nonce;
	double until;
	long answered;
};

static void post(struct httpc *httpc, long number, bool has_nonce, struct httpc_answer *answer)
{
	AUTO(buf_free) struct buf body = BUF(1 << 14), bytes = BUF(1 << 15);

	request_make(number, has_nonce, &body);
	buf_fmt(&bytes, "POST /ocsp HTTP/1.1\r\nHost: bench\r\n%sContent-Length: %zu\r\n\r\n",
		world.services[0].headers, body.n);
	buf_add(&bytes, buf_view(&body));
	must(httpc_send(httpc, buf_view(&bytes)) && httpc_receive(httpc, answer, 10000) &&
			answer->status == 200 && answer->body.n > 100,
		"no answer");
}

static void *ask(void *arg)
{
	struct asker *asker = arg;
	struct httpc httpc;

	must(httpc_open(&httpc, &world.services[0].peer, 5000), "no connection");
	while (now_us() < asker->until) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		post(&httpc, asker->from + asker->answered % asker->span, asker->has_nonce,
			&answer);
		asker->answered++;
	}
	httpc_close(&httpc);
	return NULL;
}

static void tell_http(const char *what, long span, bool has_nonce)
{
	struct asker askers[CONNECTIONS];
	double begin = now_us();
	long all = 0;

	for (int i = 0; i < CONNECTIONS; i++) {
		askers[i] = (struct asker){.from = span == 1 ? 0 : i * (span / CONNECTIONS),
			.span = span == 1 ? 1 : span / CONNECTIONS,
			.has_nonce = has_nonce,
			.until = begin + SECONDS * 1e6};
		must(pthread_create(&askers[i].thread, NULL, ask, &askers[i]) == 0, "no thread");
	}
	for (int i = 0; i < CONNECTIONS; i++) {
		pthread_join(askers[i].thread, NULL);
		all += askers[i].answered;
	}
	printf("  %-52s %9.0f\n", what, (double)all * 1e6 / (now_us() - begin));
}

static void tell_memory(const char *when)
{
	AUTO(mem_free) char *path = text("/proc/%d/status", world.services[0].pid);
	FILE *status = fopen(path, "r");
	char line[256];

	must(status != NULL, "%s", path);
	while (fgets(line, sizeof(line), status) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			printf("  memory of the service %s: %s", when, line + 6);
	fclose(status);
}

static bool says_revoked(const struct httpc_answer *answer)
{
	const uint8_t *p = answer->body.p;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)answer->body.n);
	OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	int status = OCSP_single_get0_status(OCSP_resp_get0(basic, 0), NULL, NULL, NULL, NULL);

	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return status == V_OCSP_CERTSTATUS_REVOKED;
}

/* From the commit to the first answer that says so, of a certificate that was just asked for. */
static double revoke_one(struct httpc *httpc, long number)
{
	AUTO(httpc_answer_free) struct httpc_answer before;
	double begin;
	bool is_heard = false;

	post(httpc, number, false, &before);
	free(sql_text(world.conninfo,
		"UPDATE certificate SET revoked_at = now(), revocation_reason = 'keyCompromise'"
		" WHERE serial = int8send(4611686018427387904 + %ld)",
		number));
	begin = now_us();
	while (!is_heard) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		post(httpc, number, false, &answer);
		is_heard = says_revoked(&answer);
	}
	return now_us() - begin;
}

static void tell_revocations(void)
{
	double times[REVOCATIONS];
	struct httpc httpc;

	must(httpc_open(&httpc, &world.services[0].peer, 5000), "no connection");
	for (long i = 0; i < REVOCATIONS; i++)
		times[i] = revoke_one(&httpc, i + 1);
	httpc_close(&httpc);
	printf("from a revocation to the answer that says so: median %.0f ms, longest %.0f ms\n",
		percentile(times, REVOCATIONS, 50) / 1e3,
		percentile(times, REVOCATIONS, 100) / 1e3);
}

static int bench(void)
{
	world_make(&(struct world_plan){.policy = world_any_name}, &world);
	fill();
	tell_local();
	printf("per second over HTTP, %d connections, clients on the same machine, %ld "
	       "certificates in the records:\n",
		CONNECTIONS, certificates);
	tell_memory("before");
	tell_http("one certificate, kept", 1, false);
	tell_http("signed anew, for each request has a nonce", 1, true);
	tell_http("all certificates in turn, each once at first", certificates, false);
	tell_http("all certificates in turn, once more", certificates, false);
	tell_memory("afterwards");
	tell_revocations();
	X509_free(leaf);
	X509_free(issuer);
	world_free(&world);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		certificates = strtol(argv[1], NULL, 10);
	if (certificates < 100) {
		fprintf(stderr, "usage: bench-ocsp [CERTIFICATES, 100 or more]\n");
		return 2;
	}
	return supervise(bench);
}
