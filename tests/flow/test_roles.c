/* test_roles.c - who may administer: each route of the router's own table, with each credential. */
#include "enroll/http/router.h"
#include "enroll/proto/operators.h"
#include "enroll/proto/problem.h"
#include "tests/flow/cluster.h"
#include "tests/flow/httpc.h"
#include "tests/flow/somebody.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world world;
static struct everybody everybody;

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

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.services = 1}, &world);
	everybody_make(&world, &everybody);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	everybody_free(&everybody);
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
	for (size_t i = 0; i < everybody.n; i++)
		walk(&everybody.all[i]);
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
	whoami(everybody.all[ALICE].headers, "operator:alice", "auditor", "certificate");
	whoami(everybody.all[ADAM].headers, "operator:adam", "admin", "certificate");
	whoami(everybody.all[TOKEN_O].headers, "token:o", "operator", "token");
	whoami(everybody.all[FILE_TOKEN].headers, "admin-token", "admin", "file");
}

static void what_somebody_did_is_recorded_with_his_name_and_where_he_was(void **state)
{
	const struct route add_zoe = {.method = "POST", .path = "/v1/admin/operator/add"};
	const struct httpc_peer adam = {
		.port = world.services[0].admin_port, .headers = everybody.all[ADAM].headers};
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
	AUTO(mem_free) char *token = token_make(&world, "short", "admin");
	AUTO(mem_free) char *path = operator_certify(&world, world.ca, "mona");
	AUTO(mem_free) char *mona = by_certificate(&world, path);
	const struct route who = {.method = "GET", .path = "/v1/admin/whoami"};
	AUTO(httpc_answer_free) struct httpc_answer refused, gone;

	(void)state;
	operator_add_as(&world, "mona", "auditor");
	whoami(mona, "operator:mona", "auditor", "certificate");
	admin_does(&world, "/v1/admin/operator/role",
		"{\"name\":\"mona\",\"role\":\"admin\",\"why\":\"x\"}");
	whoami(mona, "operator:mona", "admin", "certificate");
	admin_does(&world, "/v1/admin/operator/disable", "{\"name\":\"mona\",\"why\":\"x\"}");
	ask(mona, &who, &refused);
	assert_problem(&refused, "mona", &who, 403, "operator-disabled");
	operator_add_as(&world, "mona", "operator");
	whoami(mona, "operator:mona", "operator", "certificate");
	whoami(token, "token:short", "admin", "token");
	admin_does(&world, "/v1/admin/token/revoke", "{\"name\":\"short\",\"why\":\"x\"}");
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

/* He is an admin, and the request would be good. */
static void pages_of_other_sites_change_nothing(void **state)
{
	static const struct {
		const char *name, *headers;
		bool is_refused;
	} rows[] = {
		{"site1", "", false},
		{"site2", "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n", false},
		{"site3", "Sec-Fetch-Site: none\r\n", false},
		{"site4", "Origin: https://evil.example\r\n", true},
		{"site5", "Origin: null\r\n", true},
		{"site6", "Origin: http://localhost.evil.example\r\n", true},
		{"site7", "Sec-Fetch-Site: cross-site\r\n", true},
		{"site8", "Sec-Fetch-Site: same-site\r\n", true},
	};
	const struct route add = {.method = "POST", .path = "/v1/admin/operator/add"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;
		AUTO(mem_free)
		char *json =
			text("{\"name\":\"%s\",\"role\":\"auditor\",\"why\":\"x\"}", rows[i].name);
		AUTO(mem_free)
		char *headers = text("%s%s", everybody.all[ADAM].headers, rows[i].headers);
		const struct httpc_peer peer = {
			.port = world.services[0].admin_port, .headers = headers};

		httpc_post(&peer, add.path, view_str(json), &answer);
		if (rows[i].is_refused)
			assert_problem(&answer, rows[i].headers, &add, 403, "cross-site");
		assert_int_equal(
			sql_number(world.conninfo,
				"SELECT count(*) FROM operator WHERE name = '%s'", rows[i].name),
			!rows[i].is_refused);
	}
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
	whoami(everybody.all[ADAM].headers, "operator:adam", "admin", "certificate");
	configure("/^admin_ca:/d");
	ask(everybody.all[ADAM].headers, &who, &no_ca);
	assert_problem(&no_ca, "adam", &who, 403, "not-an-operator");
	configure("/^admin_edge_secret_file:/d");
	ask(everybody.all[ADAM].headers, &who, &no_secret);
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
	AUTO(mem_free) char *headers = token_make(&world, "kept", "auditor");
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
		cmocka_unit_test(pages_of_other_sites_change_nothing),
		cmocka_unit_test(a_token_is_kept_nowhere),
		cmocka_unit_test(an_edge_and_an_admin_ca_that_are_not_configured_let_nobody_in),
	};

	return cmocka_run_group_tests(cases, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
