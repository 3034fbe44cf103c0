/* test_openapi.c - the OpenAPI document says what the routes are, and what a running service answers. */
#include "ca/base/cert.h"
#include "ca/base/encode.h"
#include "enroll/http/router.h"
#include "tests/flow/cluster.h"
#include "tests/flow/knock.h"
#include "tests/flow/soft_renew.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char policy[] = "rules:\n"
			     "  - name: any\n"
			     "    hosts: [{glob: \"web-*.example.test\"}]\n"
			     "    templates: [ak]\n"
			     "    trust: [manufacturer, operator-import, allow-list, approved]\n"
			     "    unknown_ek: hold\n";

/*
 * What is asked once devices are enrolled and held, in this order. Words in braces are values of the table below it.
 * Every operation of the document needs an answer with 200.
 */
static const struct {
	const char *method, *path, *body;
} visits[] = {
	{"GET", "/metrics", NULL},
	{"GET", "/v1/admin/openapi.json", NULL},
	{"GET", "/v1/admin/status", NULL},
	{"GET", "/v1/admin/doctor", NULL},
	{"GET", "/v1/admin/attempts", NULL},
	{"GET", "/v1/admin/attempts?after=0&limit=10&since=1&host=web-*&reason=name-not-allowed",
		NULL},
	{"GET", "/v1/admin/attempts?before=99&after=1", NULL},
	{"GET", "/v1/admin/strangers?after=0", NULL},
	{"GET", "/v1/admin/pending?state=all", NULL},
	{"GET", "/v1/admin/pending/show?id={attempt}", NULL},
	{"GET", "/v1/admin/pending/show?id=x", NULL},
	{"POST", "/v1/admin/pending/reject", "{\"id\":\"{attempt}\",\"why\":\"test\"}"},
	{"POST", "/v1/admin/pending/accept", "{\"id\":\"{attempt}\",\"why\":\"test\"}"},
	{"POST", "/v1/admin/pending/trust-ca",
		"{\"id\":\"{attempt}\",\"why\":\"test\",\"certificate\":\"{ca}\"}"},
	{"GET", "/v1/admin/pending/show?id={attempt}", NULL},
	{"POST", "/v1/admin/ek/allow",
		"{\"entries\":[{\"ek_digest\":\"{ca}\",\"serial\":\"7\",\"host\":\"web-9.example."
		"test\","
		"\"labels\":{\"rack\":\"7\"}},{\"ek_digest\":\"{zeroes}\",\"host\":"
		"\"web-1.example.test\"}],\"source\":\"test\",\"why\":\"test\",\"skip_bad\":true}"},
	{"GET", "/v1/admin/ek/allowed?limit=5&host=web-*", NULL},
	{"POST", "/v1/admin/ek/disallow", "{\"ek_digest\":\"{ca}\",\"why\":\"test\"}"},
	{"GET", "/v1/admin/vendors", NULL},
	{"GET", "/v1/admin/vendors/export", NULL},
	{"POST", "/v1/admin/vendors/import",
		"{\"items\":[{\"role\":\"root\",\"manufacturers\":\"any\",\"source\":\"test\","
		"\"path\":"
		"\"x\",\"certificate\":\"AAAA\"}],\"why\":\"test\",\"dry_run\":true}"},
	{"POST", "/v1/admin/vendors/remove", "{\"sha256\":\"{ca}\",\"why\":\"test\"}"},
	{"POST", "/v1/admin/reload", ""},
	{"GET", "/v1/admin/crls?after={whole}.0", NULL},
	{"GET", "/v1/admin/crls", NULL},
	{"GET", "/v1/admin/crl?issuer={whole}&shard=0", NULL},
	{"GET", "/v1/admin/krl", NULL},
	{"GET", "/v1/admin/krl.sig", NULL},
	{"GET", "/v1/admin/devices?limit=2&state=active&host=web-*&since=1", NULL},
	{"GET", "/v1/admin/devices?limit=1", NULL},
	{"GET", "/v1/admin/device?id={device}", NULL},
	{"GET", "/v1/admin/device?host=nobody.example.test", NULL},
	{"GET", "/v1/admin/hosts?limit=10", NULL},
	{"GET", "/v1/admin/certificates?limit=2&kind=x509", NULL},
	{"GET", "/v1/admin/certificates?device={device}", NULL},
	{"GET", "/v1/admin/certificate?sha256={certificate}", NULL},
	{"GET", "/v1/admin/audit?limit=50", NULL},
	{"GET", "/v1/admin/statistics", NULL},
	{"GET", "/v1/admin/templates", NULL},
	{"POST", "/v1/admin/device/labels",
		"{\"device_id\":\"{device}\",\"set\":{\"rack\":\"7\"},\"remove\":[\"row\"],\"why\":"
		"\"test\"}"},
	{"POST", "/v1/admin/host/rebind",
		"{\"host\":\"web-4.example.test\",\"ek_digest\":\"{ca}\",\"why\":\"test\"}"},
	{"GET", "/v1/admin/whoami", NULL},
	{"POST", "/v1/admin/operator/add",
		"{\"name\":\"alice\",\"role\":\"operator\",\"why\":\"test\"}"},
	{"POST", "/v1/admin/operator/role",
		"{\"name\":\"alice\",\"role\":\"auditor\",\"why\":\"test\"}"},
	{"POST", "/v1/admin/operator/disable", "{\"name\":\"alice\",\"why\":\"test\"}"},
	{"POST", "/v1/admin/operator/certificate/revoke",
		"{\"certificate_sha256\":\"{ca}\",\"name\":\"alice\",\"why\":\"test\"}"},
	{"GET", "/v1/admin/operators", NULL},
	{"POST", "/v1/admin/token/create",
		"{\"name\":\"ci\",\"role\":\"auditor\",\"expires_in\":600,\"why\":\"test\"}"},
	{"POST", "/v1/admin/token/revoke", "{\"name\":\"ci\",\"why\":\"test\"}"},
	{"GET", "/v1/admin/tokens", NULL},
	{"POST", "/v1/admin/device/hold", "{\"id\":\"{device}\",\"why\":\"test\"}"},
	{"GET", "/v1/admin/revocation?device={device}", NULL},
	{"POST", "/v1/admin/device/unhold", "{\"id\":\"{device}\",\"why\":\"test\"}"},
	{"POST", "/v1/admin/certificate/hold", "{\"serial\":\"{serial}\",\"why\":\"test\"}"},
	{"POST", "/v1/admin/certificate/unhold", "{\"serial\":\"{serial}\",\"why\":\"test\"}"},
	{"POST", "/v1/admin/certificate/revoke",
		"{\"serial\":\"{serial}\",\"reason\":\"superseded\",\"why\":\"test\"}"},
	{"GET", "/v1/admin/nothing", NULL},
	/* What takes things away comes last. */
	{"POST", "/v1/admin/host/unbind", "{\"host\":\"web-3.example.test\",\"why\":\"test\"}"},
	{"POST", "/v1/admin/device/revoke",
		"{\"id\":\"{device}\",\"reason\":\"keyCompromise\",\"why\":\"test\"}"},
	{"POST", "/v1/admin/device/reinstate", "{\"id\":\"{last}\",\"why\":\"test\"}"},
	{"POST", "/v1/admin/host/revoke",
		"{\"host\":\"web-4.example.test\",\"reason\":\"keyCompromise\",\"why\":\"test\"}"},
	{"GET", "/v1/admin/hosts?barred=yes", NULL},
	{"POST", "/v1/admin/host/reinstate", "{\"host\":\"web-4.example.test\",\"why\":\"test\"}"},
	{"POST", "/v1/admin/host/retire",
		"{\"host\":\"web-5.example.test\",\"reason\":\"cessationOfOperation\",\"why\":"
		"\"test\"}"},
	{"POST", "/v1/admin/ca/revoke",
		"{\"issuer\":\"{issuer}\",\"reason\":\"keyCompromise\",\"why\":\"test\"}"},
	{"GET", "/v1/admin/revocation", NULL},
	{"GET", "/v1/admin/audit", NULL},
};

static const struct {
	const char *word, *sql;
} values[] = {
	{"{attempt}", "SELECT encode(attempt_id, 'hex') FROM pending"},
	{"{device}", "SELECT replace(device_id::text, '-', '') FROM host WHERE name = "
		     "'web-1.example.test'"},
	{"{last}", "SELECT replace(device_id::text, '-', '') FROM device WHERE state = 'revoked'"},
	{"{certificate}", "SELECT encode(sha256(der), 'hex') FROM certificate LIMIT 1"},
	{"{issuer}", "SELECT left(encode(issuer_id, 'hex'), 16) FROM issuer WHERE kind = 'x509'"},
	{"{serial}",
		"SELECT encode(serial, 'hex') FROM certificate WHERE host = 'web-3.example.test'"},
	{"{whole}", "SELECT encode(issuer_id, 'hex') FROM issuer WHERE kind = 'x509'"},
	{"{zeroes}", "SELECT repeat('0', 64)"},
};

/* The same for what comes through the edge. */
static const char *const fetched[] = {
	"/healthz",
	"/readyz",
	"/v1/certificates/{certificate}",
	"/ca/{issuer}.cer",
	"/ca/{issuer}.pem",
	"/ca/chain.pem",
	"/ca/chain.p7c",
	"/ca/ssh-host-ca.pub",
	"/ca/known_hosts",
	"/ca/nothing",
	"/crl/{issuer}-0.crl",
	"/krl",
	"/krl.sig",
	"/ocsp/MAA=",
};

static struct world world;
static struct maker stranger; /* nobody trusts it, at first */
static FILE *journal;
static char *routes_file, *journal_file;

static void write_bytes(const char *key, struct view bytes)
{
	AUTO(buf_free) struct buf base64 = BUF(64 << 20);

	base64_add(&base64, bytes);
	fprintf(journal, ",\"%s\":\"%s\"", key, buf_text(&base64));
}

/* Methods and paths of these tests have nothing that JSON would want escaped. */
static void note(
	const char *method, const char *path, struct view body, const struct httpc_answer *answer)
{
	AUTO(mem_free) char *type = httpc_header(answer, "Content-Type");

	fprintf(journal, "{\"method\":\"%s\",\"path\":\"%s\",\"status\":%d,\"type\":\"%s\"", method,
		path, answer->status, type == NULL ? "" : type);
	write_bytes("body", body);
	write_bytes("answer", buf_view(&answer->body));
	fputs("}\n", journal);
}

static void write_routes(const struct route *routes, FILE *out)
{
	static const char *const roles[] = {[ADMIT_ALL] = "anybody",
		[ADMIT_EDGE] = "edge",
		[ADMIT_AUDITOR] = "auditor",
		[ADMIT_OPERATOR] = "operator",
		[ADMIT_ADMIN] = "admin"};

	for (const struct route *route = routes; route->method != NULL; route++) {
		const char *comma = "";

		fprintf(out,
			"{\"method\":\"%s\",\"path\":\"%s\",\"role\":\"%s\",\"body\":%zu,\"query\":"
			"{",
			route->method, route->path, roles[route->admission], route->body_limit);
		for (const struct query_key *key = route->query; key != NULL && key->name != NULL;
			key++, comma = ",")
			fprintf(out, "%s\"%s\":%zu", comma, key->name, key->max);
		fputs("}}\n", out);
	}
}

static int make(void **state)
{
	AUTO(mem_free) char *dir = NULL;
	FILE *routes;

	(void)state;
	world_make(&(struct world_plan){.services = 1, .policy = policy}, &world);
	dir = text("%s/stranger", world.dir);
	maker_init(&stranger, dir, "stranger");
	routes_file = text("%s/routes", world.dir);
	journal_file = text("%s/journal", world.dir);
	must((routes = fopen(routes_file, "w")) != NULL, "%s", routes_file);
	write_routes(device_routes, routes);
	write_routes(admin_routes, routes);
	fclose(routes);
	must((journal = fopen(journal_file, "w")) != NULL, "%s", journal_file);
	httpc_watched(note);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	httpc_watched(NULL);
	maker_free(&stranger);
	world_free(&world);
	free(routes_file);
	free(journal_file);
	return 0;
}

/* `text` with `value` in place of each `word`; takes `text`. */
static char *replaced(char *text, const char *word, const char *value)
{
	AUTO(buf_free) struct buf out = BUF(1 << 16);
	const char *rest = text, *at;

	for (; (at = strstr(rest, word)) != NULL; rest = at + strlen(word))
		buf_fmt(&out, "%.*s%s", (int)(at - rest), rest, value);
	buf_str(&out, rest);
	free(text);
	return strdup(buf_text(&out));
}

static char *filled(const char *template, const char *ca)
{
	char *text = replaced(strdup(template), "{ca}", ca);

	for (size_t i = 0; i < COUNT(values); i++)
		if (strstr(text, values[i].word) != NULL) {
			AUTO(mem_free) char *value = sql_text(world.conninfo, "%s", values[i].sql);

			text = replaced(text, values[i].word, value);
		}
	return text;
}

/* One that enrolls and renews, one that may not, one that nobody knows, and one that is held with its CAs. */
static void devices_come(const struct buf *root, const struct buf *intermediate)
{
	AUTO(soft_device_free) struct soft_device device, other, held;
	struct soft_device more[3];
	AUTO(soft_renewal_free) struct soft_renewal renewal;
	AUTO(soft_outcome_free) struct soft_outcome outcome;

	soft_device_enrolled(&world, "web-1.example.test", &device);
	for (size_t i = 0; i < COUNT(more); i++) {
		AUTO(mem_free) char *host = text("web-%zu.example.test", i + 3);

		soft_device_enrolled(&world, host, &more[i]);
		soft_device_free(&more[i]);
	}
	soft_renewal_init(&renewal, &device, world.name);
	assert_int_equal(soft_renew(&renewal, &world.services[0].peer), 200);
	stranger_of(&world, &world.maker, "db.example.test", &other);
	assert_knock(&world, &other, 403, "name-not-allowed");
	stranger_of(&world, &stranger, "web-2.example.test", &held);
	held.chain[0] = buf_view(intermediate);
	held.chain[1] = buf_view(root);
	held.chain_n = 2;
	soft_enroll(&held, &world.services[0].peer, world.name, &outcome);
	assert_int_equal(outcome.status, 202);
}

struct wish {
	const char *path;
	int status;
};

static bool is_there(void *arg)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	struct wish *wish = arg;

	httpc_get(&world.services[0].peer, wish->path, &answer);
	wish->status = answer.status;
	return answer.status == 200 || strcmp(wish->path, "/ca/nothing") == 0;
}

/* What is published comes a moment after the first certificate. */
static void fetch_all(const char *ca)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};

	for (size_t i = 0; i < COUNT(fetched); i++) {
		AUTO(mem_free) char *path = filled(fetched[i], ca);
		struct wish wish = {path, 0};

		if (!wait_until(is_there, &wish, 10000))
			fail_msg("%s: %d", path, wish.status);
	}
	httpc_ask(&world.services[0].peer, "POST", "/ocsp",
		"Content-Type: application/ocsp-request\r\n", view_str("0"), &answer);
}

static void ask_all(const struct buf *root)
{
	uint8_t digest[SHA256_SIZE];
	char ca[2 * SHA256_SIZE + 1];

	must(SHA256_OF(digest, buf_view(root)) == OK, "%s", why()->sentence);
	hex_write(VIEW(digest), ca);
	fetch_all(ca);
	for (size_t i = 0; i < COUNT(visits); i++) {
		AUTO(mem_free) char *path = filled(visits[i].path, ca);
		AUTO(mem_free)
		char *body = filled(visits[i].body == NULL ? "" : visits[i].body, ca);
		AUTO(httpc_answer_free) struct httpc_answer answer = {0};

		httpc_ask(&world.services[0].admin, visits[i].method, path, NULL,
			visits[i].body == NULL ? (struct view){NULL, 0} : view_str(body), &answer);
	}
}

static void every_route_is_described_and_answers_as_described(void **state)
{
	AUTO(buf_free) struct buf root = BUF(8192), intermediate = BUF(8192);
	AUTO(mem_free) char *script = world_source("tests/flow/openapi");
	AUTO(output_free) struct output output;
	const char *const argv[] = {script, routes_file, journal_file, NULL};

	(void)state;
	assert_int_equal(cert_der_add(stranger.root, &root), OK);
	assert_int_equal(cert_der_add(stranger.intermediate, &intermediate), OK);
	devices_come(&root, &intermediate);
	ask_all(&root);
	assert_int_equal(fclose(journal), 0);
	process_run(&(struct program){.argv = argv}, &output);
	if (output.code != 0)
		fail_msg("%s%s", buf_text(&output.out), buf_text(&output.err));
	printf("%s", buf_text(&output.out));
}

/* The judge itself, by one more line in either of its files. */
static void assert_told(const char *file, const char *line, const char *words)
{
	AUTO(mem_free) char *script = world_source("tests/flow/openapi");
	AUTO(mem_free) char *changed = text("%s/changed", world.dir);
	AUTO(output_free) struct output output;
	const char *const argv[] = {script, file == routes_file ? changed : routes_file,
		file == journal_file ? changed : journal_file, NULL};
	FILE *out;

	MUST_RUN("cp", file, changed);
	must((out = fopen(changed, "a")) != NULL, "%s", changed);
	fputs(line, out);
	fclose(out);
	process_run(&(struct program){.argv = argv}, &output);
	if (output.code != 1 || strstr(buf_text(&output.out), words) == NULL)
		fail_msg("%d, wanted \"%s\":\n%s%s", output.code, words, buf_text(&output.out),
			buf_text(&output.err));
}

static void what_the_document_does_not_say_is_told(void **state)
{
	(void)state;
	assert_told(routes_file,
		"{\"method\":\"GET\",\"path\":\"/"
		"new\",\"role\":\"auditor\",\"body\":0,\"query\":{}}\n",
		"GET /new: a route that the document does not have\n");
	assert_told(routes_file,
		"{\"method\":\"GET\",\"path\":\"/"
		"metrics\",\"role\":\"admin\",\"body\":0,\"query\":{}}\n",
		"GET /metrics: the route wants admin, the document says auditor\n");
	assert_told(routes_file,
		"{\"method\":\"GET\",\"path\":\"/"
		"metrics\",\"role\":\"auditor\",\"body\":0,\"query\":{\"x\":1}}\n",
		"GET /metrics: takes {'x': 1}, the document says {}\n");
	/* {"service": "x", "findings": [], "more": 1} */
	assert_told(journal_file,
		"{\"method\":\"GET\",\"path\":\"/v1/admin/doctor\",\"status\":200,\"type\":"
		"\"application/json\",\"body\":\"\",\"answer\":"
		"\"eyJzZXJ2aWNlIjogIngiLCAiZmluZGluZ3MiOiBbXSwgIm1vcmUiOiAxfQ==\"}\n",
		"GET /v1/admin/doctor: 200: : Additional properties are not allowed");
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(every_route_is_described_and_answers_as_described),
		cmocka_unit_test(what_the_document_does_not_say_is_told),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
