/* test_template.c - `endorsectl template`, and the service with a template that would hurt later. */
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/verified.h"
#include "tests/flow/visit.h"

#include "ca/base/file.h"
#include "ca/base/folder.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDORSECTL(output, ...)                                                                    \
	process_run(&(struct program){.argv = (const char *const[]){ENDORSE_BIN_DIR "/endorsectl", \
					      "template", __VA_ARGS__, NULL}},                     \
		output)
#define SHIPPED ENDORSE_SOURCE_DIR "/templates"
#define HOST "web-01.example.test"
#define EXIT_CONFIG 78
#define EXIT_REFUSED 5

static struct world world;
static char *templates; /* our own copy of the AK's, for a test that changes it */

/* A shipped template, through a sed script, into a directory. */
static void put(const char *dir, const char *name, const char *script)
{
	AUTO(mem_free) char *from = text(SHIPPED "/%s.yaml", name);
	AUTO(mem_free) char *to = text("%s/%s.yaml", dir, name);
	AUTO(output_free) struct output sed;

	process_run(
		&(struct program){.argv = (const char *const[]){"sed", script, from, NULL}}, &sed);
	must(sed.code == 0, "sed: %s", buf_text(&sed.err));
	write_file(to, 0644, buf_view(&sed.out));
}

static char *new_directory(const char *name)
{
	char *dir = text("%s/%s", supervise_dir(), name);

	must(mkdir(dir, 0755) == 0, "mkdir");
	return dir;
}

static int make(void **state)
{
	(void)state;
	templates = new_directory("templates");
	put(templates, "ak", "");
	world_make(
		&(struct world_plan){.chips = 1, .policy = world_any_name, .templates = templates},
		&world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	free(templates);
	return 0;
}

static void wants(const struct output *output, int code, const char *out, const char *err)
{
	if (output->code != code || strstr(buf_text(&output->out), out) == NULL ||
		strstr(buf_text(&output->err), err) == NULL)
		fail_msg("exit %d, wanted %d, \"%s\" and \"%s\":\n%s%s", output->code, code, out,
			err, buf_text(&output->out), buf_text(&output->err));
}

static void the_shipped_templates_are_good_with_the_ca_that_is_made_for_them(void **state)
{
	AUTO(mem_free) char *ca = text("%s/issuing.pem", world.ca);
	AUTO(output_free) struct output alone, below;

	(void)state;
	ENDORSECTL(&alone, "check", SHIPPED);
	wants(&alone, 0, "12 templates, nothing found\n", "");
	ENDORSECTL(&below, "check", SHIPPED, "--ca", ca);
	wants(&below, 0, "12 templates, nothing found\n", "");
}

static void what_is_found_is_told_with_file_rule_and_clause(void **state)
{
	AUTO(mem_free) char *dir = new_directory("found"), *line = NULL;
	AUTO(mem_free) char *edge = text("%s/edge-ca.pem", world.ca);
	AUTO(output_free) struct output found, other_ca, unread;

	(void)state;
	put(dir, "tls-server", "s/dns_name: .*/uri: \"urn:x:${host}\"/");
	put(dir, "ssh-user", "s/principals: .*/principals: [root]/");
	line = text("%s/tls-server.yaml:", dir);
	ENDORSECTL(&found, "check", dir);
	wants(&found, 1, line, "endorsectl: 2 findings\n");
	wants(&found, 1, ": [tls-name] a TLS server's certificate without a dns_name ", "");
	wants(&found, 1, " (RFC 9525 6.3)\n", "");
	wants(&found, 1, "/ssh-user.yaml:", "");
	wants(&found, 1, ": [ssh-root] ", "");
	/* The edge's CA may only certify TLS servers. */
	ENDORSECTL(&other_ca, "check", templates, "--ca", edge);
	wants(&other_ca, 1, ": [issuer-purposes] ", "endorsectl: 1 finding\n");
	put(dir, "ssh-user", "s/^version:/verson:/");
	ENDORSECTL(&unread, "check", dir);
	wants(&unread, 1, ": unknown key \"verson\"\n", "");
}

static void what_cannot_be_read_is_no_finding(void **state)
{
	AUTO(output_free) struct output no_dir, no_ca, no_option, nothing, rules;

	(void)state;
	ENDORSECTL(&no_dir, "check", "/nowhere");
	wants(&no_dir, 2, "", "/nowhere: No such file or directory");
	ENDORSECTL(&no_ca, "check", SHIPPED, "--ca", "/nowhere.pem");
	wants(&no_ca, 2, "", "/nowhere.pem");
	ENDORSECTL(&no_option, "check", SHIPPED, "--nothing");
	wants(&no_option, 2, "", "usage: endorsectl template check");
	ENDORSECTL(&nothing, "check");
	wants(&nothing, 2, "", "usage: endorsectl template check");
	ENDORSECTL(&rules, "check", "--list-rules");
	wants(&rules, 0, "\nak-stray             Only an AK has ", "");
}

/* What the program says of a certificate, `skip` lines of it left out, is what was shown. */
static void assert_as(const struct output *shown, size_t skip, const char *const *argv)
{
	static const char *const env[] = {"TZ=Asia/Kolkata", NULL};
	AUTO(output_free) struct output said;
	const char *text_of;

	process_run(&(struct program){.argv = argv, .env = env}, &said);
	assert_int_equal(said.code, 0);
	text_of = buf_text(&said.out);
	while (skip-- > 0) {
		text_of = strchr(text_of, '\n');
		assert_non_null(text_of);
		text_of++;
	}
	assert_string_equal(buf_text(&shown->out), text_of);
}

/* Also with a time zone: openssl shows UTC, ssh-keygen local time. */
static void show(const char *dir, const char *name, const char *out, struct output *shown)
{
	static const char *const env[] = {"TZ=Asia/Kolkata", NULL};

	process_run(
		&(struct program){.argv = (const char *const[]){ENDORSE_BIN_DIR "/endorsectl",
					  "template", "show", name, "--host", HOST, "--templates",
					  dir, "--label", "account=backup", "--out", out, NULL},
			.env = env},
		shown);
	if (shown->code != 0)
		fail_msg("%s: %s", name, buf_text(&shown->err));
	if (strncmp(name, "ssh-", 4) == 0)
		assert_as(shown, 1, (const char *const[]){"ssh-keygen", "-L", "-f", out, NULL});
	else
		assert_as(shown, 0,
			(const char *const[]){
				"openssl", "x509", "-noout", "-text", "-in", out, NULL});
}

static void every_shipped_template_is_shown_as_other_programs_show_it(void **state)
{
	AUTO(folder_free) struct folder folder = {0};
	AUTO(mem_free) char *out = text("%s/shown", supervise_dir());

	(void)state;
	assert_int_equal(folder_read(SHIPPED, &folder), OK);
	assert_int_equal(folder.n, 12);
	for (size_t i = 0; i < folder.n; i++) {
		AUTO(mem_free)
		char *name = strndup(
			folder.entry[i].name, strlen(folder.entry[i].name) - strlen(".yaml"));
		AUTO(output_free) struct output shown;

		show(SHIPPED, name, out, &shown);
	}
}

static void options_and_labels_of_an_openssh_certificate_are_shown(void **state)
{
	AUTO(mem_free) char *dir = new_directory("options");
	AUTO(mem_free) char *out = text("%s/shown", dir);
	AUTO(output_free) struct output shown, lacks;

	(void)state;
	put(dir, "ssh-user",
		"s/^  principals: .*/  principals: [\"${label.account}\", \"${host}\"]\\n"
		"  critical_options: [{name: source-address, value: \"192.0.2.0\\/24\"},"
		" {name: force-command, value: \"echo \\\\\"x\\\\\"\"}, {name: verify-required}]\\n"
		"  extensions: [{name: permit-pty}, {name: no-touch-required}]/");
	show(dir, "ssh-user", out, &shown);
	assert_non_null(strstr(buf_text(&shown.out), "                backup\n"));
	assert_non_null(strstr(buf_text(&shown.out), "                permit-pty\n"));
	ENDORSECTL(&lacks, "show", "ssh-user", "--host", HOST, "--templates", dir);
	wants(&lacks, 1, "", "(template-needs-label)");
}

/* Name and key identifier are the CA's, the key is not. */
static void a_ca_is_looked_like(void **state)
{
	AUTO(mem_free) char *ca = text("%s/issuing.pem", world.ca);
	AUTO(mem_free) char *out = text("%s/like.pem", supervise_dir());
	AUTO(output_free) struct output shown, issuer, subject;

	(void)state;
	ENDORSECTL(&shown, "show", "tls-peer", "--host", HOST, "--templates", SHIPPED, "--ca", ca,
		"--out", out);
	wants(&shown, 0, "DNS:" HOST, "");
	process_run(&(struct program){.argv = (const char *const[]){"openssl", "x509", "-noout",
					      "-issuer", "-nameopt", "RFC2253", "-ext",
					      "authorityKeyIdentifier", "-in", out, NULL}},
		&issuer);
	process_run(&(struct program){.argv = (const char *const[]){"openssl", "x509", "-noout",
					      "-subject", "-nameopt", "RFC2253", "-ext",
					      "subjectKeyIdentifier", "-in", ca, NULL}},
		&subject);
	assert_string_equal(
		strrchr(buf_text(&issuer.out), ' '), strrchr(buf_text(&subject.out), ' '));
	assert_memory_equal(strchr(buf_text(&issuer.out), '='), strchr(buf_text(&subject.out), '='),
		strcspn(strchr(buf_text(&subject.out), '='), "\n"));
}

static void a_name_that_nobody_can_have_and_a_template_that_is_not_there_are_refused(void **state)
{
	AUTO(output_free) struct output name, template, host;

	(void)state;
	ENDORSECTL(&name, "show", "ak", "--host", "Not a name", "--templates", SHIPPED);
	wants(&name, 1, "", "(host-name)");
	ENDORSECTL(&template, "show", "nosuch", "--host", HOST, "--templates", SHIPPED);
	wants(&template, 1, "", "has no template \"nosuch\"");
	ENDORSECTL(&host, "show", "ak", "--templates", SHIPPED);
	wants(&host, 2, "", "usage: endorsectl template show");
}

#define BACKDATED "s/^backdate: .*/backdate: 2h/"

static void the_service_does_not_start_with_a_finding(void **state)
{
	AUTO(output_free) struct output good, found;

	(void)state;
	world_run(&world, &good, "endorsed", "--config", world.services[0].config, "--check", NULL);
	assert_int_equal(good.code, 0);
	put(templates, "ak", BACKDATED);
	world_run(
		&world, &found, "endorsed", "--config", world.services[0].config, "--check", NULL);
	put(templates, "ak", "");
	assert_int_equal(found.code, EXIT_CONFIG);
	wants(&found, EXIT_CONFIG, "", "/ak.yaml:");
	wants(&found, EXIT_CONFIG, "", ": [backdate] ");
}

static void enroll(const char *host)
{
	AUTO(visit_end) struct visit visit;

	visit_begin(&visit, &world, 0, 0, host, KEY_P384);
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
}

static void a_reload_with_a_finding_keeps_the_templates_that_were(void **state)
{
	AUTO(mem_free) char *token = text("%s/admin.token", world.dir), *version = NULL;
	AUTO(mem_free) char *url = text("http://127.0.0.1:%d", world.services[0].admin_port);
	AUTO(output_free) struct output refused, taken;

	(void)state;
	put(templates, "ak", BACKDATED "\ns/^version: .*/version: 3/");
	world_run(&world, &refused, "endorsectl", "reload", "--admin", url, "--token-file", token,
		NULL);
	wants(&refused, EXIT_REFUSED, "", ": [backdate] ");
	enroll("kept.example.test");
	version = sql_text(world.conninfo,
		"SELECT max(template_version) FROM certificate WHERE host = 'kept.example.test'");
	assert_string_equal(version, "2");
	put(templates, "ak", "");
	world_run(&world, &taken, "endorsectl", "reload", "--admin", url, "--token-file", token,
		NULL);
	assert_int_equal(taken.code, 0);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(the_shipped_templates_are_good_with_the_ca_that_is_made_for_them),
		cmocka_unit_test(what_is_found_is_told_with_file_rule_and_clause),
		cmocka_unit_test(what_cannot_be_read_is_no_finding),
		cmocka_unit_test(every_shipped_template_is_shown_as_other_programs_show_it),
		cmocka_unit_test(options_and_labels_of_an_openssh_certificate_are_shown),
		cmocka_unit_test(a_ca_is_looked_like),
		cmocka_unit_test(
			a_name_that_nobody_can_have_and_a_template_that_is_not_there_are_refused),
		cmocka_unit_test(the_service_does_not_start_with_a_finding),
		cmocka_unit_test(a_reload_with_a_finding_keeps_the_templates_that_were),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
