/* test_imported.c - what operators import into the database reaches every server, without a restart. */
#include "ca/base/crypt.h"
#include "db/trusted.h"
#include "tests/flow/cluster.h"
#include "tests/flow/knock.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define SOON 5000 /* ms in which an import is everywhere */

static struct world world;
static struct maker other; /* whom the configuration does not name */
static struct soft_device device;

static int make(void **state)
{
	AUTO(mem_free) char *dir = text("%s/other", supervise_dir());

	(void)state;
	world_make(&(struct world_plan){.services = 2, .pgproxy = true, .policy = world_any_name},
		&world);
	maker_init(&other, dir, "Other");
	stranger_make(&world,
		&(struct stranger_plan){.maker = &other, .host = "a.example.test", .ek = SOFT_L2},
		&device);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	soft_device_free(&device);
	maker_free(&other);
	world_free(&world);
	return 0;
}

static const struct act act = {"admin-token", "127.0.0.1", "their root", "r", 1800000000};

static void import(struct view der, const char *role)
{
	AUTO(db_close) struct db *db = NULL;
	struct trusted item = {
		.role = role, .der = der, .manufacturers = "", .source = "other.pem", .path = ""};
	size_t added = 0;

	must(SHA256_OF(item.sha256, der) == OK, "%s", why()->sentence);
	must(db_open(world.conninfo, 1, 5000, &db) == OK, "%s", why()->sentence);
	must(trusted_import(db, &item, 1, &act, &added) == OK && added == 1, "%s", why()->sentence);
}

static void import_certificate(X509 *certificate, const char *role)
{
	uint8_t *der = NULL;
	int n = i2d_X509(certificate, &der);

	must(n > 0, "no DER");
	import((struct view){der, (size_t)n}, role);
	OPENSSL_free(der);
}

static void remove_certificate(X509 *certificate)
{
	AUTO(db_close) struct db *db = NULL;
	uint8_t digest[SHA256_SIZE];
	unsigned n = 0;

	must(X509_digest(certificate, EVP_sha256(), digest, &n) == 1, "no digest");
	must(db_open(world.conninfo, 1, 5000, &db) == OK, "%s", why()->sentence);
	must(trusted_remove(db, digest, &act) == OK, "%s", why()->sentence);
}

struct wish {
	size_t service;
	int status;
};

static bool answers(void *arg)
{
	const struct wish *wish = arg;
	AUTO(knock_free) struct knock knock;

	knock_init(&knock, &world, &device);
	knock.peer = &world.services[wish->service].peer;
	return knock_at(&knock) == wish->status;
}

/* At every server, before it would be late. */
static void assert_soon(int status)
{
	int64_t begun = now_ms();

	for (size_t i = 0; i < world.services_n; i++)
		if (!wait_until(answers, &(struct wish){i, status}, SOON))
			fail_msg("service %zu does not answer %d", i, status);
	assert_true(now_ms() - begun < SOON);
}

/* At once: it was so before we asked. */
static void assert_now(int status)
{
	for (size_t i = 0; i < world.services_n; i++)
		assert_true(answers(&(struct wish){i, status}));
}

static size_t times_in(const char *log, const char *what)
{
	size_t n = 0;

	while ((log = strstr(log, what)) != NULL) {
		log += strlen(what);
		n++;
	}
	return n;
}

static void an_import_reaches_every_server_within_five_seconds(void **state)
{
	AUTO(knock_free) struct knock knock;
	AUTO(mem_free) char *log = NULL;

	(void)state;
	assert_knock(&world, &device, 422, "ek-untrusted");
	assert_nothing_bound(&world);
	import_certificate(other.intermediate, "intermediate");
	import_certificate(other.root, "root");
	assert_soon(200);
	knock_init(&knock, &world, &device);
	knock_at(&knock);
	assert_string_equal(knock.x.answer->trust_class, "operator-import");
	log = world_log(&world, 1);
	assert_non_null(strstr(log, "trust.imported revision=2 certificates=2 trust="));
}

static void a_reload_keeps_what_was_imported(void **state)
{
	(void)state;
	for (size_t i = 0; i < world.services_n; i++) {
		kill(world.services[i].pid, SIGHUP);
		assert_true(wait_for_text(world.services[i].log, "service.reloaded", 10000));
	}
	assert_now(200);
}

/* How often the first server has reloaded. */
static bool has_reloaded(void *arg)
{
	const size_t *times = arg;
	AUTO(mem_free) char *log = world_log(&world, 0);

	return times_in(log, "service.reloaded") == *times;
}

static void a_reload_while_the_database_is_away_keeps_it_too(void **state)
{
	(void)state;
	pgproxy_set(world.pgproxy, PGPROXY_CUT);
	assert_true(wait_for_text(world.services[0].log, "trust.not-read", 10000));
	kill(world.services[0].pid, SIGHUP);
	assert_true(wait_until(has_reloaded, &(size_t){2}, 10000));
	pgproxy_set(world.pgproxy, PGPROXY_PASS);
	assert_soon(200);
}

static void a_server_that_starts_has_it_before_it_listens(void **state)
{
	(void)state;
	assert_int_equal(0, world_service_stop(&world, 1, SIGTERM));
	world_service_start(&world, 1);
	assert_now(200);
}

static void what_cannot_be_read_is_told_once_and_keeps_nothing_else_out(void **state)
{
	AUTO(mem_free) char *log = NULL;

	(void)state;
	import(view_str("no certificate"), "root");
	assert_true(wait_for_text(world.services[0].log, "revision=3 certificates=2", SOON));
	assert_now(200);
	/* Taken once more, by a reload, it is not told again. */
	kill(world.services[0].pid, SIGHUP);
	assert_true(wait_until(has_reloaded, &(size_t){3}, 10000));
	log = world_log(&world, 0);
	assert_int_equal(1, times_in(log, "trust.skipped imported="));
}

static void the_doctor_says_how_many_there_are(void **state)
{
	AUTO(output_free) struct output output;
	AUTO(mem_free) char *url = text("http://127.0.0.1:%d", world.services[0].admin_port);
	AUTO(mem_free) char *token = text("%s/admin.token", world.dir);

	(void)state;
	world_run(&world, &output, "endorsectl", "doctor", "--admin", url, "--token-file", token,
		NULL);
	assert_non_null(strstr(buf_text(&output.out), "imported by operators: revision 3"));
}

static void a_removal_reaches_every_server_too(void **state)
{
	long certificates = world_rows(&world, "certificate");

	(void)state;
	remove_certificate(other.root);
	assert_soon(422);
	assert_knock(&world, &device, 422, "ek-untrusted");
	assert_int_equal(certificates, world_rows(&world, "certificate"));
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(an_import_reaches_every_server_within_five_seconds),
		cmocka_unit_test(a_reload_keeps_what_was_imported),
		cmocka_unit_test(a_reload_while_the_database_is_away_keeps_it_too),
		cmocka_unit_test(a_server_that_starts_has_it_before_it_listens),
		cmocka_unit_test(what_cannot_be_read_is_told_once_and_keeps_nothing_else_out),
		cmocka_unit_test(the_doctor_says_how_many_there_are),
		cmocka_unit_test(a_removal_reaches_every_server_too),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
