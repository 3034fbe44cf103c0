#include "enroll/admin/edge.h"

#include "ca/base/clock.h"
#include "ca/base/ossl.h"
#include "ca/validity.h"
#include "enroll/proto/problem.h"

#include <curl/curl.h>
#include <openssl/pem.h>
#include <string.h>

#define DAY 86400
#define SOON (30 * DAY) /* ours live 397 days */
#define EDGE_ANSWER (64 * 1024)

struct looking {
	CURL *curl;
	const char *url, *roots;
	struct findings *findings;
	char error[CURL_ERROR_SIZE];
	struct buf body;
	long status;
};

static size_t take(char *bytes, size_t size, size_t n, void *body)
{
	buf_add(body, (struct view){(const uint8_t *)bytes, size * n});
	return ((struct buf *)body)->failed ? 0 : size * n;
}

static void looking_free(struct looking *looking)
{
	curl_easy_cleanup(looking->curl);
	buf_free(&looking->body);
}

static CURLcode get(struct looking *looking, const char *path)
{
	AUTO(buf_free) struct buf url = BUF(2048);
	CURLcode code;

	buf_free(&looking->body);
	looking->error[0] = '\0';
	looking->status = 0;
	buf_fmt(&url, "%s%s", looking->url, path);
	curl_easy_setopt(looking->curl, CURLOPT_URL, buf_text(&url));
	code = curl_easy_perform(looking->curl);
	curl_easy_getinfo(looking->curl, CURLINFO_RESPONSE_CODE, &looking->status);
	return code;
}

static bool set_up(struct looking *looking)
{
	CURL *curl = looking->curl = curl_easy_init();

	if (curl == NULL)
		return false;
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CAINFO, looking->roots);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, looking->error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &looking->body);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 15L);
	return true;
}

static void add_failure(struct looking *looking, CURLcode code)
{
	const char *text = looking->error[0] == '\0' ? curl_easy_strerror(code) : looking->error;

	if (code == CURLE_PEER_FAILED_VERIFICATION)
		finding_add(looking->findings, "edge", FINDING_FAIL,
			"%s: devices do not trust it: %.300s; make a certificate for this very "
			"name "
			"(endorsectl ca edge) by a CA under %s and give it to the edge",
			looking->url, text, looking->roots);
	else if (code == CURLE_SSL_CACERT_BADFILE)
		finding_add(looking->findings, "edge", FINDING_FAIL,
			"not looked at: %s holds no certificate in PEM (--ca)", looking->roots);
	else
		finding_add(looking->findings, "edge", FINDING_FAIL,
			"%s: devices do not reach it: %.300s; is the edge running, and does the "
			"name lead to it?",
			looking->url, text);
}

/* `place`: 0 is the edge's own certificate, those after it were sent along. */
static void examine_certificate(struct looking *looking, const char *pem, int place)
{
	AUTO(bio_free) BIO *bio = BIO_new_mem_buf(pem, -1);
	char no_passphrase[] = ""; /* or OpenSSL would ask somebody for one */
	AUTO(x509_free)
	X509 *cert = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, no_passphrase);
	const char *what = place == 0 ? "the edge's certificate" : "a certificate above the edge's";
	char when[CLOCK_TEXT_SIZE];
	int64_t end, left;

	if (cert == NULL || validity_end(cert, &end) != OK)
		return;
	left = end - clock_now();
	clock_text(end, when);
	if (left < SOON)
		finding_add(looking->findings, "edge", FINDING_WARN,
			"%s ends in %lld days, at %s: devices refuse it from then on; make the "
			"next "
			"one (endorsectl ca edge) and give it to the edge",
			what, (long long)left / DAY, when);
	else
		finding_add(looking->findings, "edge", FINDING_OK, "%s ends in %lld days", what,
			(long long)left / DAY);
}

static void examine_chain(struct looking *looking)
{
	static const char begin[] = "Cert:";
	struct curl_certinfo *chain = NULL;

	if (curl_easy_getinfo(looking->curl, CURLINFO_CERTINFO, &chain) != CURLE_OK ||
		chain == NULL)
		return;
	for (int i = 0; i < chain->num_of_certs; i++)
		for (const struct curl_slist *l = chain->certinfo[i]; l != NULL; l = l->next)
			if (strncmp(l->data, begin, sizeof(begin) - 1) == 0)
				examine_certificate(looking, l->data + sizeof(begin) - 1, i);
}

/* Something that no device would send: the service says so, when the edge may speak for it. */
static void examine_ticket(struct looking *looking)
{
	struct problem problem = {0};

	curl_easy_setopt(looking->curl, CURLOPT_POSTFIELDS, "{}");
	if (get(looking, "/v1/ticket") != CURLE_OK ||
		problem_parse(buf_view(&looking->body), &problem) != OK)
		problem.code[0] = '\0';
	curl_easy_setopt(looking->curl, CURLOPT_HTTPGET, 1L);
	/* What keeps the service busy is told by the service itself. */
	if (strcmp(problem.code, "json-key-missing") == 0 || strcmp(problem.code, "busy") == 0)
		finding_add(looking->findings, "edge", FINDING_OK, "it passes on what devices ask");
	else if (strcmp(problem.code, "edge-secret") == 0)
		finding_add(looking->findings, "edge", FINDING_FAIL,
			"no device can enroll: the edge's secret is another than the service's "
			"(edge_secret_file): give both the same, then endorsectl reload, and "
			"restart the edge");
	else
		finding_add(looking->findings, "edge", FINDING_FAIL,
			"/v1/ticket is answered with %ld %s, which is not how the service answers: "
			"does the edge pass it on?",
			looking->status, problem.code);
}

/* What the edge is to answer by itself, and strangers are never to reach. */
static void examine_closed(struct looking *looking)
{
	static const char *const paths[] = {
		"/readyz", "/v1/admin/attempts", "/v1/admin/doctor", "/v1/admin/host/unbind"};
	size_t open = 0;

	for (size_t i = 0; i < COUNT(paths); i++) {
		struct problem problem = {0};

		if (get(looking, paths[i]) != CURLE_OK) {
			add_failure(looking, CURLE_RECV_ERROR);
			return;
		}
		if (problem_parse(buf_view(&looking->body), &problem) == OK &&
			strcmp(problem.code, "edge-forbidden") == 0)
			continue;
		open++;
		finding_add(looking->findings, "edge", FINDING_FAIL,
			"strangers reach %s through it (it answers %ld %s): let the edge pass on "
			"/v1/ticket, /v1/enroll and /healthz only (deploy/edge/haproxy.cfg)",
			paths[i], looking->status, problem.code);
	}
	if (open == 0)
		finding_add(looking->findings, "edge", FINDING_OK,
			"strangers reach neither /readyz nor /v1/admin through it");
}

static void examine(struct looking *looking)
{
	CURLcode code = get(looking, "/healthz");

	if (code != CURLE_OK) {
		add_failure(looking, code);
		return;
	}
	finding_add(looking->findings, "edge", FINDING_OK, "%s is trusted by %s", looking->url,
		looking->roots);
	examine_chain(looking);
	if (looking->status == 200)
		finding_add(looking->findings, "edge", FINDING_OK,
			"it passes on /healthz to a service that is well");
	else
		finding_add(looking->findings, "edge", FINDING_FAIL,
			"/healthz is answered with %ld: the edge does not reach endorsed, or "
			"endorsed "
			"is being stopped",
			looking->status);
	if (looking->status == 200)
		examine_ticket(looking);
	examine_closed(looking);
}

void edge_examine(const char *url, const char *roots, struct findings *findings)
{
	AUTO(looking_free)
	struct looking looking = {
		.url = url, .roots = roots, .findings = findings, .body = BUF(EDGE_ANSWER)};

	if (set_up(&looking))
		examine(&looking);
	else
		finding_add(findings, "edge", FINDING_FAIL, "not looked at: out of memory");
}
