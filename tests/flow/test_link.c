/* test_link.c - tunnels that end where they say, and the ways in which they might not. */
#include "tests/flow/supervise.h"
#include "tests/flow/tpmtool.h"
#include "tests/flow/tunnel.h"

#include "ca/base/file.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAME "web-1.example.test"

static struct world world;
static struct tunnel victim, thief;

static int make(void **state)
{
	(void)state;
	world_make(
		&(struct world_plan){
			.chips = 2, .services = 1, .edge = true, .policy = tunnel_policy},
		&world);
	tunnel_make(&world, &world.chips[0], NAME, "owner", &victim);
	tunnel_make(&world, &world.chips[1], "evil-1.example.test", "owner", &thief);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	tunnel_free(&victim);
	tunnel_free(&thief);
	world_free(&world);
	return 0;
}

/* As after a reboot: PCRs are zero, and the logs of before are on disk. */
static int reboot(void **state)
{
	(void)state;
	for (size_t i = 0; i < world.chips_n; i++) {
		chip_stop(&world.chips[i]);
		chip_start(&world.chips[i]);
	}
	return 0;
}

/* The same, and nothing is known of any endpoint. */
static int forget(void **state)
{
	static const char *const names[] = {"endpoints.log", "endpoints.log.ahead"};

	for (size_t i = 0; i < 2 * COUNT(names); i++) {
		AUTO(mem_free)
		char *path = text("%s/%s", i % 2 == 0 ? victim.state : thief.state, names[i / 2]);

		remove(path);
	}
	return reboot(state);
}

static void assert_broken(const char *endpoint, const char *name, const char *evidence,
	const char *nonce, const char *part)
{
	AUTO(mem_free) char *broken = link_broken(&world, endpoint, name, evidence, nonce);

	assert_string_equal(part, broken);
}

static char *path_of(const char *name)
{
	return text("%s/%s", world.dir, name);
}

static char *make_directory(const char *name)
{
	char *path = path_of(name);

	must(mkdir(path, 0755) == 0, "%s", path);
	return path;
}

static void a_host_shows_that_an_endpoint_is_its_own(void **state)
{
	AUTO(mem_free) char *nonce = new_nonce(&world), *other = new_nonce(&world);
	AUTO(mem_free) char *evidence = path_of("evidence.json");

	(void)state;
	assert_string_not_equal(nonce, other);
	tunnel_measures(&victim, victim.certificate, NULL);
	tunnel_quotes(&victim, nonce, evidence);
	assert_broken(victim.certificate, NAME, evidence, nonce, "");
	assert_broken(victim.certificate, "WEB-1.example.test", evidence, nonce, "");
	assert_broken(victim.certificate, NAME, evidence, other, "quote");
	assert_broken(victim.certificate, "web-2.example.test", evidence, nonce, "name");
	assert_nothing_left(victim.chip->tcti);
}

/* TPM2-tools take the single files, and say the same of the quote. */
static void a_directory_has_what_other_tools_read(void **state)
{
	AUTO(mem_free) char *nonce = new_nonce(&world);
	AUTO(mem_free) char *dir = make_directory("evidence");
	AUTO(mem_free) char *read = NULL;

	(void)state;
	tunnel_measures(&victim, victim.certificate, NULL);
	tunnel_quotes(&victim, nonce, dir);
	assert_broken(victim.certificate, NAME, dir, nonce, "");
	free(tpmtool_must(victim.chip->tcti, dir, "sh", "-c",
		"openssl x509 -in ak.pem -noout -pubkey >ak.pub", NULL));
	free(tpmtool_must(
		victim.chip->tcti, dir, "tpm2_pcrread", "-Q", "-o", "pcrs", "sha256:13", NULL));
	read = tpmtool_must(victim.chip->tcti, dir, "tpm2_checkquote", "-u", "ak.pub", "-m",
		"quote.attest", "-s", "quote.signature", "-q", nonce, "-g", "sha256", NULL);
	/* The log's digest is the one of the key as openssl's own commands make it. */
	free(tpmtool_must(victim.chip->tcti, dir, "sh", "-c",
		"grep -qx \"measured $(openssl x509 -in \"$0\" -noout -pubkey | openssl pkey "
		"-pubin "
		"-outform DER | sha256sum | cut -c 1-64)\" endpoints.log",
		victim.certificate, NULL));
}

static void an_endpoint_that_is_measured_again_is_in_the_log_once(void **state)
{
	AUTO(mem_free) char *log = text("%s/endpoints.log", victim.state);
	AUTO(buf_free) struct buf once = BUF(4096), twice = BUF(4096);
	AUTO(output_free) struct output output;

	(void)state;
	tunnel_measures(&victim, victim.certificate, NULL);
	assert_int_equal(OK, file_read(log, &once));
	tunnel_measure(&victim, &output, "--certificate", victim.certificate, NULL);
	assert_int_equal(0, output.code);
	assert_non_null(strstr(buf_text(&output.out), "as before"));
	assert_int_equal(OK, file_read(log, &twice));
	assert_string_equal(buf_text(&once), buf_text(&twice));
}

static void a_quote_that_is_relayed_says_nothing_of_another_endpoint(void **state)
{
	AUTO(mem_free) char *nonce = new_nonce(&world);
	AUTO(mem_free) char *evidence = path_of("relayed.json");
	AUTO(mem_free) char *false_one = tunnel_endpoint(&thief, "false.pem", thief.key, NAME);

	(void)state;
	tunnel_measures(&victim, victim.certificate, NULL);
	tunnel_measures(&thief, false_one, NULL);
	tunnel_quotes(&victim, nonce, evidence);
	assert_broken(false_one, NAME, evidence, nonce, "endpoint-key");
	assert_broken(thief.certificate, NAME, evidence, nonce, "name");
}

/* Copies a file of one directory of evidence to another. */
static void take(const char *from, const char *to, const char *name)
{
	AUTO(mem_free) char *source = text("%s/%s", from, name), *target = text("%s/%s", to, name);
	AUTO(buf_free) struct buf bytes = BUF(1 << 16);

	must(file_read(source, &bytes) == OK, "%s", why()->sentence);
	write_file(target, 0644, buf_view(&bytes));
}

static void a_stolen_key_is_of_no_use_without_the_victims_tpm(void **state)
{
	AUTO(mem_free) char *nonce = new_nonce(&world);
	AUTO(mem_free) char *honest = make_directory("honest"), *stolen = make_directory("stolen");

	(void)state;
	tunnel_measures(&victim, victim.certificate, NULL);
	tunnel_quotes(&victim, nonce, honest);
	/* The thief has the key of the victim's endpoint, and measures it in his own TPM. */
	tunnel_measures(&thief, victim.certificate, NULL);
	tunnel_quotes(&thief, nonce, stolen);
	assert_broken(victim.certificate, NAME, stolen, nonce, "name");
	assert_broken(victim.certificate, thief.name, stolen, nonce, "name");
	take(honest, stolen, "platform-property.pem");
	assert_broken(victim.certificate, NAME, stolen, nonce, "same-ak");
	take(honest, stolen, "ak.pem");
	assert_broken(victim.certificate, NAME, stolen, nonce, "quote");
	/* Nor is one certificate taken for the other. */
	take(honest, stolen, "quote.attest");
	take(honest, stolen, "quote.signature");
	take(honest, stolen, "endpoints.log");
	assert_broken(victim.certificate, NAME, stolen, nonce, "");
	AUTO(mem_free) char *ak = text("%s/ak.pem", stolen);
	AUTO(mem_free) char *property = text("%s/platform-property.pem", stolen);
	MUST_RUN("cp", property, ak);
	assert_broken(victim.certificate, NAME, stolen, nonce, "ak-certificate");
	take(honest, stolen, "ak.pem");
	MUST_RUN("cp", ak, property);
	assert_broken(victim.certificate, NAME, stolen, nonce, "platform-property-certificate");
}

static void an_endpoint_that_is_marked_invalid_stays_so(void **state)
{
	AUTO(mem_free) char *nonce = new_nonce(&world);
	AUTO(mem_free) char *before = path_of("before.json"), *after = path_of("after.json");
	AUTO(output_free) struct output again, rebooted;

	tunnel_measures(&victim, victim.certificate, NULL);
	tunnel_quotes(&victim, nonce, before);
	tunnel_measures(&victim, victim.certificate, "--invalid");
	tunnel_quotes(&victim, nonce, after);
	assert_broken(victim.certificate, NAME, before, nonce, "");
	assert_broken(victim.certificate, NAME, after, nonce, "endpoint-key");
	tunnel_measure(&victim, &again, "--certificate", victim.certificate, NULL);
	assert_int_equal(1, again.code);
	assert_non_null(strstr(buf_text(&again.err), "for good"));
	/* The mark outlives the log that it was in. */
	reboot(state);
	tunnel_measure(&victim, &rebooted, "--certificate", victim.certificate, NULL);
	assert_int_equal(1, rebooted.code);
	tunnel_measures(&victim, thief.certificate, NULL);
	tunnel_quotes(&victim, nonce, after);
	assert_broken(victim.certificate, NAME, after, nonce, "endpoint-key");
}

static void a_log_that_was_altered_is_no_longer_what_was_quoted(void **state)
{
	static const struct {
		const char *how, *broken;
	} rows[] = {
		{"sed -i '$d' endpoints.log", "quote"},
		{"sed -i '2d' endpoints.log", "quote"},
		{"sed -i 's/^measured \\(.\\).*$/measured \\1/' endpoints.log", "log"},
		{"sed -i '3{y/0123456789/1234567890/}' endpoints.log", "quote"},
		{"sed -i '2{h;d};3{G}' endpoints.log", "quote"},
		{"sed -i '1s/13/14/' endpoints.log", "log"},
		{"sed -i '1s/13/16/' endpoints.log", "log"},
		{"sed -i 's/^invalid/measured/' endpoints.log", "quote"},
		{"truncate -s -1 endpoints.log", "log"},
	};
	AUTO(mem_free) char *nonce = new_nonce(&world);

	(void)state;
	tunnel_measures(&victim, victim.certificate, NULL);
	tunnel_measures(&victim, thief.certificate, NULL);
	tunnel_measures(&victim, thief.certificate, "--invalid");
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(mem_free) char *name = text("altered-%zu", i);
		AUTO(mem_free) char *dir = make_directory(name);

		tunnel_quotes(&victim, nonce, dir);
		assert_broken(victim.certificate, NAME, dir, nonce, "");
		free(tpmtool_must(victim.chip->tcti, dir, "sh", "-c", rows[i].how, NULL));
		assert_broken(victim.certificate, NAME, dir, nonce, rows[i].broken);
	}
}

/* Listens as the victim under its name, and under every other with the thief's certificate. */
static pid_t serve(int port)
{
	AUTO(mem_free) char *at = text("127.0.0.1:%d", port);
	AUTO(mem_free) char *log = path_of("s_server.log");
	pid_t pid = process_start(&(struct program){.log = log,
		.argv = (const char *const[]){"openssl", "s_server", "-accept", at, "-cert",
			thief.certificate, "-key", thief.key, "-servername", NAME, "-cert2",
			victim.certificate, "-key2", victim.key, "-www", NULL}});

	must(wait_for_text(log, "ACCEPT", 10000), "no TLS server");
	return pid;
}

static void a_live_endpoint_is_asked_for_by_its_name(void **state)
{
	AUTO(mem_free) char *nonce = new_nonce(&world);
	AUTO(mem_free) char *evidence = path_of("live.json");
	AUTO(output_free) struct output linked, other;
	int port = free_port();
	AUTO(mem_free) char *at = text("127.0.0.1:%d", port);
	pid_t server;

	(void)state;
	tunnel_measures(&victim, victim.certificate, NULL);
	tunnel_quotes(&victim, nonce, evidence);
	server = serve(port);
	world_run(&world, &linked, "endorse", "link-check", "--connect", at, "--name", NAME,
		"--evidence", evidence, "--ca", world.roots, "--nonce", nonce, NULL);
	assert_string_equal("linked: " NAME "\n", buf_text(&linked.out));
	assert_int_equal(0, linked.code);
	world_run(&world, &other, "endorse", "link-check", "--connect", at, "--name",
		"web-2.example.test", "--evidence", evidence, "--ca", world.roots, "--nonce", nonce,
		NULL);
	assert_int_equal(9, other.code);
	assert_true(has_line(&other, "not linked: name is broken", "link-name"));
	process_stop(&server, SIGTERM);
}

static void a_key_is_measured_by_its_public_half_too(void **state)
{
	AUTO(mem_free) char *nonce = new_nonce(&world);
	AUTO(mem_free) char *evidence = path_of("public.json"), *key = path_of("public.pem");
	AUTO(output_free) struct output output;

	(void)state;
	MUST_RUN("openssl", "pkey", "-in", victim.key, "-pubout", "-out", key);
	tunnel_measure(&victim, &output, "--public-key", key, NULL);
	assert_int_equal(0, output.code);
	tunnel_quotes(&victim, nonce, evidence);
	assert_broken(victim.certificate, NAME, evidence, nonce, "");
}

static const char hollow[] =
	"{\"attest\":\"\",\"signature\":\"\",\"log\":\"\",\"ak_certificate\":\"\","
	"\"platform_property\":\"\",\"intermediates\":[]}";

static void evidence_that_cannot_be_read_links_nothing(void **state)
{
	static const char *const texts[] = {"", "{}", "[]", "no JSON", hollow};
	AUTO(mem_free) char *nonce = new_nonce(&world);
	AUTO(mem_free) char *evidence = path_of("unreadable.json");

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		write_file(evidence, 0644, view_str(texts[i]));
		assert_broken(victim.certificate, NAME, evidence, nonce, "evidence");
	}
}

#define NONCE "000102030405060708090a0b0c0d0e0f"

static void a_question_that_lacks_something_is_not_answered(void **state)
{
	AUTO(mem_free) char *nowhere = text("127.0.0.1:%d", free_port());
	AUTO(mem_free) char *evidence = path_of("whatever.json");
	const struct {
		const char *arguments[14];
		int code;
	} rows[] = {
		{{"--name", NAME, "--evidence", evidence, "--ca", world.roots, "--nonce", NONCE},
			2},
		{{"--endpoint", victim.certificate, "--connect", nowhere, "--name", NAME,
			 "--evidence", evidence, "--ca", world.roots, "--nonce", NONCE},
			2},
		{{"--endpoint", victim.certificate, "--evidence", evidence, "--ca", world.roots,
			 "--nonce", NONCE},
			2},
		{{"--endpoint", victim.certificate, "--name", NAME, "--ca", world.roots, "--nonce",
			 NONCE},
			2},
		{{"--endpoint", victim.certificate, "--name", NAME, "--evidence", evidence,
			 "--nonce", NONCE},
			2},
		{{"--endpoint", victim.certificate, "--name", NAME, "--evidence", evidence, "--ca",
			 world.roots},
			2},
		{{"--endpoint", victim.certificate, "--name", "localhost", "--evidence", evidence,
			 "--ca", world.roots, "--nonce", NONCE},
			2},
		{{"--connect", nowhere, "--evidence", evidence, "--ca", world.roots, "--nonce",
			 NONCE},
			2},
		{{"--endpoint", victim.certificate, "--name", NAME, "--evidence", "/nonexistent",
			 "--ca", world.roots, "--nonce", NONCE},
			1},
		{{"--endpoint", evidence, "--name", NAME, "--evidence", evidence, "--ca",
			 world.roots, "--nonce", NONCE},
			1},
		{{"--endpoint", victim.certificate, "--name", NAME, "--evidence", evidence, "--ca",
			 victim.state, "--nonce", NONCE},
			1},
		{{"--connect", nowhere, "--name", NAME, "--evidence", evidence, "--ca", world.roots,
			 "--nonce", NONCE},
			4},
	};

	(void)state;
	tunnel_measures(&victim, victim.certificate, NULL);
	tunnel_quotes(&victim, NONCE, evidence);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output output;
		AUTO(mem_free) char *program = text("%s/endorse", ENDORSE_BIN_DIR);
		const char *argv[17] = {program, "link-check"};

		memcpy(argv + 2, rows[i].arguments, sizeof(rows[i].arguments));
		process_run(&(struct program){.argv = argv}, &output);
		if (rows[i].code != output.code || output.out.n != 0 || output.err.n == 0)
			fail_msg("row %zu: %d: %s", i, output.code, buf_text(&output.err));
	}
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test_setup(a_host_shows_that_an_endpoint_is_its_own, forget),
		cmocka_unit_test_setup(a_directory_has_what_other_tools_read, forget),
		cmocka_unit_test_setup(
			an_endpoint_that_is_measured_again_is_in_the_log_once, forget),
		cmocka_unit_test_setup(
			a_quote_that_is_relayed_says_nothing_of_another_endpoint, forget),
		cmocka_unit_test_setup(a_stolen_key_is_of_no_use_without_the_victims_tpm, forget),
		cmocka_unit_test_setup(an_endpoint_that_is_marked_invalid_stays_so, forget),
		cmocka_unit_test_setup(a_log_that_was_altered_is_no_longer_what_was_quoted, forget),
		cmocka_unit_test_setup(a_live_endpoint_is_asked_for_by_its_name, forget),
		cmocka_unit_test_setup(a_key_is_measured_by_its_public_half_too, forget),
		cmocka_unit_test(evidence_that_cannot_be_read_links_nothing),
		cmocka_unit_test_setup(a_question_that_lacks_something_is_not_answered, forget),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
