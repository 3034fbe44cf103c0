/* asking.c - OCSP among very many certificates, and how soon it and the CRLs know of one act. */
#include "ca/base/ossl.h"
#include "tests/bench/revocation/bed.h"
#include "tests/flow/published.h"

#include <openssl/ocsp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define CONNECTIONS 4
#define OCSP_MS 3000

static void request_make(const char *hex, bool has_nonce, struct buf *out)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	AUTO(ossl_free) uint8_t *der = NULL;
	ASN1_INTEGER *serial;
	BIGNUM *number = NULL;
	int n;

	must(request != NULL && BN_hex2bn(&number, hex) > 0, "%s", hex);
	serial = BN_to_ASN1_INTEGER(number, NULL);
	OCSP_request_add0_id(
		request, OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(bed.issuer),
				 X509_get0_pubkey_bitstr(bed.issuer), serial));
	if (has_nonce)
		OCSP_request_add1_nonce(request, NULL, 32);
	n = i2d_OCSP_REQUEST(request, &der);
	must(n > 0, "no request");
	buf_add(out, (struct view){der, (size_t)n});
	ASN1_INTEGER_free(serial);
	BN_free(number);
	OCSP_REQUEST_free(request);
}

void inquire(struct httpc *httpc, const char *serial, bool has_nonce, struct httpc_answer *answer)
{
	AUTO(buf_free) struct buf body = BUF(1 << 14), bytes = BUF(1 << 15);

	request_make(serial, has_nonce, &body);
	buf_fmt(&bytes, "POST /ocsp HTTP/1.1\r\nHost: bench\r\n%sContent-Length: %zu\r\n\r\n",
		bed.world.services[0].headers, body.n);
	buf_add(&bytes, buf_view(&body));
	must(httpc_send(httpc, buf_view(&bytes)) && httpc_receive(httpc, answer, 10000) &&
			answer->status == 200 && answer->body.n > 100,
		"no answer");
}

bool says_revoked(struct httpc *httpc, const char *serial)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	OCSP_RESPONSE *response;
	OCSP_BASICRESP *basic;
	const uint8_t *p;
	int status;

	inquire(httpc, serial, false, &answer);
	p = answer.body.p;
	response = d2i_OCSP_RESPONSE(NULL, &p, (long)answer.body.n);
	basic = OCSP_response_get1_basic(response);
	status = OCSP_single_get0_status(OCSP_resp_get0(basic, 0), NULL, NULL, NULL, NULL);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return status == V_OCSP_CERTSTATUS_REVOKED;
}

struct asker {
	pthread_t thread;
	long from, span, answered;
	double until;
	bool has_nonce, once; /* each of the span once, however long it takes */
};

static void *ask_on(void *arg)
{
	struct asker *asker = arg;
	struct httpc httpc;

	must(httpc_open(&httpc, &bed.world.services[0].peer, 5000), "no connection");
	while (asker->once ? asker->answered < asker->span : now() < asker->until) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		inquire(&httpc, cell(asker->from + asker->answered % asker->span, SERIAL),
			asker->has_nonce, &answer);
		asker->answered++;
	}
	httpc_close(&httpc);
	return NULL;
}

static void bench_ocsp_row(const char *what, long span, bool has_nonce, bool once)
{
	struct asker askers[CONNECTIONS];
	double begin = now(), rate;
	long all = 0;

	for (int i = 0; i < CONNECTIONS; i++) {
		askers[i] = (struct asker){.from = span == 1 ? 0 : i * (span / CONNECTIONS),
			.span = span == 1 ? 1 : span / CONNECTIONS,
			.has_nonce = has_nonce,
			.once = once,
			.until = begin + OCSP_MS};
		must(pthread_create(&askers[i].thread, NULL, ask_on, &askers[i]) == 0, "no thread");
	}
	for (int i = 0; i < CONNECTIONS; i++) {
		pthread_join(askers[i].thread, NULL);
		all += askers[i].answered;
	}
	rate = (double)all * 1e3 / (now() - begin);
	printf("  %-46s %7.0f   %.2f\n", what, rate, rate / bed.bare_per_s);
}

void bench_ocsp(void)
{
	printf("OCSP by HTTP, %d connections, clients on this machine: per second, and per bare "
	       "signature of a core\n",
		CONNECTIONS);
	bench_ocsp_row("one certificate, kept", 1, false, false);
	bench_ocsp_row("a nonce: looked up and signed each time", sample_n(), true, false);
	bench_ocsp_row("20000 certificates, each for the first time", sample_n(), false, true);
	bench_ocsp_row("the same once more, kept", sample_n(), false, true);
}

void post(const char *path, const char *json, struct httpc_answer *answer)
{
	httpc_post(&bed.world.services[0].admin, path, view_str(json), answer);
	must(answer->status == 200, "%s: %d %s", path, answer->status, buf_text(&answer->body));
}

static bool is_in_crl(long row)
{
	AUTO(mem_free) char *path = text("%s-%s.crl", bed.crl_of, cell(row, SHARD));
	AUTO(x509_crl_free) X509_CRL *crl = crl_at(&bed.world.services[0].peer, path);
	X509_REVOKED *entry;
	ASN1_INTEGER *serial;
	BIGNUM *number = NULL;
	bool is_in;

	must(crl != NULL && BN_hex2bn(&number, cell(row, SERIAL)) > 0, "%s", path);
	serial = BN_to_ASN1_INTEGER(number, NULL);
	is_in = X509_CRL_get0_by_serial(crl, &entry, serial) == 1;
	ASN1_INTEGER_free(serial);
	BN_free(number);
	return is_in;
}

/* All from when the request was sent: until it was answered, until OCSP says so, until the CRL does. */
static void revoke_one(struct httpc *httpc, long row, double times[3])
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	AUTO(mem_free)
	char *json = text("{\"id\":\"%s\",\"reason\":\"keyCompromise\",\"why\":\"bench\"}",
		cell(row, DEVICE));
	double begin;

	must(!says_revoked(httpc, cell(row, SERIAL)), "it is revoked");
	begin = now();
	post("/v1/admin/device/revoke", json, &answer);
	times[0] = now() - begin;
	times[1] = times[2] = 0;
	while (times[1] == 0 || times[2] == 0) {
		if (times[1] == 0 && says_revoked(httpc, cell(row, SERIAL)))
			times[1] = now() - begin;
		if (times[2] == 0 && is_in_crl(row))
			times[2] = now() - begin;
		must(now() - begin < 60000, "not heard of");
	}
}

void bench_acts(void)
{
	static const char *const names[] = {"answered", "OCSP says so", "the CRL says so"};
	double times[3][ACTS], of[3];
	struct httpc httpc;

	must(httpc_open(&httpc, &bed.world.services[0].peer, 5000), "no connection");
	for (int i = 0; i < ACTS; i++) {
		revoke_one(&httpc, i, of);
		for (int k = 0; k < 3; k++)
			times[k][i] = of[k];
	}
	httpc_close(&httpc);
	printf("revoking a device by the admin API, %d times: ms, p50 and p99, and p50 per "
	       "inserted row\n",
		ACTS);
	for (int k = 0; k < 3; k++) {
		double middle = percentile(times[k], ACTS, 50);

		printf("  %-46s %7.1f %7.1f   %.0f\n", names[k], middle,
			percentile(times[k], ACTS, 99), middle / bed.bare_write);
	}
}
