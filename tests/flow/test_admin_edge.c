/* test_admin_edge.c - how those who administer come through the edge, and nobody else does. */
#include "enroll/proto/operators.h"
#include "enroll/proto/problem.h"
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/timed.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct world world;
static char *alice, *late, *device, *theirs, *token, *url, *programs_url;

static char *in(const char *name)
{
	return text("%s/%s", world.dir, name);
}

/* The service itself. */
static const char *local(void)
{
	static char at[64];

	snprintf(at, sizeof(at), "http://127.0.0.1:%d", world.services[0].admin_port);
	return at;
}

/* It ended so, and said these words. */
static void says(struct output *output, int code, const char *words)
{
	if (output->code != code || (strstr(buf_text(&output->out), words) == NULL &&
					    strstr(buf_text(&output->err), words) == NULL))
		fail_msg("%d, wanted %d and \"%s\"\n%s%s", output->code, code, words,
			buf_text(&output->out), buf_text(&output->err));
}

static void make_operator(const char *name, char **path)
{
	AUTO(mem_free) char *admin_token = in("admin.token");
	AUTO(output_free) struct output made, added;

	*path = text("%s/%s.pem", world.dir, name);
	world_run(&world, &made, "endorsectl", "ca", "operator", name, "--dir", world.ca, "--out",
		*path, NULL);
	says(&made, 0, "endorsectl operator add alice");
	world_run(&world, &added, "endorsectl", "operator", "add", name, "--role", "operator",
		"--why", "test", "--admin", local(), "--token-file", admin_token, NULL);
	says(&added, 0, "alice may administer now, as operator");
}

static void make_token(void)
{
	AUTO(mem_free) char *admin_token = in("admin.token");
	AUTO(output_free) struct output made;
	struct stat st;

	token = in("ci.token");
	world_run(&world, &made, "endorsectl", "token", "create", "ci", "--role", "auditor",
		"--expires", "30d", "--why", "test", "--out", token, "--admin", local(),
		"--token-file", admin_token, NULL);
	says(&made, 0, "the token ci has the role auditor until");
	must(stat(token, &st) == 0 && (st.st_mode & 07777) == 0600, "%s", token);
}

static int make(void **state)
{
	AUTO(mem_free) char *other = NULL;
	AUTO(mem_free) char *endorsectl = text("%s/endorsectl", ENDORSE_BIN_DIR);

	(void)state;
	world_make(&(struct world_plan){.services = 1, .edge = true, .all_fronts = true}, &world);
	url = text("https://localhost:%d", world.operators.port);
	programs_url = text("https://localhost:%d", world.programs.port);
	make_operator("alice", &alice);
	make_token();
	late = in("late.pem");
	device = in("device.pem");
	theirs = in("theirs.pem");
	other = in("other-ca");
	timed_operator(world.ca, "admin-ca", late, "alice", -10);
	timed_operator(world.ca, "issuing", device, "alice", 86400);
	MUST_RUN(endorsectl, "ca", "init-admin", "--dir", other, "--organization", "Example");
	timed_operator(other, "admin-ca", theirs, "alice", 86400);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	free(alice);
	free(late);
	free(device);
	free(theirs);
	free(token);
	free(url);
	free(programs_url);
	return 0;
}

static void whoami_by(const char *cert, struct output *output)
{
	world_run(&world, output, "endorsectl", "whoami", "--admin", url, "--cert", cert, "--ca",
		world.roots, NULL);
}

static void an_operator_is_known_by_his_certificate(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	whoami_by(alice, &output);
	says(&output, 0, "operator:alice, role operator, known by a certificate until ");
}

static void a_program_is_known_by_its_token(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	world_run(&world, &output, "endorsectl", "whoami", "--admin", programs_url, "--token-file",
		token, "--ca", world.roots, NULL);
	says(&output, 0, "token:ci, role auditor, known by a token until ");
}

static void a_certificate_that_has_expired_is_told_so(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	whoami_by(late, &output);
	says(&output, 5, "operator-certificate-expired");
}

/* The handshake ends: no byte of theirs reaches the service. */
static void certificates_of_other_cas_do_not_get_through(void **state)
{
	const char *const certs[] = {device, theirs};

	(void)state;
	for (size_t i = 0; i < COUNT(certs); i++) {
		AUTO(output_free) struct output output;

		whoami_by(certs[i], &output);
		says(&output, 1, "unreachable");
	}
}

static void peer_by(const char *cert, const char *headers, struct httpc_peer *out)
{
	*out = world.operators;
	out->certificate = out->key = cert;
	out->headers = headers;
}

static void assert_problem(const struct httpc_answer *answer, int status, const char *code)
{
	struct problem problem = {0};

	assert_int_equal(answer->status, status);
	assert_int_equal(problem_parse(buf_view(&answer->body), &problem), OK);
	assert_string_equal(problem.code, code);
}

static void without_a_certificate_nobody_gets_through(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;

	(void)state;
	httpc_get(&world.operators, "/v1/admin/whoami", &answer);
	assert_int_equal(answer.status, 0);
}

static void assert_is(const struct httpc_answer *answer, const char *who)
{
	struct whoami is;

	assert_int_equal(answer->status, 200);
	assert_int_equal(whoami_parse(buf_view(&answer->body), &is), OK);
	assert_string_equal(is.who, who);
}

/* What he says that the edge should say is gone, and he is who he is. */
static void forged_headers_once_and_twice_change_nothing(void **state)
{
	static const char *const forged[] = {"X-Endorse-Client-Cert: AAAA\r\n",
		"X-Endorse-Client-Cert: AAAA\r\nx-endorse-client-cert: AAAA\r\n",
		"X-Endorse-Edge: 00\r\nX-Endorse-Edge: 00\r\n",
		"X-Endorse-Client-Address: 192.0.2.66\r\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(forged); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;
		struct httpc_peer peer;

		peer_by(alice, forged[i], &peer);
		httpc_get(&peer, "/v1/admin/whoami", &answer);
		assert_is(&answer, "operator:alice");
	}
}

static void the_edge_says_from_where_an_operator_comes(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	AUTO(mem_free) char *log = NULL;
	struct httpc_peer peer;

	(void)state;
	peer_by(alice, "X-Endorse-Client-Address: 192.0.2.66\r\n", &peer);
	httpc_post(&peer, "/v1/admin/operator/add", view_str("{}"), &answer);
	assert_problem(&answer, 403, "role-insufficient");
	log = world_log(&world, 0);
	assert_non_null(
		strstr(log, ">operator.refused who=operator:alice reason=role-insufficient"));
	assert_null(strstr(log, "192.0.2.66"));
}

static void a_program_cannot_forge_a_certificate_either(void **state)
{
	AUTO(mem_free)
	char *headers = text("Authorization: Bearer %s\r\n"
			     "X-Endorse-Client-Cert: AAAA\r\nX-Endorse-Edge: %s\r\n",
		world.token, world.admin_secret);
	AUTO(httpc_answer_free) struct httpc_answer answer;
	struct httpc_peer peer = world.programs;

	(void)state;
	peer.headers = headers;
	/* Nor is the token of the service's file good through an edge. */
	httpc_get(&peer, "/v1/admin/whoami", &answer);
	assert_problem(&answer, 401, "token-unknown");
}

static void a_certificate_with_a_token_beside_it_is_refused(void **state)
{
	AUTO(mem_free) char *headers = text("Authorization: Bearer %s\r\n", world.token);
	AUTO(httpc_answer_free) struct httpc_answer answer;
	struct httpc_peer peer;

	(void)state;
	peer_by(alice, headers, &peer);
	httpc_get(&peer, "/v1/admin/whoami", &answer);
	assert_problem(&answer, 400, "credential-twice");
}

static void what_is_no_administration_ends_at_the_edge(void **state)
{
	static const char *const paths[] = {"/", "/v1/ticket", "/healthz", "/v1/admin",
		"/%761/admin/whoami", "//v1/admin/whoami", "/metrics/"};
	struct httpc_peer peer;

	(void)state;
	peer_by(alice, NULL, &peer);
	for (size_t i = 0; i < COUNT(paths); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		httpc_get(&peer, paths[i], &answer);
		assert_problem(&answer, 403, "edge-forbidden");
	}
}

static void without_a_token_a_program_ends_at_the_edge(void **state)
{
	static const char *const headers[] = {NULL, "Authorization: Basic YTpi\r\n"};
	struct httpc_peer peer = world.programs;

	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		peer.headers = headers[i];
		httpc_get(&peer, "/v1/admin/whoami", &answer);
		assert_problem(&answer, 403, "edge-forbidden");
	}
}

/* An import is larger than what the edge keeps of a request. */
static void a_large_body_gets_through(void **state)
{
	AUTO(buf_free) struct buf body = BUF(1 << 20);
	AUTO(httpc_answer_free) struct httpc_answer answer;
	struct httpc_peer peer;

	(void)state;
	while (body.n < 600000)
		buf_u8(&body, ' ');
	peer_by(alice, NULL, &peer);
	httpc_post(&peer, "/v1/admin/ek/allow", buf_view(&body), &answer);
	assert_problem(&answer, 400, "json");
}

#define DIGITS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* What the edge lets through is the service's to answer, and so is what is not there. */
static void is_at_the_edge(
	const struct httpc_peer *peer, const char *method, const char *path, bool wanted)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	struct problem problem = {0};
	bool is;

	httpc_ask(peer, method, path, NULL,
		strcmp(method, "POST") == 0 ? view_str("{}") : (struct view){NULL, 0}, &answer);
	assert_true(answer.status != 0);
	is = answer.status == 403 && problem_parse(buf_view(&answer.body), &problem) == OK &&
	     strcmp(problem.code, "edge-forbidden") == 0;
	if (is != wanted)
		fail_msg("%s %s: %d %s", method, path, answer.status, buf_text(&answer.body));
}

static void what_relying_parties_fetch_is_offered_plain_and_by_tls(void **state)
{
	static const struct {
		const char *method, *path;
	} rows[] = {{"GET", "/crl/0123456789abcdef-0.crl"}, {"GET", "/ca/0123456789abcdef.cer"},
		{"GET", "/ca/0123456789abcdef.pem"}, {"GET", "/ca/chain.pem"},
		{"GET", "/ca/chain.p7c"}, {"GET", "/ca/root.crl"}, {"GET", "/ca/ssh-host-ca.pub"},
		{"GET", "/ca/ssh-user-ca.pub"}, {"GET", "/ca/known_hosts"}, {"GET", "/krl"},
		{"GET", "/krl.sig"}, {"POST", "/ocsp"}, {"GET", "/ocsp/MEow/SDBG%2BMEQ%3D"},
		{"GET", "/ocsp/MEow//x"}, {"GET", "/v1/certificates/" DIGITS}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		is_at_the_edge(&world.plain, rows[i].method, rows[i].path, false);
		is_at_the_edge(&world.front, rows[i].method, rows[i].path, false);
	}
}

static void nothing_else_is_offered_plain(void **state)
{
	static const struct {
		const char *method, *path;
		bool also_by_tls; /* ... and not by TLS either */
	} rows[] = {{"GET", "/healthz", false}, {"GET", "/readyz", true},
		{"POST", "/v1/ticket", false}, {"POST", "/v1/enroll", false},
		{"GET", "/v1/admin/whoami", true}, {"GET", "/metrics", true}, {"GET", "/ca/", true},
		{"GET", "/ca/issuing.key", true}, {"GET", "/ca/../readyz", true},
		{"GET", "/ca/0123456789abcdef.key", true}, {"GET", "/crl/", true},
		{"GET", "/crl/0123456789abcdef-0.crl/x", true}, {"GET", "/crl/../readyz.crl", true},
		{"POST", "/krl", true}, {"POST", "/crl/0123456789abcdef-0.crl", true},
		{"POST", "/ocsp/x", true}, {"DELETE", "/krl", true},
		{"GET", "/v1/certificates/" DIGITS "0", true}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		is_at_the_edge(&world.plain, rows[i].method, rows[i].path, true);
		if (rows[i].also_by_tls)
			is_at_the_edge(&world.front, rows[i].method, rows[i].path, true);
	}
}

static void endorsectl_tells_what_is_missing_before_it_asks(void **state)
{
	static const struct {
		const char *a, *b;
		const char *words;
	} rows[] = {{"--admin", "https://localhost:1", "wants to know who you are"},
		{"--admin", "http://192.0.2.1:881", "wanted http://127.0.0.1:PORT"},
		{"--admin", "https://a@localhost:1", "wanted http://127.0.0.1:PORT"},
		{"--cert", "alice.pem", "--cert is for the edge"},
		{"--key", "alice.pem", "--key without its --cert"}};
	AUTO(output_free) struct output both;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output output;

		world_run(&world, &output, "endorsectl", "whoami", rows[i].a, rows[i].b, NULL);
		says(&output, 1, rows[i].words);
	}
	world_run(&world, &both, "endorsectl", "whoami", "--admin", url, "--cert", alice,
		"--token-file", token, NULL);
	says(&both, 1, "give one of them");
}

/* Neither a certificate nor a token goes to an edge that is not the one. */
static void endorsectl_believes_no_edge_of_another_ca(void **state)
{
	AUTO(mem_free) char *other = text("%s/other-ca/admin-ca.pem", world.dir);
	AUTO(output_free) struct output output;

	(void)state;
	world_run(&world, &output, "endorsectl", "whoami", "--admin", programs_url, "--token-file",
		token, "--ca", other, NULL);
	says(&output, 1, "unreachable");
}

static void a_key_that_others_can_read_is_not_used(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	assert_int_equal(chmod(alice, 0644), 0);
	whoami_by(alice, &output);
	says(&output, 1, "file-permissions");
	assert_int_equal(chmod(alice, 0600), 0);
}

/* The whole life of a certificate and of a token, as an admin types it. */
static void what_is_taken_back_is_taken_back_at_the_edge_too(void **state)
{
	AUTO(mem_free) char *admin_token = in("admin.token");
	AUTO(output_free) struct output revoked, after, gone, nobody, operators, tokens;

	(void)state;
	world_run(&world, &revoked, "endorsectl", "operator", "revoke-certificate", alice, "--why",
		"her laptop was stolen", "--admin", local(), "--token-file", admin_token, NULL);
	says(&revoked, 0, " of alice lets nobody in any more");
	whoami_by(alice, &after);
	says(&after, 5, "operator-certificate-revoked");
	world_run(&world, &gone, "endorsectl", "token", "revoke", "ci", "--why", "test", "--admin",
		local(), "--token-file", admin_token, NULL);
	says(&gone, 0, "the token ci lets nobody in any more");
	world_run(&world, &nobody, "endorsectl", "whoami", "--admin", programs_url, "--token-file",
		token, "--ca", world.roots, NULL);
	says(&nobody, 5, "token-revoked");
	world_run(&world, &operators, "endorsectl", "operator", "list", "--admin", local(),
		"--token-file", admin_token, NULL);
	says(&operators, 0, "alice                    operator  since ");
	says(&operators, 0, " by admin-token: her laptop was stolen");
	world_run(&world, &tokens, "endorsectl", "token", "list", "--admin", local(),
		"--token-file", admin_token, NULL);
	says(&tokens, 0, "ci                       auditor   until ");
	says(&tokens, 0, "; used ");
	says(&tokens, 0, "; revoked ");
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(an_operator_is_known_by_his_certificate),
		cmocka_unit_test(a_program_is_known_by_its_token),
		cmocka_unit_test(a_certificate_that_has_expired_is_told_so),
		cmocka_unit_test(certificates_of_other_cas_do_not_get_through),
		cmocka_unit_test(without_a_certificate_nobody_gets_through),
		cmocka_unit_test(forged_headers_once_and_twice_change_nothing),
		cmocka_unit_test(the_edge_says_from_where_an_operator_comes),
		cmocka_unit_test(a_program_cannot_forge_a_certificate_either),
		cmocka_unit_test(a_certificate_with_a_token_beside_it_is_refused),
		cmocka_unit_test(what_is_no_administration_ends_at_the_edge),
		cmocka_unit_test(without_a_token_a_program_ends_at_the_edge),
		cmocka_unit_test(a_large_body_gets_through),
		cmocka_unit_test(what_relying_parties_fetch_is_offered_plain_and_by_tls),
		cmocka_unit_test(nothing_else_is_offered_plain),
		cmocka_unit_test(endorsectl_tells_what_is_missing_before_it_asks),
		cmocka_unit_test(endorsectl_believes_no_edge_of_another_ca),
		cmocka_unit_test(a_key_that_others_can_read_is_not_used),
		cmocka_unit_test(what_is_taken_back_is_taken_back_at_the_edge_too),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
