/* test_renewal_races.c - an admin acts between what a renewal read and what it writes: it is judged by what is so then. */
#include "tests/flow/cluster.h"
#include "tests/flow/knock.h"
#include "tests/flow/soft_renew.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define POLICY                                                                                     \
	"rules:\n"                                                                                 \
	"  - name: any\n"                                                                          \
	"    hosts: [{suffix: example.test}]\n"                                                    \
	"    templates: [ak]\n"

/* As each act of an admin does, first of all. */
#define FIRST                                                                                      \
	"UPDATE device SET revision = revision + 1 WHERE device_id ="                              \
	" (SELECT device_id FROM host WHERE name = '%1$s'); "

static struct world world;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.policy = POLICY}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

static void *send_it(void *x)
{
	soft_renewal_send(x, &world.services[0].peer);
	return NULL;
}

static bool is_waiting(void *of)
{
	(void)of;
	return sql_number(world.conninfo,
		       "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
		       "datname = current_database()") > 0;
}

/* The act is done, and committed once the renewal waits behind it with what it read before. */
static void renew_during(const char *act, const char *host, struct soft_renewal *x)
{
	AUTO(mem_free) char *sql = text(act, host);
	PGconn *admin = PQconnectdb(world.conninfo);
	pthread_t thread;

	must(soft_renewal_ticket(x, &world.services[0].peer) == 200, "no ticket");
	soft_renewal_ask(x);
	soft_renewal_sign(x);
	PQclear(PQexec(admin, "BEGIN"));
	PQclear(PQexec(admin, sql));
	must(PQtransactionStatus(admin) == PQTRANS_INTRANS, "%s", PQerrorMessage(admin));
	must(pthread_create(&thread, NULL, send_it, x) == 0, "no thread");
	must(wait_until(is_waiting, NULL, 10000), "it does not wait for: %s", sql);
	PQclear(PQexec(admin, "COMMIT"));
	PQfinish(admin);
	pthread_join(thread, NULL);
}

static long certificates_of(const char *host)
{
	return sql_number(
		world.conninfo, "SELECT count(*) FROM certificate WHERE host = '%s'", host);
}

static void what_an_admin_did_meanwhile_holds(void **state)
{
	static const struct {
		const char *host, *act, *code;
	} lines[] = {
		{"revoked.example.test",
			FIRST "UPDATE device SET state = 'revoked' WHERE device_id ="
			      " (SELECT device_id FROM host WHERE name = '%1$s')",
			"device-revoked"},
		{"unbound.example.test", FIRST "DELETE FROM host WHERE name = '%1$s'",
			"renewal-name-not-bound"},
		{"moved.example.test",
			FIRST "DELETE FROM host WHERE name = '%1$s'; INSERT INTO host (name, "
			      "device_id, alias, bound_at) SELECT '%1$s', device_id, true, now() "
			      "FROM host WHERE name = 'other.example.test'",
			"renewal-name-not-bound"},
		{"superseded.example.test",
			FIRST "UPDATE ak SET state = 'superseded' WHERE device_id ="
			      " (SELECT device_id FROM host WHERE name = '%1$s')",
			"ak-superseded"},
	};
	AUTO(soft_device_free) struct soft_device other;

	(void)state;
	soft_device_enrolled(&world, "other.example.test", &other);
	for (size_t i = 0; i < COUNT(lines); i++) {
		AUTO(soft_device_free) struct soft_device device;
		AUTO(soft_renewal_free) struct soft_renewal x;

		soft_device_enrolled(&world, lines[i].host, &device);
		soft_renewal_init(&x, &device, world.name);
		renew_during(lines[i].act, lines[i].host, &x);
		assert_renewal(&x, 403, lines[i].code);
		assert_int_equal(1, certificates_of(lines[i].host));
		assert_int_equal(
			1, sql_number(world.conninfo,
				   "SELECT count(*) FROM audit JOIN device USING (device_id) WHERE "
				   "event = 'renew.refused' AND host = '%s' AND code = '%s'",
				   lines[i].host, lines[i].code));
	}
}

/* The device may have a certificate, only not that one. */
static void a_certificate_that_is_revoked_meanwhile_is_not_returned(void **state)
{
	static const char host[] = "taken.example.test";
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_renewal_free) struct soft_renewal before, x;

	(void)state;
	soft_device_enrolled(&world, host, &device);
	soft_renewal_init(&before, &device, world.name);
	soft_renew(&before, &world.services[0].peer);
	assert_renewal(&before, 200, "");
	soft_renewal_init(&x, &device, world.name);
	renew_during(FIRST "UPDATE certificate SET revoked_at = now(), revocation_reason = "
			   "'superseded' WHERE host = '%1$s'",
		host, &x);
	assert_renewal(&x, 200, "");
	assert_false(view_equal(before.answer->certificates[0].der, x.answer->certificates[0].der));
	assert_int_equal(2, certificates_of(host));
	/* Nor by the ticket of before. */
	soft_renewal_send(&before, &world.services[0].peer);
	assert_renewal(&before, 403, "certificate-revoked");
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(what_an_admin_did_meanwhile_holds),
		cmocka_unit_test(a_certificate_that_is_revoked_meanwhile_is_not_returned),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
