/* test_reload.c - the configuration taken anew while devices enroll. */
#include "ca/base/encode.h"
#include "tests/flow/cluster.h"
#include "tests/flow/inflight.h"
#include "tests/flow/supervise.h"
#include "tests/flow/visit.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_REFUSED 5

static const char open_policy[] = "rules:\n"
				  "  - name: any\n"
				  "    hosts: [{glob: \"*.example.test\"}]\n"
				  "    templates: [ak]\n";
static const char closed_policy[] = "rules:\n"
				    "  - name: one\n"
				    "    hosts: [{exact: only.example.test}]\n"
				    "    templates: [ak]\n";

static struct world world;
static char *templates, *token, *url;
static struct maker other; /* trusted too, so that the set is not empty without the first one */

static char *in_world(const char *name)
{
	return text("%s/%s", world.dir, name);
}

static void put(const char *name, const char *content)
{
	AUTO(mem_free) char *path = in_world(name);

	write_file(path, 0600, view_str(content));
}

static void copy(const char *from, const char *to, const char *script)
{
	AUTO(output_free) struct output sed;

	process_run(
		&(struct program){.argv = (const char *const[]){"sed", script, from, NULL}}, &sed);
	must(sed.code == 0, "sed: %s", buf_text(&sed.err));
	write_file(to, 0644, buf_view(&sed.out));
}

/* The shipped template of the AK, through a sed script. */
static void put_template(const char *script)
{
	AUTO(mem_free) char *shipped = world_source("templates/ak.yaml");
	AUTO(mem_free) char *path = text("%s/ak.yaml", templates);

	copy(shipped, path, script);
}

/* The configuration as it was at the start, through a sed script. */
static void put_config(const char *script)
{
	AUTO(mem_free) char *first = in_world("first.yaml");

	copy(first, world.services[0].config, script);
}

static int make(void **state)
{
	AUTO(mem_free) char *dir = text("%s/other", supervise_dir());
	AUTO(mem_free) char *root = text("%s/roots/root.pem", dir);
	AUTO(mem_free) char *first = NULL, *also = NULL;

	(void)state;
	templates = text("%s/templates", supervise_dir());
	must(mkdir(templates, 0755) == 0, "mkdir");
	put_template("");
	maker_init(&other, dir, "Other");
	world_make(&(struct world_plan){.chips = 6, .policy = open_policy, .templates = templates},
		&world);
	token = in_world("admin.token");
	url = text("http://127.0.0.1:%d", world.services[0].admin_port);
	first = in_world("first.yaml");
	copy(world.services[0].config, first, "");
	also = text("%s/roots/other.pem", world.maker.dir);
	copy(root, also, "");
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	maker_free(&other);
	free(templates);
	free(token);
	free(url);
	return 0;
}

static void reload(struct output *output)
{
	world_run(&world, output, "endorsectl", "reload", "--admin", url, "--token-file", token,
		NULL);
}

static void assert_says(const struct buf *said, const char *wanted)
{
	if (strstr(buf_text(said), wanted) == NULL)
		fail_msg("no \"%s\" in:\n%s", wanted, buf_text(said));
}

/* It is taken; `says` is what is printed of it, on either channel. */
static void assert_taken(const char *says)
{
	AUTO(output_free) struct output output;

	reload(&output);
	if (output.code != 0)
		fail_msg("exit %d:\n%s", output.code, buf_text(&output.err));
	buf_add(&output.out, buf_view(&output.err));
	assert_says(&output.out, says);
}

static void assert_refused_for(const char *says)
{
	AUTO(output_free) struct output output;

	reload(&output);
	assert_int_equal(output.code, EXIT_REFUSED);
	assert_says(&output.err, says);
	assert_says(&output.err, "configuration-wrong");
}

/* Everything as at the start, and in use. */
static int restore(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	put("policy.yaml", open_policy);
	put("edge.secret", world.secret);
	put_config("");
	reload(&output);
	return output.code;
}

static int comes(size_t chip, const char *host, char code[static 64])
{
	AUTO(visit_end) struct visit visit;
	int status;

	visit_begin(&visit, &world, chip, 0, host, KEY_P384);
	status = dialogue_run(&visit.dialogue);
	snprintf(code, 64, "%s", visit.dialogue.problem.code);
	return status;
}

static void assert_comes(size_t chip, const char *host, int wanted, const char *wanted_code)
{
	char code[64];
	int status = comes(chip, host, code);

	if (status != wanted || strcmp(code, wanted_code) != 0)
		fail_msg("%s: wanted %d %s, got %d %s", host, wanted, wanted_code, status, code);
}

static void prepare(struct dialogue *x)
{
	dialogue_claim(x);
	assert_int_equal(dialogue_ticket(x), 200);
	assert_true(dialogue_activate(x));
	dialogue_prove(x);
}

/* The version of a policy is the SHA-256 of its file. */
static char *version_of(const char *policy)
{
	uint8_t digest[SHA256_SIZE];
	char *digits = calloc(1, 2 * SHA256_SIZE + 1);

	must(digits != NULL && SHA256_OF(digest, view_str(policy)) == OK, "no digest");
	hex_write(VIEW(digest), digits);
	return digits;
}

/* The greatest one of a name. */
static char *recorded(const char *column, const char *table, const char *host)
{
	return sql_text(
		world.conninfo, "SELECT max(%s) FROM %s WHERE host = '%s'", column, table, host);
}

struct logged {
	const char *what;
	size_t wanted;
};

static size_t times(const char *what)
{
	AUTO(mem_free) char *log = world_log(&world, 0);
	size_t n = 0;

	for (const char *at = log; (at = strstr(at, what)) != NULL; at += strlen(what))
		n++;
	return n;
}

static bool is_logged(void *arg)
{
	const struct logged *logged = arg;

	return times(logged->what) >= logged->wanted;
}

static void hang_up(const char *event)
{
	struct logged logged = {event, times(event) + 1};

	kill(world.services[0].pid, SIGHUP);
	assert_true(wait_until(is_logged, &logged, 10000));
}

static void a_policy_counts_from_the_reload_on(void **state)
{
	(void)state;
	assert_comes(0, "zero.example.test", 200, "");
	put("policy.yaml", closed_policy);
	assert_comes(0, "zero.example.test", 200, "");
	assert_taken("changed: policy ");
	assert_comes(0, "zero.example.test", 403, "name-not-allowed");
	put("policy.yaml", open_policy);
	assert_taken("changed: policy ");
	assert_comes(0, "zero.example.test", 200, "");
}

static void sighup_does_the_same(void **state)
{
	(void)state;
	put("policy.yaml", closed_policy);
	hang_up(">service.reloaded by=SIGHUP changes=\"policy ");
	assert_comes(0, "zero.example.test", 403, "name-not-allowed");
}

static void a_reload_without_a_change_says_so(void **state)
{
	(void)state;
	assert_taken("nothing changed");
	assert_true(times(" changes=none ") > 0);
}

static void everything_that_is_wrong_is_told_at_once_and_the_old_configuration_stays(void **state)
{
	static const char *const wanted[] = {
		"policy.yaml:2:5: unknown key \"nam\"",
		":11: \"lifetime\" is \"soon\"",
		"/nowhere: No such file or directory",
		"/no-roots: No such file or directory",
		"edge.secret: wanted 64 hexadecimal digits",
	};
	AUTO(output_free) struct output output;
	size_t lines = times(">reload.problem what="), refused = times(">reload.refused by=");

	(void)state;
	put("policy.yaml", "rules:\n  - nam: any\n");
	put("edge.secret", "short\n");
	put_template("s/^lifetime: .*/lifetime: soon/");
	put_config("s,^\\( *roots\\):.*,\\1: nowhere,\n"
		   "/^trust:/a\\  - name: second\\n    class: manufacturer\\n    roots: no-roots");
	reload(&output);
	put_template("");
	assert_int_equal(output.code, EXIT_REFUSED);
	for (size_t i = 0; i < COUNT(wanted); i++)
		if (strstr(buf_text(&output.err), wanted[i]) == NULL)
			fail_msg("no \"%s\" in:\n%s", wanted[i], buf_text(&output.err));
	assert_true(times(">reload.problem what=") >= lines + COUNT(wanted));
	assert_int_equal(times(">reload.refused by="), refused + 1);
	assert_comes(0, "zero.example.test", 200, "");
	hang_up(">reload.refused by=SIGHUP code=configuration-wrong ");
	assert_comes(0, "zero.example.test", 200, "");
}

static void a_request_in_flight_keeps_the_rules_it_began_with(void **state)
{
	AUTO(mem_free) char *old = version_of(open_policy);
	AUTO(visit_end) struct visit visit;
	struct inflight inflight;

	(void)state;
	assert_comes(1, "flying.example.test", 200, "");
	visit_begin(&visit, &world, 1, 0, "flying.example.test", KEY_P384);
	prepare(&visit.dialogue);
	/* Who enrolls a known device writes to its row, and has to wait. */
	inflight_begin(&inflight, world.conninfo,
		"SELECT FROM device JOIN host USING (device_id)"
		" WHERE name = 'flying.example.test' FOR UPDATE OF device",
		&visit.dialogue);
	put("policy.yaml", closed_policy);
	assert_taken("changed: policy ");
	assert_comes(2, "flying.example.test", 403, "name-not-allowed");
	inflight_end(&inflight);
	assert_int_equal(visit.dialogue.last.status, 200);
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM certificate JOIN audit"
				 " ON serials[1] = serial WHERE audit.host = 'flying.example.test'"
				 " AND certificate.policy_version = '%s'"
				 " AND audit.policy_version = '%s'",
				 old, old),
		2);
}

static void a_ticket_from_before_a_reload_is_judged_by_what_counts_now(void **state)
{
	static const char renamed[] = "rules:\n"
				      "  - name: renamed\n"
				      "    hosts: [{glob: \"*.example.test\"}]\n"
				      "    templates: [ak]\n";
	AUTO(mem_free) char *new = version_of(renamed), *found = NULL, *log = NULL, *says = NULL;
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 2, 0, "older.example.test", KEY_P384);
	prepare(&visit.dialogue);
	put("policy.yaml", renamed);
	assert_taken("changed: policy ");
	assert_int_equal(dialogue_enroll(&visit.dialogue), 200);
	found = recorded("policy_version", "certificate", "older.example.test");
	assert_string_equal(found, new);
	log = world_log(&world, 0);
	says = text(" policy=%.12s rules=moved ", new);
	assert_non_null(strstr(log, ">enroll.issued host=older.example.test "));
	assert_non_null(strstr(log, says));
	assert_int_equal(times(" rules=moved "), 1);
}

static void without_its_root_a_tpm_is_refused_also_with_a_ticket_from_before(void **state)
{
	AUTO(mem_free) char *root = text("%s/roots/root.pem", world.maker.dir);
	AUTO(mem_free) char *away = in_world("away.pem"), *trust = NULL, *policy = NULL;
	AUTO(mem_free) char *wanted = version_of(open_policy);
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 3, 0, "rooted.example.test", KEY_P384);
	prepare(&visit.dialogue);
	assert_int_equal(rename(root, away), 0);
	assert_taken("changed: trust set ");
	assert_int_equal(dialogue_enroll(&visit.dialogue), 422);
	assert_string_equal(visit.dialogue.problem.code, "ek-untrusted");
	assert_comes(0, "zero.example.test", 422, "ek-untrusted");
	trust = recorded("trust_version", "audit", "rooted.example.test");
	policy = recorded("policy_version", "audit", "rooted.example.test");
	assert_string_equal(policy, wanted);
	assert_int_equal(rename(away, root), 0);
	assert_taken("changed: trust set ");
	assert_comes(0, "zero.example.test", 200, "");
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM audit WHERE trust_version = '%s' AND event "
				 "<> 'enroll.refused'",
				 trust),
		0);
	assert_int_equal(strlen(trust), 64);
}

static void what_a_restart_alone_changes_is_a_warning_and_stays(void **state)
{
	AUTO(mem_free) char *key = in_world("ticket.key"), *kept = in_world("kept.key");
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 4, 0, "keyed.example.test", KEY_P384);
	prepare(&visit.dialogue);
	assert_int_equal(rename(key, kept), 0);
	assert_refused_for("ticket_key_file: ");
	put("ticket.key", world.token);
	put_config("s/^service: .*/&.elsewhere/\ns/^database: .*/database: dbname=elsewhere/\n"
		   "$ a threads: 3\n$ a live_aks_per_device: 2\n$ a drain: 7s\n"
		   "$ a retention: {certificates: 400d}\n"
		   "$ a public_url: http://pub.example.org\n$ a organization: Elsewhere");
	assert_taken("warning: ticket_key_file was changed: that takes effect only with a restart");
	assert_taken("warning: service was changed");
	assert_taken("warning: database was changed");
	assert_taken("warning: threads was changed");
	assert_true(
		times(" changes=\"organization Elsewhere, was Example; public_url "
		      "http://pub.example.org, was the service's name; live_aks_per_device 2, "
		      "was 4; drain 7, was 10; retention.certificates 34560000, was 0\" ") == 1);
	assert_true(times(">reload.needs-restart setting=ticket_key_file") > 0);
	assert_int_equal(dialogue_enroll(&visit.dialogue), 200);
	assert_comes(0, "zero.example.test", 200, "");
	assert_int_equal(rename(kept, key), 0);
}

static void both_secrets_are_changed_by_a_reload(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	AUTO(mem_free) char *headers = text("X-Endorse-Edge: %s\r\n", world.token);
	struct httpc_peer rotated = {.port = world.services[0].port, .headers = headers};
	AUTO(output_free) struct output output;

	(void)state;
	put("edge.secret", world.token);
	put("admin.token", world.secret);
	/* The file has a token that the service does not know yet. */
	reload(&output);
	assert_int_equal(output.code, EXIT_REFUSED);
	assert_says(&output.err, "token-unknown");
	hang_up(" changes=\"edge secret; admin token\" ");
	assert_comes(0, "zero.example.test", 403, "edge-secret");
	httpc_get(&rotated, "/readyz", &answer);
	assert_int_equal(answer.status, 200);
	assert_taken("nothing changed");
	put("admin.token", world.token);
	hang_up(" changes=\"admin token\" ");
}

static void a_template_that_was_changed_has_to_have_another_version(void **state)
{
	AUTO(mem_free) char *version = NULL;

	(void)state;
	assert_comes(0, "zero.example.test", 200, "");
	put_template("s/^lifetime: .*/lifetime: 30d/");
	assert_refused_for("the template \"ak\" was changed and its version is still 2");
	put_template("s/^lifetime: .*/lifetime: 30d/\ns/^version: .*/version: 3/");
	assert_taken("changed: template ak 3, was 2");
	assert_comes(0, "zero.example.test", 200, "");
	version = recorded("template_version", "certificate", "zero.example.test");
	assert_string_equal(version, "3");
	put_template("");
	assert_taken("changed: template ak 2, was 3");
}

static bool is_by_second(const struct dialogue *x)
{
	const struct view der = x->answer->certificates[0].der;
	return memmem(der.p, der.n, "Second", 6) != NULL;
}

/* Also for who has a certificate that is good yet: its chain is the new CA's. */
static void another_ca_issues_from_the_reload_on(void **state)
{
	AUTO(mem_free) char *endorsectl = text("%s/endorsectl", ENDORSE_BIN_DIR);
	AUTO(mem_free) char *ca = in_world("ca-2"), *script = NULL;
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 5, 0, "second.example.test", KEY_P384);
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	assert_false(is_by_second(&visit.dialogue));
	MUST_RUN(endorsectl, "ca", "init", "--dir", ca, "--organization", "Second");
	script = text("s,%s/,%s/,", world.ca, ca);
	put_config(script);
	assert_taken("changed: CA certificate ");
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	assert_true(is_by_second(&visit.dialogue));
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	assert_int_equal(times("enroll.returned host=second.example.test"), 1);
}

/* Whether a rule needs it is looked at as at a start: unit/daemon/parts. */
static void an_ssh_ca_comes_and_goes(void **state)
{
	(void)state;
	put_config("/^ssh_user_ca:/,+2d");
	assert_taken("changed: OpenSSH CA of users none, was SHA256:");
	put_config("");
	assert_taken("changed: OpenSSH CA of users SHA256:");
}

static int tests(void)
{
#define TEST(f) cmocka_unit_test_setup(f, restore)
	const struct CMUnitTest all[] = {
		TEST(a_policy_counts_from_the_reload_on),
		TEST(sighup_does_the_same),
		TEST(a_reload_without_a_change_says_so),
		TEST(everything_that_is_wrong_is_told_at_once_and_the_old_configuration_stays),
		TEST(a_request_in_flight_keeps_the_rules_it_began_with),
		TEST(a_ticket_from_before_a_reload_is_judged_by_what_counts_now),
		TEST(without_its_root_a_tpm_is_refused_also_with_a_ticket_from_before),
		TEST(what_a_restart_alone_changes_is_a_warning_and_stays),
		TEST(both_secrets_are_changed_by_a_reload),
		TEST(a_template_that_was_changed_has_to_have_another_version),
		TEST(another_ca_issues_from_the_reload_on),
		TEST(an_ssh_ca_comes_and_goes),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
