/* test_roles.c - who may administer: each route of the router's own table, with each credential. */
#include "ca/base/cert.h"
#include "ca/base/encode.h"
#include "enroll/http/router.h"
#include "enroll/proto/operators.h"
#include "enroll/proto/problem.h"
#include "tests/flow/cluster.h"
#include "tests/flow/httpc.h"
#include "tests/flow/supervise.h"
#include "tests/flow/timed.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

/* Somebody who asks: what his requests have with them, and what becomes of them. */
struct somebody {
	const char *is; /* for messages */
	char *headers;
	int level; /* the least admission that is too much for him; 0: none lets him in */
	int status; /* where he is not let in */
	const char *code;
	bool is_local; /* the file's token: only on the machine itself */
};

#define SOMEBODIES 40
static struct somebody all[SOMEBODIES];
static size_t all_n;

static void ask(const char *headers, const struct route *route, struct httpc_answer *answer)
{
	const struct httpc_peer peer = {.port = world.services[0].admin_port, .headers = headers};
	size_t n = strcspn(route->path, "*");
	/* A path that is matched by its beginning has something behind it. */
	AUTO(mem_free)
	char *path = text("%.*s%s", (int)n, route->path, route->path[n - 1] == '/' ? "x" : "");

	if (strcmp(route->method, "GET") == 0)
		httpc_get(&peer, path, answer);
	else
		httpc_post(&peer, path, view_str("{}"), answer);
}

static void assert_problem(const struct httpc_answer *answer, const char *is,
	const struct route *route, int status, const char *code)
{
	struct problem problem = {0};

	if (answer->status != status || problem_parse(buf_view(&answer->body), &problem) != OK ||
		strcmp(problem.code, code) != 0)
		fail_msg("%s at %s %s: %d %s, wanted %d %s", is, route->method, route->path,
			answer->status, buf_text(&answer->body), status, code);
}

/* The DER of a PEM file's first certificate in the header that only the edge may set. */
static char *by_certificate(const char *path)
{
	AUTO(x509_free) X509 *cert = NULL;
	AUTO(buf_free) struct buf der = BUF(8192), line = BUF(16384);

	must(cert_read(path, "test", &cert) == OK && cert_der_add(cert, &der) == OK, "%s", path);
	buf_fmt(&line, "X-Endorse-Edge: %s\r\nX-Endorse-Client-Address: 192.0.2.7\r\n",
		world.admin_secret);
	buf_str(&line, "X-Endorse-Client-Cert: ");
	base64_add(&line, buf_view(&der));
	buf_str(&line, "\r\n");
	return buf_take(&line);
}

static char *by_token(const char *token)
{
	return text("Authorization: Bearer %s\r\n", token);
}

static void add(struct somebody somebody)
{
	must(all_n < SOMEBODIES, "too many");
	all[all_n++] = somebody;
}

static void post(const char *path, const char *json)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;

	httpc_post(&world.services[0].admin, path, view_str(json), &answer);
	must(answer.status == 200, "%s %s: %s", path, json, buf_text(&answer.body));
}

static char *operator_file(const char *name)
{
	return text("%s/%s.pem", world.dir, name);
}

/* A certificate by `endorsectl ca operator` of this world's admin CA, or of that in `dir`. */
static char *certify(const char *dir, const char *name)
{
	AUTO(mem_free) char *endorsectl = text("%s/endorsectl", ENDORSE_BIN_DIR);
	char *path = text("%s/%s-%s.pem", world.dir, name, dir == world.ca ? "ours" : "theirs");

	MUST_RUN(endorsectl, "ca", "operator", name, "--dir", dir, "--out", path);
	return path;
}

static void add_operator(const char *name, const char *role)
{
	AUTO(mem_free)
	char *json = text("{\"name\":\"%s\",\"role\":\"%s\",\"why\":\"test\"}", name, role);

	post("/v1/admin/operator/add", json);
}

static void make_operator(const char *name, const char *role, int level)
{
	AUTO(mem_free) char *path = certify(world.ca, name);

	add_operator(name, role);
	add((struct somebody){.is = role, .headers = by_certificate(path), .level = level});
}

static char *make_token(const char *name, const char *role)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	AUTO(token_answer_wipe) struct token_answer created;
	AUTO(mem_free)
	char *json = text("{\"name\":\"%s\",\"role\":\"%s\",\"expires_in\":600,\"why\":\"test\"}",
		name, role);

	httpc_post(&world.services[0].admin, "/v1/admin/token/create", view_str(json), &answer);
	must(answer.status == 200 && token_answer_parse(buf_view(&answer.body), &created) == OK,
		"%s: %s", json, buf_text(&answer.body));
	return by_token(created.token);
}

/* Those whom some routes let in. */
static void make_admitted(void)
{
	make_operator("alice", "auditor", ADMIT_OPERATOR);
	make_operator("olga", "operator", ADMIT_ADMIN);
	make_operator("adam", "admin", ADMIT_ADMIN + 1);
	add((struct somebody){.is = "auditor\'s token",
		.headers = make_token("a", "auditor"),
		.level = ADMIT_OPERATOR});
	add((struct somebody){.is = "operator\'s token",
		.headers = make_token("o", "operator"),
		.level = ADMIT_ADMIN});
	add((struct somebody){.is = "admin\'s token",
		.headers = make_token("m", "admin"),
		.level = ADMIT_ADMIN + 1});
	add((struct somebody){.is = "file's token",
		.headers = by_token(world.token),
		.level = ADMIT_ADMIN + 1,
		.is_local = true});
}

static void make_bad_tokens(void)
{
	char *revoked = make_token("revoked", "admin"), *expired = make_token("expired", "admin");
	char other[2 * SECRET_SIZE + 1] = {0};

	post("/v1/admin/token/revoke", "{\"name\":\"revoked\",\"why\":\"test\"}");
	must(sql_number(world.conninfo,
		     "WITH late AS (UPDATE api_token SET expires_at = now() - interval '1 s',"
		     " created_at = now() - interval '1 h' WHERE name = 'expired' RETURNING 1)"
		     " SELECT count(*) FROM late") == 1,
		"the token cannot be made to expire");
	memset(other, 'a', sizeof(other) - 1);
	add((struct somebody){"nobody", NULL, 0, 401, "credential-missing", false});
	add((struct somebody){"a revoked token", revoked, 0, 401, "token-revoked", false});
	add((struct somebody){"an expired token", expired, 0, 401, "token-expired", false});
	add((struct somebody){
		"another service's token", by_token(other), 0, 401, "token-unknown", false});
	add((struct somebody){"the edge's secret as a token", by_token(world.secret), 0, 401,
		"token-unknown", false});
	add((struct somebody){"a name and a password",
		text("%s", "Authorization: Basic YWRtaW46YWRtaW4=\r\n"), 0, 401, "token-unknown",
		false});
}

static void make_disabled(void)
{
	AUTO(mem_free) char *dora = certify(world.ca, "dora"), *nora = certify(world.ca, "nora");

	add_operator("dora", "admin");
	post("/v1/admin/operator/disable", "{\"name\":\"dora\",\"why\":\"test\"}");
	add((struct somebody){
		"disabled", by_certificate(dora), 0, 403, "operator-disabled", false});
	add((struct somebody){"unknown", by_certificate(nora), 0, 403, "operator-unknown", false});
}

static void make_revoked(void)
{
	AUTO(mem_free) char *rita = certify(world.ca, "rita"), *json = NULL;
	AUTO(x509_free) X509 *cert = NULL;
	AUTO(buf_free) struct buf der = BUF(8192);
	char digest[CERTIFICATE_DIGITS + 1];
	uint8_t sha[SHA256_SIZE];

	must(cert_read(rita, "test", &cert) == OK && cert_der_add(cert, &der) == OK &&
			SHA256_OF(sha, buf_view(&der)) == OK,
		"%s", rita);
	hex_write(VIEW(sha), digest);
	json = text("{\"certificate_sha256\":\"%s\",\"name\":\"rita\",\"why\":\"lost\"}", digest);
	add_operator("rita", "admin");
	post("/v1/admin/operator/certificate/revoke", json);
	add((struct somebody){"a revoked certificate", by_certificate(rita), 0, 403,
		"operator-certificate-revoked", false});
}

/* A certificate by another CA that says it is adam's: of the devices' own, and of another service's. */
static void make_foreign(void)
{
	AUTO(mem_free) char *endorsectl = text("%s/endorsectl", ENDORSE_BIN_DIR);
	AUTO(mem_free) char *dir = text("%s/other-ca", world.dir);
	AUTO(mem_free) char *theirs = NULL, *late = operator_file("late");
	AUTO(mem_free) char *device = operator_file("device"), *issuing = NULL;

	MUST_RUN(endorsectl, "ca", "init", "--dir", dir, "--organization", "Example");
	theirs = certify(dir, "adam");
	timed_operator(world.ca, "admin-ca", late, "adam", -10);
	timed_operator(world.ca, "issuing", device, "adam", 86400);
	issuing = text("%s/issuing.pem", world.ca);
	add((struct somebody){"another service's operator", by_certificate(theirs), 0, 403,
		"not-an-operator", false});
	add((struct somebody){"an expired certificate", by_certificate(late), 0, 403,
		"operator-certificate-expired", false});
	add((struct somebody){"a device named like an admin", by_certificate(device), 0, 403,
		"not-an-operator", false});
	add((struct somebody){
		"the devices' CA", by_certificate(issuing), 0, 403, "not-an-operator", false});
}

/* adam's certificate, believed by nobody without the secret of the edge for admins. */
static void make_forged(void)
{
	AUTO(mem_free) char *adam = text("%s/adam-ours.pem", world.dir);
	AUTO(mem_free) char *good = by_certificate(adam);
	const char *rest = strchr(good, '\n') + 1;
	char *none = text("%s", rest);
	char *devices = text("X-Endorse-Edge: %s\r\n%s", world.secret, rest);
	char *address =
		text("%sX-Endorse-Client-Address: 127.0.0.1\r\n", world.services[0].admin_headers);

	add((struct somebody){"without the secret", none, 0, 403, "admin-edge-secret", false});
	add((struct somebody){
		"with the devices' edge's", devices, 0, 403, "admin-edge-secret", false});
	add((struct somebody){
		"the file's token and an address", address, 0, 403, "admin-edge-secret", false});
	add((struct somebody){"a certificate and a token",
		text("%s%s", good, world.services[0].admin_headers), 0, 400, "credential-twice",
		false});
	add((struct somebody){"the file's token through an edge",
		text("X-Endorse-Edge: %s\r\nX-Endorse-Client-Address: 192.0.2.7\r\n%s",
			world.admin_secret, world.services[0].admin_headers),
		0, 401, "token-unknown", false});
	add((struct somebody){"a certificate twice", text("%s%s", good, rest), 0, 400,
		"edge-header-twice", false});
}

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.services = 1}, &world);
	make_admitted();
	make_bad_tokens();
	make_disabled();
	make_revoked();
	make_foreign();
	make_forged();
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	for (size_t i = 0; i < all_n; i++)
		free(all[i].headers);
	world_free(&world);
	return 0;
}

/* A role is enough when the route says something about the request itself. */
static void assert_let_in(
	const struct httpc_answer *answer, const char *is, const struct route *route)
{
	if (answer->status == 0 || answer->status == 401 || answer->status == 403 ||
		answer->status >= 500)
		fail_msg("%s at %s %s: %d %s", is, route->method, route->path, answer->status,
			buf_text(&answer->body));
}

static void walk(const struct somebody *somebody)
{
	for (const struct route *route = admin_routes; route->method != NULL; route++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		/* Nothing of this listener is for everybody, or for an edge alone. */
		assert_true(route->admission >= ADMIT_AUDITOR);
		ask(somebody->headers, route, &answer);
		if (somebody->level == 0)
			assert_problem(
				&answer, somebody->is, route, somebody->status, somebody->code);
		else if ((int)route->admission >= somebody->level)
			assert_problem(&answer, somebody->is, route, 403, "role-insufficient");
		else
			assert_let_in(&answer, somebody->is, route);
	}
}

static void each_route_lets_in_its_roles_and_nobody_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < all_n; i++)
		walk(&all[i]);
}

static void what_changes_something_is_not_for_auditors(void **state)
{
	(void)state;
	for (const struct route *route = admin_routes; route->method != NULL; route++)
		if (strcmp(route->method, "GET") != 0)
			assert_true(route->admission > ADMIT_AUDITOR);
}

static void a_refusal_for_want_of_a_token_says_which_scheme_is_wanted(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	AUTO(mem_free) char *scheme = NULL;

	(void)state;
	ask(NULL, &admin_routes[0], &answer);
	assert_int_equal(answer.status, 401);
	scheme = httpc_header(&answer, "WWW-Authenticate");
	assert_non_null(scheme);
	assert_string_equal(scheme, "Bearer");
}

static void whoami(const char *headers, const char *who, const char *role, const char *by)
{
	const struct route route = {.method = "GET", .path = "/v1/admin/whoami"};
	AUTO(httpc_answer_free) struct httpc_answer answer;
	struct whoami is;

	ask(headers, &route, &answer);
	assert_int_equal(answer.status, 200);
	assert_int_equal(whoami_parse(buf_view(&answer.body), &is), OK);
	assert_string_equal(is.who, who);
	assert_string_equal(is.role, role);
	assert_string_equal(is.by, by);
	assert_int_equal(is.until == 0, strcmp(by, "file") == 0);
}

static void everybody_is_told_who_he_is(void **state)
{
	(void)state;
	whoami(all[0].headers, "operator:alice", "auditor", "certificate");
	whoami(all[2].headers, "operator:adam", "admin", "certificate");
	whoami(all[4].headers, "token:o", "operator", "token");
	whoami(all[6].headers, "admin-token", "admin", "file");
}

static void what_somebody_did_is_recorded_with_his_name_and_where_he_was(void **state)
{
	const struct route add_zoe = {.method = "POST", .path = "/v1/admin/operator/add"};
	const struct httpc_peer adam = {
		.port = world.services[0].admin_port, .headers = all[2].headers};
	AUTO(httpc_answer_free) struct httpc_answer answer;

	(void)state;
	httpc_post(&adam, add_zoe.path,
		view_str("{\"name\":\"zoe\",\"role\":\"auditor\",\"why\":\"she is new\"}"),
		&answer);
	assert_int_equal(answer.status, 200);
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM audit WHERE event = 'operator.added' AND"
				 " who = 'operator:adam' AND client_address = '192.0.2.7' AND"
				 " detail = 'zoe as auditor: she is new'"),
		1);
}

static void a_role_that_is_changed_and_a_token_that_is_revoked_count_from_the_next_request(
	void **state)
{
	AUTO(mem_free) char *token = make_token("short", "admin");
	AUTO(mem_free) char *path = certify(world.ca, "mona");
	AUTO(mem_free) char *mona = by_certificate(path);
	const struct route who = {.method = "GET", .path = "/v1/admin/whoami"};
	AUTO(httpc_answer_free) struct httpc_answer refused, gone;

	(void)state;
	add_operator("mona", "auditor");
	whoami(mona, "operator:mona", "auditor", "certificate");
	post("/v1/admin/operator/role", "{\"name\":\"mona\",\"role\":\"admin\",\"why\":\"x\"}");
	whoami(mona, "operator:mona", "admin", "certificate");
	post("/v1/admin/operator/disable", "{\"name\":\"mona\",\"why\":\"x\"}");
	ask(mona, &who, &refused);
	assert_problem(&refused, "mona", &who, 403, "operator-disabled");
	add_operator("mona", "operator");
	whoami(mona, "operator:mona", "operator", "certificate");
	whoami(token, "token:short", "admin", "token");
	post("/v1/admin/token/revoke", "{\"name\":\"short\",\"why\":\"x\"}");
	ask(token, &who, &gone);
	assert_problem(&gone, "short", &who, 401, "token-revoked");
}

static void what_cannot_be_is_refused_and_changes_nothing(void **state)
{
	static const struct {
		const char *path, *json;
		int status;
		const char *code;
	} rows[] = {
		{"operator/add", "{\"name\":\"a b\",\"role\":\"admin\",\"why\":\"x\"}", 400,
			"operator-name"},
		{"operator/add", "{\"name\":\"x\",\"role\":\"root\",\"why\":\"x\"}", 400,
			"role-unknown"},
		{"operator/add", "{\"name\":\"x\",\"role\":\"admin\",\"why\":\" \"}", 400,
			"why-missing"},
		{"operator/add", "{\"name\":\"adam\",\"role\":\"admin\",\"why\":\"x\"}", 409,
			"operator-exists"},
		{"operator/role", "{\"name\":\"x\",\"role\":\"admin\",\"why\":\"x\"}", 404,
			"operator-missing"},
		{"operator/disable", "{\"name\":\"x\",\"why\":\"x\"}", 404, "operator-missing"},
		{"operator/certificate/revoke", "{\"certificate_sha256\":\"00\",\"why\":\"x\"}",
			400, "certificate-digest"},
		{"token/create",
			"{\"name\":\"a\",\"role\":\"admin\",\"expires_in\":60,\"why\":\"x\"}", 409,
			"token-exists"},
		{"token/create",
			"{\"name\":\"x\",\"role\":\"admin\",\"expires_in\":0,\"why\":\"x\"}", 400,
			"token-expires"},
		{"token/create",
			"{\"name\":\"x\",\"role\":\"admin\",\"expires_in\":31622401,\"why\":\"x\"}",
			400, "token-expires"},
		{"token/revoke", "{\"name\":\"x\",\"why\":\"x\"}", 404, "token-missing"},
	};
	long before = world_rows(&world, "audit");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;
		AUTO(mem_free) char *path = text("/v1/admin/%s", rows[i].path);
		const struct route route = {.method = "POST", .path = path};

		httpc_post(&world.services[0].admin, path, view_str(rows[i].json), &answer);
		assert_problem(&answer, rows[i].json, &route, rows[i].status, rows[i].code);
	}
	assert_int_equal(world_rows(&world, "audit"), before);
	assert_int_equal(
		sql_number(world.conninfo, "SELECT count(*) FROM operator WHERE name = 'x'"), 0);
}

static void configure(const char *without)
{
	AUTO(mem_free) char *endorsectl = text("%s/endorsectl", ENDORSE_BIN_DIR);
	AUTO(mem_free) char *url = text("http://127.0.0.1:%d", world.services[0].admin_port);
	AUTO(mem_free) char *admin_token = text("%s/admin.token", world.dir);
	const char *config = world.services[0].config;

	MUST_RUN("sed", "-i", without, config);
	MUST_RUN(endorsectl, "reload", "--admin", url, "--token-file", admin_token);
}

/* The last one: it takes out of the configuration what lets adam in. */
static void an_edge_and_an_admin_ca_that_are_not_configured_let_nobody_in(void **state)
{
	const struct route who = {.method = "GET", .path = "/v1/admin/whoami"};
	AUTO(httpc_answer_free) struct httpc_answer no_ca, no_secret;
	AUTO(mem_free) char *zeroes = NULL, *digits = calloc(1, 2 * SECRET_SIZE + 1);
	AUTO(httpc_answer_free) struct httpc_answer unset;

	(void)state;
	whoami(all[2].headers, "operator:adam", "admin", "certificate");
	configure("/^admin_ca:/d");
	ask(all[2].headers, &who, &no_ca);
	assert_problem(&no_ca, "adam", &who, 403, "not-an-operator");
	configure("/^admin_edge_secret_file:/d");
	ask(all[2].headers, &who, &no_secret);
	assert_problem(&no_secret, "adam", &who, 403, "admin-edge-secret");
	/* What is not set is not a secret of zeroes. */
	memset(digits, '0', 2 * SECRET_SIZE);
	zeroes = text("X-Endorse-Edge: %s\r\n", digits);
	ask(zeroes, &who, &unset);
	assert_problem(&unset, "zeroes", &who, 403, "admin-edge-secret");
}

/* What is kept is not what is sent. */
static void a_token_is_kept_nowhere(void **state)
{
	AUTO(mem_free) char *headers = make_token("kept", "auditor");
	AUTO(mem_free) char *log = world_log(&world, 0);
	char token[2 * SECRET_SIZE + 1];

	(void)state;
	snprintf(token, sizeof(token), "%s", headers + strlen("Authorization: Bearer "));
	assert_null(strstr(log, token));
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM api_token WHERE name = 'kept' AND"
				 " token_sha256 = sha256(decode('%s', 'hex'))",
				 token),
		1);
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM api_token WHERE"
				 " strpos(api_token::text, '%s') > 0",
				 token),
		0);
}

static int tests(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(each_route_lets_in_its_roles_and_nobody_else),
		cmocka_unit_test(what_changes_something_is_not_for_auditors),
		cmocka_unit_test(a_refusal_for_want_of_a_token_says_which_scheme_is_wanted),
		cmocka_unit_test(everybody_is_told_who_he_is),
		cmocka_unit_test(what_somebody_did_is_recorded_with_his_name_and_where_he_was),
		cmocka_unit_test(
			a_role_that_is_changed_and_a_token_that_is_revoked_count_from_the_next_request),
		cmocka_unit_test(what_cannot_be_is_refused_and_changes_nothing),
		cmocka_unit_test(a_token_is_kept_nowhere),
		cmocka_unit_test(an_edge_and_an_admin_ca_that_are_not_configured_let_nobody_in),
	};

	return cmocka_run_group_tests(cases, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
