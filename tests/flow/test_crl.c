/* test_crl.c - the CRL of what a service issued: its shards, when they are made, who reads them. */
#include "ca/base/encode.h"
#include "tests/flow/cluster.h"
#include "tests/flow/four.h"
#include "tests/flow/published.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define SOON 2000 /* ms from a revocation to the CRL that says so */

static struct world world;
static struct httpc_peer *here; /* the first service */
/* One enrollment: ak, platform-property, tls-client, in this order. */
static struct four_device device;
static struct four first;

static struct view certificate(const struct four *four, size_t i)
{
	return four->x.answer->certificates[i].der;
}

static void enroll(struct four *four, struct four_device *whose, const char *host)
{
	four_device_make(&world, host, whose);
	four_init(four, &world, whose);
	four->wants[2].template = "tls-client";
	four->x.wants_n = 3;
	if (four_run(four, world.name) != 200)
		fail_msg("%s: %s", four->problem.reason, four->problem.detail);
}

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.services = 2, .policy = four_policy}, &world);
	here = &world.services[0].peer;
	enroll(&first, &device, "web-1.example.test");
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	four_free(&first);
	four_device_free(&device);
	world_free(&world);
	return 0;
}

static void take_back(struct view der, const char *reason)
{
	AUTO(buf_free) struct buf hex = BUF(1 << 16);

	hex_add(&hex, der);
	free(sql_text(world.conninfo,
		"UPDATE certificate SET revoked_at = now(), revocation_reason = '%s'"
		" WHERE der = decode('%s', 'hex')",
		reason, buf_text(&hex)));
}

/* What a program that verifies says, both streams in one. */
static char *said(const char *const *argv, int *code)
{
	AUTO(output_free) struct output output;

	process_run(&(struct program){.argv = argv}, &output);
	*code = output.code;
	return text("%s%s", buf_text(&output.out), buf_text(&output.err));
}

static char *file(const char *name)
{
	return text("%s/%s", world.dir, name);
}

static bool openssl_takes(const char *leaf, const char *crl, const char *words)
{
	AUTO(mem_free) char *issuing = text("%s/issuing.pem", world.ca);
	AUTO(mem_free) char *root = text("%s/root.pem", world.ca);
	int code;
	AUTO(mem_free)
	char *says = said((const char *const[]){"openssl", "verify", "-x509_strict", "-purpose",
				  "any", "-crl_check", "-CAfile", root, "-untrusted", issuing,
				  "-CRLfile", crl, leaf, NULL},
		&code);

	if (words != NULL && strstr(says, words) == NULL)
		fail_msg("openssl verify: %s", says);
	return code == 0;
}

static void the_crl_of_a_certificate_is_there_at_once_and_fits_it(void **state)
{
	AUTO(mem_free)
	char *leaf = file("leaf.pem"), *crl = file("crl.pem"),
	     *path = crl_path_of(certificate(&first, 2));
	AUTO(x509_crl_free) X509_CRL *served = NULL;

	(void)state;
	assert_int_equal(3, sql_number(world.conninfo,
				    "SELECT count(*) FROM certificate WHERE issuer IS NOT NULL"
				    " AND shard IS NOT NULL AND kind = 'x509'"));
	served = crl_at(here, path);
	assert_non_null(served);
	assert_int_equal(0, crl_entries(served));
	certificate_write(certificate(&first, 2), leaf);
	crl_write(here, path, crl);
	assert_true(openssl_takes(leaf, crl, NULL));
}

/* As relying parties judge, within the promised time. */
static void a_revoked_certificate_is_refused_by_its_shard(void **state)
{
	AUTO(mem_free)
	char *leaf = file("leaf.pem"), *crl = file("crl.pem"),
	     *issuing = text("%s/issuing.pem", world.ca),
	     *path = crl_path_of(certificate(&first, 2)), *says = NULL;
	int code;

	(void)state;
	take_back(certificate(&first, 2), "keyCompromise");
	assert_in_range(crl_wait(here, certificate(&first, 2), true), 0, SOON);
	certificate_write(certificate(&first, 2), leaf);
	crl_write(here, path, crl);
	assert_false(openssl_takes(leaf, crl, "certificate revoked"));
	says = said((const char *const[]){"certtool", "--verify-crl", "--load-ca-certificate",
			    issuing, "--infile", crl, NULL},
		&code);
	if (code != 0 || strstr(says, "Verified.") == NULL)
		fail_msg("certtool: %s", says);
}

static void a_certificate_that_is_held_leaves_the_crl_when_it_is_released(void **state)
{
	struct view held = certificate(&first, 0);

	(void)state;
	take_back(held, "certificateHold");
	crl_wait(here, held, true);
	free(sql_text(world.conninfo,
		"UPDATE certificate SET revoked_at = NULL, revocation_reason = NULL"
		" WHERE revocation_reason = 'certificateHold'"));
	crl_wait(here, held, false);
}

static void close_shard(void)
{
	free(sql_text(world.conninfo,
		"SELECT setval('crl_place', last_value + capacity) FROM crl_place, crl_plan"));
}

static void another_shard_says_nothing_of_it(void **state)
{
	AUTO(mem_free)
	char *leaf = file("leaf.pem"), *crl = file("other.pem"),
	     *path = crl_path_of(certificate(&first, 0)), *next = NULL;
	struct four_device other;
	struct four four;

	(void)state;
	close_shard();
	enroll(&four, &other, "web-2.example.test");
	next = crl_path_of(certificate(&four, 0));
	assert_string_not_equal(path, next);
	certificate_write(certificate(&first, 0), leaf);
	crl_write(here, next, crl);
	assert_false(openssl_takes(leaf, crl, "different CRL scope"));
	crl_write(here, path, crl);
	assert_true(openssl_takes(leaf, crl, NULL));
	four_free(&four);
	four_device_free(&other);
}

/* The place that was drawn goes on from where it was. */
static void a_restart_and_another_server_draw_from_the_same_shard(void **state)
{
	AUTO(mem_free) char *path = NULL, *ending = NULL;
	struct four_device other;
	struct four four;

	(void)state;
	ending = sql_text(world.conninfo, "SELECT format('-%%s.crl', max(shard)) FROM certificate");
	world_service_stop(&world, 0, SIGTERM);
	world_service_start(&world, 0);
	four_device_make(&world, "web-3.example.test", &other);
	four_init(&four, &world, &other);
	four.peer = &world.services[1].peer;
	assert_int_equal(200, four_run(&four, world.name));
	path = crl_path_of(certificate(&four, 0));
	must(strstr(path, ending) != NULL, "%s does not end with %s", path, ending);
	assert_int_equal(1, sql_number(world.conninfo, "SELECT count(*) FROM crl_plan"));
	four_free(&four);
	four_device_free(&other);
}

static void what_is_revoked_while_nobody_can_publish_is_published_after_a_crash(void **state)
{
	struct view der = certificate(&first, 1);

	(void)state;
	for (size_t i = 0; i < 2; i++)
		kill(world.services[i].pid, SIGSTOP);
	take_back(der, "superseded");
	for (size_t i = 0; i < 2; i++)
		world_service_stop(&world, i, SIGKILL);
	assert_int_equal(1, sql_number(world.conninfo,
				    "SELECT count(*) FROM crl_shard WHERE changed <> published"));
	world_service_start(&world, 0);
	crl_wait(here, der, true);
	world_service_start(&world, 1);
}

/* By the database alone: what is in its rows is what the CRL lists. */
static void a_shard_that_is_revoked_whole_stays_below_the_bound(void **state)
{
	AUTO(mem_free) char *path = crl_path_of(certificate(&first, 0));
	AUTO(x509_crl_free) X509_CRL *crl = NULL;
	long capacity, mine, bytes;

	(void)state;
	capacity = sql_number(world.conninfo, "SELECT capacity FROM crl_plan");
	mine = sql_number(world.conninfo, "SELECT count(*) FROM certificate WHERE shard = 0");
	assert_in_range(capacity, 1000, 3000);
	free(sql_text(world.conninfo,
		"INSERT INTO certificate SELECT (jsonb_populate_record(NULL::certificate,"
		" to_jsonb(c) || jsonb_build_object('serial',"
		"  '\\x7f' || substr(encode(sha256(i::text::bytea), 'hex'), 1, 30)))).*"
		" FROM (SELECT * FROM certificate WHERE shard = 0 LIMIT 1) AS c,"
		" generate_series(1, %ld) AS i",
		capacity - mine));
	free(sql_text(world.conninfo,
		"UPDATE certificate SET revoked_at = now(), revocation_reason = 'keyCompromise'"
		" WHERE shard = 0"));
	crl_wait(here, certificate(&first, 0), true);
	crl = crl_at(here, path);
	assert_int_equal(capacity, crl_entries(crl));
	bytes = i2d_X509_CRL(crl, NULL);
	printf("a shard of %ld certificates, all revoked: %ld bytes\n", capacity, bytes);
	assert_in_range(bytes, 80000, 102400);
}

struct renumbered {
	const char *path;
	long was;
};

static bool has_new_number(void *arg)
{
	const struct renumbered *renumbered = arg;
	AUTO(x509_crl_free) X509_CRL *crl = crl_at(here, renumbered->path);

	return crl_number_of(crl) > renumbered->was;
}

static void a_crl_is_made_anew_before_its_next_update(void **state)
{
	AUTO(mem_free) char *path = crl_path_of(certificate(&first, 0));
	AUTO(x509_crl_free) X509_CRL *crl = crl_at(here, path);
	struct renumbered renumbered = {path, crl_number_of(crl)};

	(void)state;
	free(sql_text(world.conninfo, "UPDATE crl_shard SET next_update = now() + "
				      "interval '15 hours 59 minutes'"));
	assert_true(wait_until(has_new_number, &renumbered, 5000));
	assert_true(world_rows_become(
		&world, "crl_shard WHERE next_update < now() + interval '23 hours'", 0));
}

/* Of a CRL that has been there for so long that everybody has seen what ended. */
static void a_shard_of_which_all_has_ended_is_forgotten(void **state)
{
	AUTO(mem_free) char *path = crl_path_of(certificate(&first, 0));
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	AUTO(x509_crl_free) X509_CRL *crl = NULL;

	(void)state;
	close_shard();
	close_shard();
	/* An hour ago is not long enough: an entry stays a whole lifetime of CRLs. */
	free(sql_text(world.conninfo,
		"UPDATE certificate SET not_before = now() - interval '2 days',"
		" not_after = now() - interval '1 hour' WHERE shard = 0"));
	assert_true(world_rows_become(&world, "crl_shard WHERE changed <> published", 0));
	crl = crl_at(here, path);
	assert_true(crl_has(crl, certificate(&first, 0)));
	free(sql_text(world.conninfo,
		"ALTER TABLE certificate DISABLE TRIGGER certificate_follow;"
		"UPDATE certificate SET not_after = now() - interval '25 hours'"
		" WHERE shard = 0;"
		"ALTER TABLE certificate ENABLE TRIGGER certificate_follow;"
		"UPDATE crl_shard SET next_update = now() WHERE shard = 0"));
	assert_true(world_rows_become(&world, "crl_shard WHERE shard = 0", 0));
	httpc_get(here, path, &answer);
	assert_int_equal(404, answer.status);
	assert_non_null(strstr(buf_text(&answer.body), "crl-unknown"));
}

static void a_name_that_is_none_is_not_found(void **state)
{
	const char *const bad[] = {"/crl/x", "/crl/0123456789abcdef-0.crl", "/crl/.crl",
		"/crl/0123456789abcdef-00.crl", "/crl/0123456789ABCDEF-0.crl"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer = {0};

		httpc_get(here, bad[i], &answer);
		assert_int_equal(404, answer.status);
		if (strstr(buf_text(&answer.body), "crl-unknown") == NULL)
			fail_msg("%s: %s", bad[i], buf_text(&answer.body));
	}
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(the_crl_of_a_certificate_is_there_at_once_and_fits_it),
		cmocka_unit_test(a_revoked_certificate_is_refused_by_its_shard),
		cmocka_unit_test(a_certificate_that_is_held_leaves_the_crl_when_it_is_released),
		cmocka_unit_test(another_shard_says_nothing_of_it),
		cmocka_unit_test(a_restart_and_another_server_draw_from_the_same_shard),
		cmocka_unit_test(
			what_is_revoked_while_nobody_can_publish_is_published_after_a_crash),
		cmocka_unit_test(a_shard_that_is_revoked_whole_stays_below_the_bound),
		cmocka_unit_test(a_crl_is_made_anew_before_its_next_update),
		cmocka_unit_test(a_shard_of_which_all_has_ended_is_forgotten),
		cmocka_unit_test(a_name_that_is_none_is_not_found),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
