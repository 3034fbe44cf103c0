/* test_ledger.c - the log of endpoints and its PCR, through stops, reboots and other programs. */
#include "tests/flow/line.h"
#include "tests/flow/supervise.h"
#include "tests/flow/tpmtool.h"
#include "tests/flow/tunnel.h"

#include "ca/base/file.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "web-1.example.test"
#define MANY 8

static struct world world;
static struct tunnel host;
static char *path, *ahead; /* of the log */
static char *others[MANY]; /* certificates of further endpoints */

static int make(void **state)
{
	(void)state;
	world_make(
		&(struct world_plan){
			.chips = 1, .services = 1, .edge = true, .policy = tunnel_policy},
		&world);
	tunnel_make(&world, &world.chips[0], NAME, "owner", &host);
	path = text("%s/endpoints.log", host.state);
	ahead = text("%s.ahead", path);
	for (size_t i = 0; i < MANY; i++) {
		AUTO(mem_free) char *key = text("%s/other-%zu.key", host.state, i);
		AUTO(mem_free) char *file = text("other-%zu.pem", i);

		/* Keys of any kind can be measured, also those that no TPM has. */
		MUST_RUN("openssl", "genpkey", "-algorithm", "ED25519", "-out", key);
		others[i] = tunnel_endpoint(&host, file, key, NAME);
	}
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	for (size_t i = 0; i < MANY; i++)
		free(others[i]);
	free(path);
	free(ahead);
	tunnel_free(&host);
	world_free(&world);
	return 0;
}

static void reboot(void)
{
	chip_stop(host.chip);
	chip_start(host.chip);
}

static int forget(void **state)
{
	(void)state;
	remove(path);
	remove(ahead);
	reboot();
	return 0;
}

static void read_log(const char *of, struct buf *out)
{
	*out = BUF(1 << 16);
	must(file_read(of, out) == OK, "%s", why()->sentence);
}

static size_t events(void)
{
	AUTO(buf_free) struct buf log;
	size_t n = 0;

	read_log(path, &log);
	for (size_t i = 0; i < log.n; i++)
		n += log.p[i] == '\n';
	return n - 1;
}

/* Which part of the link is broken for an endpoint, by a fresh quote of the log. */
static void assert_linked(const char *certificate, const char *broken)
{
	AUTO(mem_free) char *nonce = new_nonce(&world);
	AUTO(mem_free) char *evidence = text("%s/evidence", world.dir);
	AUTO(mem_free) char *found = NULL;

	tunnel_quotes(&host, nonce, evidence);
	found = link_broken(&world, certificate, NAME, evidence, nonce);
	assert_string_equal(broken, found);
}

static void assert_fails(const struct output *output, int code, const char *words)
{
	if (output->code != code || strstr(buf_text(&output->err), words) == NULL)
		fail_msg("wanted %d and \"%s\", got %d: %s", code, words, output->code,
			buf_text(&output->err));
}

static void measure_fails(const char *certificate, int code, const char *words)
{
	AUTO(output_free) struct output output;

	tunnel_measure(&host, &output, "--certificate", certificate, NULL);
	assert_fails(&output, code, words);
}

static void quote_fails(int code, const char *words)
{
	AUTO(output_free) struct output output;
	AUTO(mem_free) char *nonce = new_nonce(&world);

	tunnel_quote(&host, &output, nonce, "-", NULL);
	assert_fails(&output, code, words);
	assert_string_equal("", buf_text(&output.out));
}

static void before_anything_is_measured_nothing_is_quoted(void **state)
{
	(void)state;
	quote_fails(1, "no endpoint was measured since this machine started");
}

/* The machine stopped after the log was written ahead, and before the PCR was extended. */
static void what_was_written_ahead_is_made_up_for(void **state)
{
	AUTO(buf_free) struct buf before, after;

	(void)state;
	tunnel_measures(&host, host.certificate, NULL);
	read_log(path, &before);
	tunnel_measures(&host, others[0], NULL);
	read_log(path, &after);
	forget(NULL);
	tunnel_measures(&host, host.certificate, NULL);
	write_file(ahead, 0644, buf_view(&after));
	tunnel_measures(&host, others[1], NULL);
	assert_int_equal(3, events());
	assert_linked(others[0], "");
	assert_linked(others[1], "");
	assert_linked(host.certificate, "");
	assert_int_equal(-1, access(ahead, F_OK));
}

/* The same, after the PCR was extended: the log of before does not fit, the one written ahead does. */
static void what_was_extended_is_in_the_log_that_was_written_ahead(void **state)
{
	AUTO(buf_free) struct buf before, after;

	(void)state;
	tunnel_measures(&host, host.certificate, NULL);
	read_log(path, &before);
	tunnel_measures(&host, others[0], NULL);
	read_log(path, &after);
	write_file(ahead, 0644, buf_view(&after));
	write_file(path, 0644, buf_view(&before));
	/* A quote does it too. */
	assert_linked(others[0], "");
	assert_int_equal(-1, access(ahead, F_OK));
	assert_int_equal(2, events());
}

/* The first event of all: the PCR is as it was, so nothing but what was taken back is kept. */
static void what_was_written_ahead_before_a_reboot_is_not_measured_after_it(void **state)
{
	AUTO(buf_free) struct buf log;

	(void)state;
	tunnel_measures(&host, host.certificate, NULL);
	tunnel_measures(&host, others[0], "--invalid");
	read_log(path, &log);
	remove(path);
	reboot();
	write_file(ahead, 0644, buf_view(&log));
	quote_fails(1, "no endpoint was measured since this machine started");
	tunnel_measures(&host, others[1], NULL);
	assert_int_equal(2, events());
	assert_linked(host.certificate, "endpoint-key");
	assert_linked(others[0], "endpoint-key");
	assert_linked(others[1], "");
}

static void after_a_reboot_the_log_begins_anew(void **state)
{
	(void)state;
	tunnel_measures(&host, host.certificate, NULL);
	tunnel_measures(&host, others[0], NULL);
	reboot();
	quote_fails(1, "no endpoint was measured since this machine started");
	tunnel_measures(&host, others[1], NULL);
	assert_int_equal(1, events());
	assert_linked(others[1], "");
	assert_linked(host.certificate, "endpoint-key");
}

static void a_pcr_that_somebody_else_extends_is_told_of(void **state)
{
	AUTO(output_free) struct output output, other;
	AUTO(mem_free) char *event = text("13:sha256=%064d", 1);
	AUTO(mem_free) char *log = text("%s/other.log", world.dir);
	AUTO(mem_free) char *nonce = new_nonce(&world);
	AUTO(mem_free) char *evidence = text("%s/evidence-14", world.dir);
	AUTO(mem_free) char *broken = NULL, *elsewhere = NULL;

	(void)state;
	tunnel_measures(&host, host.certificate, NULL);
	free(tpmtool_must(host.chip->tcti, world.dir, "tpm2_pcrextend", event, NULL));
	measure_fails(others[0], 1, "went through something else");
	quote_fails(1, "went through something else");
	/* Another PCR needs a log of its own, and is as good. */
	tunnel_measure(&host, &output, "--certificate", host.certificate, "--pcr", "14", NULL);
	assert_fails(&output, 1, "went through something else");
	tunnel_measure(&host, &other, "--certificate", host.certificate, "--pcr", "14", "--log",
		log, NULL);
	assert_int_equal(0, other.code);
	AUTO(output_free) struct output quoted;
	tunnel_quote(&host, &quoted, nonce, evidence, "--log", log, "--pcr", "14", NULL);
	assert_int_equal(0, quoted.code);
	broken = link_broken_in(&world, host.certificate, NAME, evidence, nonce, "14");
	assert_string_equal("", broken);
	/* Who does not expect it there would not learn of what was marked invalid in PCR 13. */
	elsewhere = link_broken(&world, host.certificate, NAME, evidence, nonce);
	assert_string_equal("log", elsewhere);
	/* In front of the first event as well. */
	forget(NULL);
	free(tpmtool_must(host.chip->tcti, world.dir, "tpm2_pcrextend", event, NULL));
	measure_fails(host.certificate, 1, "went through something else");
}

static void a_log_is_of_one_pcr_until_the_next_reboot(void **state)
{
	AUTO(output_free) struct output output, anew;

	(void)state;
	tunnel_measures(&host, host.certificate, NULL);
	tunnel_measure(&host, &output, "--certificate", others[0], "--pcr", "12", NULL);
	assert_fails(&output, 1, "is about PCR 13");
	reboot();
	tunnel_measure(&host, &anew, "--certificate", others[0], "--pcr", "12", NULL);
	assert_int_equal(0, anew.code);
	assert_non_null(strstr(buf_text(&anew.out), "begins anew"));
	assert_linked(others[0], "log");
}

static void a_pcr_that_anybody_can_reset_is_no_choice(void **state)
{
	static const char *const pcrs[] = {"16", "23", "17", "24", "x"};

	(void)state;
	for (size_t i = 0; i < COUNT(pcrs); i++) {
		AUTO(output_free) struct output output;

		tunnel_measure(
			&host, &output, "--certificate", host.certificate, "--pcr", pcrs[i], NULL);
		assert_fails(&output, 2, "wanted 0 to 15");
	}
	assert_int_equal(-1, access(path, F_OK));
}

static void a_file_that_is_no_log_is_left_alone(void **state)
{
	AUTO(buf_free) struct buf log;

	(void)state;
	write_file(path, 0644, view_str("my notes\n"));
	measure_fails(host.certificate, 1, "is no log of endpoints");
	read_log(path, &log);
	assert_string_equal("my notes\n", buf_text(&log));
}

static void start_all_on(const char *tcti)
{
	AUTO(mem_free) char *program = text("%s/endorse", ENDORSE_BIN_DIR);
	AUTO(mem_free) char *log = text("%s/at-once", world.dir);
	pid_t pids[MANY];

	for (size_t i = 0; i < MANY; i++)
		pids[i] = process_start(&(struct program){.log = log,
			.argv = (const char *const[]){program, "measure-endpoint", "--certificate",
				others[i], "--state", host.state, "--tcti", tcti, NULL}});
	for (size_t i = 0; i < MANY; i++) {
		int status = 0;

		assert_int_equal(pids[i], waitpid(pids[i], &status, 0));
		if (status != 0)
			fail_msg("measure-endpoint ended with %d: see %s", status, log);
	}
	assert_int_equal(MANY, events());
}

static void endpoints_that_start_at_once_are_all_in_the_log(void **state)
{
	(void)state;
	start_all_on(host.chip->tcti);
	for (size_t i = 0; i < MANY; i++)
		assert_linked(others[i], "");
}

/* A raw device is busy while another program has it, and fails whoever comes then. */
static void endpoints_that_start_at_once_share_a_raw_device(void **state)
{
	struct line line;

	(void)state;
	line_start(&line, host.chip->socket);
	AUTO(mem_free) char *tcti = text("device:%s", line.path);
	start_all_on(tcti);
	line_stop(&line);
	for (size_t i = 0; i < MANY; i++)
		assert_linked(others[i], "");
}

static void aks_of_every_hierarchy_quote(void **state)
{
	static const char *const hierarchies[] = {"endorsement", "ek"};

	(void)state;
	for (size_t i = 0; i < COUNT(hierarchies); i++) {
		AUTO(mem_free) char *name = text("%s.example.test", hierarchies[i]);
		AUTO(mem_free) char *nonce = new_nonce(&world);
		AUTO(mem_free) char *evidence = text("%s/%s", world.dir, hierarchies[i]);
		AUTO(mem_free) char *broken = NULL;
		struct tunnel other;

		forget(NULL);
		tunnel_make(&world, host.chip, name, hierarchies[i], &other);
		tunnel_measures(&other, other.certificate, NULL);
		tunnel_quotes(&other, nonce, evidence);
		broken = link_broken(&world, other.certificate, name, evidence, nonce);
		assert_string_equal("", broken);
		assert_nothing_left(host.chip->tcti);
		tunnel_free(&other);
	}
}

static void without_a_platform_property_certificate_of_this_ak_nothing_is_shown(void **state)
{
	AUTO(mem_free) char *property = text("%s/platform-property.pem", host.state);
	AUTO(mem_free) char *elsewhere = text("%s/elsewhere.pem", host.state);
	AUTO(mem_free) char *another_property = NULL;
	struct tunnel another;

	(void)state;
	tunnel_make(&world, host.chip, "another.example.test", "owner", &another);
	another_property = text("%s/platform-property.pem", another.state);
	tunnel_free(&another);
	tunnel_measures(&host, host.certificate, NULL);
	must(rename(property, elsewhere) == 0, "%s", property);
	quote_fails(1, "platform-property");
	MUST_RUN("cp", host.certificate, property);
	quote_fails(1, "one of another kind");
	MUST_RUN("cp", another_property, property);
	quote_fails(1, "not for the AK that this machine has");
	must(rename(elsewhere, property) == 0, "%s", property);
	assert_linked(host.certificate, "");
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test_setup(before_anything_is_measured_nothing_is_quoted, forget),
		cmocka_unit_test_setup(what_was_written_ahead_is_made_up_for, forget),
		cmocka_unit_test_setup(
			what_was_extended_is_in_the_log_that_was_written_ahead, forget),
		cmocka_unit_test_setup(
			what_was_written_ahead_before_a_reboot_is_not_measured_after_it, forget),
		cmocka_unit_test_setup(after_a_reboot_the_log_begins_anew, forget),
		cmocka_unit_test_setup(a_pcr_that_somebody_else_extends_is_told_of, forget),
		cmocka_unit_test_setup(a_log_is_of_one_pcr_until_the_next_reboot, forget),
		cmocka_unit_test_setup(a_pcr_that_anybody_can_reset_is_no_choice, forget),
		cmocka_unit_test_setup(a_file_that_is_no_log_is_left_alone, forget),
		cmocka_unit_test_setup(endpoints_that_start_at_once_are_all_in_the_log, forget),
		cmocka_unit_test_setup(endpoints_that_start_at_once_share_a_raw_device, forget),
		cmocka_unit_test_setup(aks_of_every_hierarchy_quote, forget),
		cmocka_unit_test_setup(
			without_a_platform_property_certificate_of_this_ak_nothing_is_shown,
			forget),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
