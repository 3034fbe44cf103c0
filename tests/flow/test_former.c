/* test_former.c - CAs that issue no more: one that became a former one, and one that its root took back. */
#include "ca/base/file.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct world world;
static char *endorsectl, *next, *root_crl, *first, *token, *url;

static int make(void **state)
{
	AUTO(buf_free) struct buf config = BUF(1 << 16);

	(void)state;
	world_make(&(struct world_plan){0}, &world);
	endorsectl = text("%s/endorsectl", ENDORSE_BIN_DIR);
	next = text("%s/next", world.dir);
	root_crl = text("%s/root.crl", world.dir);
	token = text("%s/admin.token", world.dir);
	url = text("http://127.0.0.1:%d", world.services[0].admin_port);
	must(file_read(world.services[0].config, &config) == OK, "the configuration");
	first = buf_take(&config);
	MUST_RUN(endorsectl, "ca", "init", "--dir", next, "--organization", "Next");
	return 0;
}

static int unmake(void **state)
{
	char *const all[] = {endorsectl, next, root_crl, first, token, url};

	(void)state;
	world_free(&world);
	for (size_t i = 0; i < COUNT(all); i++)
		free(all[i]);
	return 0;
}

/* As at the start, but with the CA of that directory, and these keys more. */
static void put_config(const char *ca, const char *more)
{
	AUTO(buf_free) struct buf yaml = BUF(1 << 16);
	const char *at = first, *end;

	while ((end = strstr(at, world.ca)) != NULL) {
		buf_add(&yaml, (struct view){(const uint8_t *)at, (size_t)(end - at)});
		buf_str(&yaml, ca);
		at = end + strlen(world.ca);
	}
	buf_fmt(&yaml, "%s%s", at, more);
	write_file(world.services[0].config, 0600, buf_view(&yaml));
}

/* What is printed of a reload that is taken, on either channel. */
static void reload(struct buf *said)
{
	AUTO(output_free) struct output output;

	world_run(&world, &output, "endorsectl", "reload", "--admin", url, "--token-file", token,
		NULL);
	if (output.code != 0)
		fail_msg("exit %d:\n%s", output.code, buf_text(&output.err));
	buf_free(said);
	buf_add(said, buf_view(&output.out));
	buf_add(said, buf_view(&output.err));
}

#define LOST "is neither ca nor one of former_cas any more"

/* What a CA issued is out there longer than the CA issues: nobody is to forget it. */
static void a_ca_that_issues_no_more_is_a_former_one_or_is_missed(void **state)
{
	AUTO(buf_free) struct buf said = BUF(1 << 16);
	AUTO(mem_free)
	char *former = text("former_cas: [{certificate: %s/issuing.pem, key: "
			    "%s/issuing.key, passphrase_file: "
			    "%s/issuing.passphrase}]\n",
		world.ca, world.ca, world.ca);
	AUTO(mem_free) char *log = NULL;

	(void)state;
	put_config(next, former);
	reload(&said);
	assert_non_null(strstr(buf_text(&said), "changed: CA certificate "));
	assert_non_null(strstr(buf_text(&said), "changed: former CAs "));
	assert_null(strstr(buf_text(&said), LOST));
	put_config(next, "");
	reload(&said);
	assert_non_null(strstr(buf_text(&said), ", was "));
	assert_non_null(strstr(buf_text(&said), "changed: former CAs none"));
	assert_non_null(strstr(buf_text(&said), LOST));
	log = world_log(&world, 0);
	assert_non_null(strstr(log, "reload.ca-lost ca="));
	put_config(world.ca, "");
	reload(&said);
	assert_non_null(strstr(buf_text(&said), LOST));
}

static void assert_ca_crl(int wanted, const char *says, const char *const *arguments)
{
	const char *argv[16] = {endorsectl, "ca", "crl"};
	AUTO(output_free) struct output output;

	for (size_t i = 0; arguments[i] != NULL; i++)
		argv[3 + i] = arguments[i];
	process_run(&(struct program){.argv = argv}, &output);
	buf_add(&output.out, buf_view(&output.err));
	if (output.code != wanted || strstr(buf_text(&output.out), says) == NULL)
		fail_msg("wanted %d \"%s\", got %d: %s", wanted, says, output.code,
			buf_text(&output.out));
}
#define ASSERT_CA_CRL(wanted, says, ...)                                                           \
	assert_ca_crl((wanted), (says), (const char *const[]){__VA_ARGS__, NULL})

static int verify(void)
{
	AUTO(mem_free) char *root = text("%s/root.pem", world.ca);
	AUTO(mem_free) char *issuing = text("%s/issuing.pem", world.ca);
	AUTO(output_free) struct output output;

	process_run(&(struct program){.argv = (const char *const[]){"openssl", "verify",
					      "-crl_check_all", "-CRLfile", root_crl, "-CAfile",
					      root, issuing, NULL}},
		&output);
	return output.code;
}

static void the_root_takes_its_issuing_ca_back(void **state)
{
	AUTO(mem_free) char *issuing = text("%s/issuing.pem", world.ca);
	AUTO(mem_free) char *other = text("%s/issuing.pem", next);
	AUTO(mem_free) char *key = text("root_crl: %s\n", root_crl);
	AUTO(buf_free) struct buf said = BUF(1 << 16);

	(void)state;
	ASSERT_CA_CRL(0, "number 1, 0 taken back", "--dir", world.ca, "--out", root_crl);
	assert_int_equal(0, verify());
	put_config(world.ca, key);
	reload(&said);
	assert_non_null(strstr(buf_text(&said), "changed: root CRL is another one"));
	ASSERT_CA_CRL(1, "this root did not issue it", "--dir", world.ca, "--revoke", other,
		"--out", root_crl);
	ASSERT_CA_CRL(0, "number 2, 1 taken back", "--dir", world.ca, "--revoke", issuing,
		"--reason", "keyCompromise", "--days", "30", "--out", root_crl);
	assert_int_not_equal(0, verify());
	ASSERT_CA_CRL(
		1, "taken back before", "--dir", world.ca, "--revoke", issuing, "--out", root_crl);
	put_config(world.ca, "");
	reload(&said);
	assert_non_null(strstr(buf_text(&said), "changed: root CRL none"));
}

static void what_nobody_can_mean_is_wrong_usage(void **state)
{
	(void)state;
	ASSERT_CA_CRL(2, "usage:", "--dir", world.ca);
	ASSERT_CA_CRL(2, "usage:", "--out", root_crl);
	ASSERT_CA_CRL(2, "usage:", "--dir", world.ca, "--out", root_crl, "more");
	ASSERT_CA_CRL(2, "usage:", "--dir", world.ca, "--out", root_crl, "--reason", "superseded");
	ASSERT_CA_CRL(2, "not taken back for \"certificateHold\"", "--dir", world.ca, "--out",
		root_crl, "--revoke", next, "--reason", "certificateHold");
	ASSERT_CA_CRL(2, "not taken back for \"removeFromCRL\"", "--dir", world.ca, "--out",
		root_crl, "--revoke", next, "--reason", "removeFromCRL");
	ASSERT_CA_CRL(2, "wanted 1 to 3650", "--dir", world.ca, "--out", root_crl, "--days", "0");
	ASSERT_CA_CRL(
		2, "wanted 1 to 3650", "--dir", world.ca, "--out", root_crl, "--days", "3651");
	ASSERT_CA_CRL(2, "wanted 1 to 3650", "--dir", world.ca, "--out", root_crl, "--days", "1d");
	ASSERT_CA_CRL(0, "usage:", "--help");
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_ca_that_issues_no_more_is_a_former_one_or_is_missed),
		cmocka_unit_test(the_root_takes_its_issuing_ca_back),
		cmocka_unit_test(what_nobody_can_mean_is_wrong_usage),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
