/* test_no_certificate_agent.c - the device tool with TPMs that have no EK certificate. */
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/tpmtool.h"
#include "tests/flow/verified.h"
#include "tests/flow/world.h"

#include "ca/base/file.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ARC "1.3.6.1.4.1.99999." /* of nobody */

enum chip_use { LISTED, NAMED, HELD, REJECTED, CHIPS };

static const char policy[] = "hold: { retry_after: 5s }\n"
			     "rules:\n"
			     "  - name: listed\n"
			     "    hosts: [{glob: \"*.listed.example.test\"}]\n"
			     "    templates: [ak]\n"
			     "    trust: [allow-list]\n"
			     "    names_per_device: 9\n"
			     "  - name: held\n"
			     "    hosts: [{glob: \"*.held.example.test\"}]\n"
			     "    templates: [ak]\n"
			     "    trust: [approved]\n"
			     "    unknown_ek: hold\n";

static struct world world;
static char *templates;

/* The shipped template, and a policy for each way to be trusted. */
static void write_template(void)
{
	AUTO(mem_free) char *shipped = world_source("templates/ak.yaml");
	AUTO(mem_free) char *path = text("%s/ak.yaml", templates);
	AUTO(buf_free) struct buf yaml = BUF(1 << 16);

	must(file_read(shipped, &yaml) == OK, "%s", why()->sentence);
	buf_str(&yaml, "trust_policies: { manufacturer: " ARC "1, operator-import: " ARC "2, "
		       "allow-list: " ARC "3, approved: " ARC "4 }\n");
	write_file(path, 0644, buf_view(&yaml));
}

static int make(void **state)
{
	static const char *const made[] = {"0x01c00002", "0x01c00016"};

	(void)state;
	templates = text("%s/templates", supervise_dir());
	must(mkdir(templates, 0755) == 0, "mkdir");
	write_template();
	world_make(&(struct world_plan){.chips = CHIPS,
			   .services = 1,
			   .edge = true,
			   .policy = policy,
			   .templates = templates},
		&world);
	for (size_t i = 0; i < CHIPS; i++)
		for (size_t k = 0; k < COUNT(made); k++)
			MUST_RUN("tpm2_nvundefine", "-T", world.chips[i].tcti, "-C", "p", made[k]);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	free(templates);
	return 0;
}

/* `name` NULL: the service is to tell. */
static void enroll(struct output *output, enum chip_use chip, const char *name, const char *more,
	const char *value)
{
	AUTO(mem_free) char *dir = text("%s/state-%d", world.dir, (int)chip);
	const char *host = name == NULL ? "--host-from-service" : "--host";

	if (name == NULL)
		world_run(&world, output, "endorse", "enroll", "--server", world.name, "--ca",
			world.roots, "--tcti", world.chips[chip].tcti, "--state", dir, "--timeout",
			"20", host, more, value, NULL);
	else
		world_run(&world, output, "endorse", "enroll", "--server", world.name, "--ca",
			world.roots, "--tcti", world.chips[chip].tcti, "--state", dir, "--timeout",
			"20", host, name, more, value, NULL);
}

static void doctor(struct output *output, enum chip_use chip, const char *name)
{
	AUTO(mem_free) char *dir = text("%s/state-%d", world.dir, (int)chip);

	world_run(&world, output, "endorse", "doctor", "--server", world.name, "--ca", world.roots,
		"--tcti", world.chips[chip].tcti, "--state", dir, "--host", name, NULL);
}

static void assert_told(const struct output *output, int code, const char *words)
{
	if (output->code != code || (strstr(buf_text(&output->err), words) == NULL &&
					    strstr(buf_text(&output->out), words) == NULL))
		fail_msg("%d, and no \"%s\" in:\n%s%s", output->code, words, buf_text(&output->out),
			buf_text(&output->err));
}

/* The hexadecimal digits behind a word of what was told. */
static char *digits_behind(const struct output *output, const char *word, size_t n)
{
	const char *at = strstr(buf_text(&output->err), word);

	if (at == NULL)
		fail_msg("no \"%s\" in: %s", word, buf_text(&output->err));
	at += strlen(word);
	at += strspn(at, " ");
	assert_true(strspn(at, "0123456789abcdef") >= n);
	return strndup(at, n);
}

/* As an operator does who has the digest from a refusal. */
static void allow(const struct output *refused, const char *host)
{
	AUTO(mem_free) char *digest = digits_behind(refused, "sha256", 64);

	free(sql_text(world.conninfo,
		"INSERT INTO ek_allowed (ek_digest, host, source, added_at, added_by, why) VALUES "
		"('\\x%s', nullif('%s', ''), 'factory', now(), 'test', 'test')",
		digest, host));
}

static void decide(const struct output *pending, const char *state)
{
	AUTO(mem_free) char *id = digits_behind(pending, "endorsectl pending show", 32);

	free(sql_text(world.conninfo,
		"UPDATE pending SET state = '%s', decided_at = now(), decided_by = 'test', why = "
		"'test' WHERE attempt_id = '\\x%s'",
		state, id));
}

/* Verified by both, with an id for its only name, and with the one policy of the class. */
static void assert_certificate(enum chip_use chip, const char *policy_oid)
{
	AUTO(mem_free) char *leaf = text("%s/state-%d/ak.pem", world.dir, (int)chip);
	AUTO(mem_free) char *chain = text("%s/state-%d/chain.pem", world.dir, (int)chip);
	AUTO(output_free) struct output openssl, certtool;

	assert_true(is_verified(&world, leaf, chain));
	process_run(&(struct program){.argv = (const char *const[]){"openssl", "x509", "-in", leaf,
					      "-noout", "-ext",
					      "certificatePolicies,subjectAltName", NULL}},
		&openssl);
	process_run(&(struct program){.argv = (const char *const[]){"certtool",
					      "--certificate-info", "--infile", leaf, NULL}},
		&certtool);
	assert_non_null(strstr(buf_text(&openssl.out), policy_oid));
	assert_non_null(strstr(buf_text(&certtool.out), policy_oid));
	assert_null(strstr(strstr(buf_text(&openssl.out), ARC) + 1, ARC));
	assert_null(strstr(strstr(buf_text(&certtool.out), ARC) + 1, ARC));
	assert_null(strstr(buf_text(&openssl.out), "DirName"));
	assert_non_null(strstr(buf_text(&openssl.out), "Permanent Identifier"));
}

static void an_ek_that_is_on_the_list_enrolls_and_its_certificate_says_so(void **state)
{
	AUTO(output_free) struct output refused, enrolled, again;

	(void)state;
	enroll(&refused, LISTED, "web.listed.example.test", NULL, NULL);
	assert_told(&refused, 5, "ek-certificate-missing");
	allow(&refused, "");
	enroll(&enrolled, LISTED, "web.listed.example.test", NULL, NULL);
	assert_told(&enrolled, 0, "nothing proves who made it");
	assert_told(&enrolled, 0, "allow-list");
	assert_told(&enrolled, 0, "without a certificate");
	assert_certificate(LISTED, ARC "3\n");
	enroll(&again, LISTED, "web.listed.example.test", NULL, NULL);
	assert_told(&again, 0, "nothing to do");
	assert_nothing_left(world.chips[LISTED].tcti);
}

static void a_name_is_learned_from_the_service_and_does_not_change_silently(void **state)
{
	AUTO(output_free) struct output refused, enrolled, held, changed, forced;

	(void)state;
	enroll(&refused, NAMED, "x.listed.example.test", NULL, NULL);
	allow(&refused, "db-7.listed.example.test");
	enroll(&enrolled, NAMED, NULL, NULL, NULL);
	assert_told(&enrolled, 0, "Enrolled db-7.listed.example.test");
	enroll(&held, NAMED, NULL, NULL, NULL);
	assert_told(&held, 0, "db-7.listed.example.test is enrolled");
	free(sql_text(world.conninfo, "UPDATE ek_allowed SET host = 'db-8.listed.example.test' "
				      "WHERE host = 'db-7.listed.example.test'"));
	enroll(&changed, NAMED, NULL, "--ak", "p384");
	assert_told(&changed, 5, "now calls this machine db-8.listed.example.test");
	assert_told(&changed, 5, "--force");
	enroll(&forced, NAMED, NULL, "--force", NULL);
	assert_told(&forced, 0, "Enrolled db-8.listed.example.test");
	assert_certificate(NAMED, ARC "3\n");
}

static void an_ek_that_is_held_enrolls_with_the_same_ak_once_it_is_accepted(void **state)
{
	AUTO(output_free) struct output before, pending, still, enrolled, after;

	(void)state;
	doctor(&before, HELD, "a.held.example.test");
	assert_true(has_line(&before, "warn ek", "there is no EK certificate in NV"));
	assert_true(has_line(&before, "FAIL policy", "not before an admin decides"));
	assert_int_equal(world_rows(&world, "pending"), 0);
	enroll(&pending, HELD, "a.held.example.test", NULL, NULL);
	assert_told(&pending, 8, "endorsectl pending show");
	enroll(&still, HELD, "a.held.example.test", NULL, NULL);
	assert_told(&still, 8, "endorsectl pending show");
	assert_int_equal(world_rows(&world, "pending"), 1);
	decide(&still, "accepted");
	enroll(&enrolled, HELD, "a.held.example.test", NULL, NULL);
	assert_told(&enrolled, 0, "approved");
	assert_certificate(HELD, ARC "4\n");
	doctor(&after, HELD, "a.held.example.test");
	assert_true(
		has_line(&after, "ok   policy", "nothing proves who made it, trusted as approved"));
	assert_int_equal(after.code, 0);
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM pending JOIN ak ON ak.name = ak_name"),
		1);
	assert_nothing_left(world.chips[HELD].tcti);
}

static void an_attempt_that_was_rejected_is_told_so(void **state)
{
	AUTO(output_free) struct output pending, refused, doctor_says;

	(void)state;
	enroll(&pending, REJECTED, "b.held.example.test", NULL, NULL);
	assert_told(&pending, 8, "endorsectl pending show");
	decide(&pending, "rejected");
	enroll(&refused, REJECTED, "b.held.example.test", "--wait", "1m");
	assert_told(&refused, 5, "attempt-rejected");
	doctor(&doctor_says, REJECTED, "b.held.example.test");
	assert_true(has_line(&doctor_says, "FAIL policy", "attempt-rejected"));
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(an_ek_that_is_on_the_list_enrolls_and_its_certificate_says_so),
		cmocka_unit_test(a_name_is_learned_from_the_service_and_does_not_change_silently),
		cmocka_unit_test(an_ek_that_is_held_enrolls_with_the_same_ak_once_it_is_accepted),
		cmocka_unit_test(an_attempt_that_was_rejected_is_told_so),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
