/* test_production.c - what deploy/README.md tells operators to do, done: backup and restore, and an upgrade of one server
 * after the other. */
#include "tests/flow/cluster.h"
#include "tests/flow/soft_renew.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEVICES 3
#define MOST_MS 30000

static struct world world;

static int make(void **state)
{
	/* All devices are one address here, and come as fast as they can. */
	static const char *const env[] = {"ENDORSE_EDGE_SOURCE_RATE=1000000", NULL};

	(void)state;
	world_make(&(struct world_plan){.services = 2, .edge = true, .edge_env = env}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

/* A device that enrolls again and again, as long as a test makes changes. */
struct guest {
	pthread_t thread;
	struct soft_device device;
	atomic_bool is_leaving;
	atomic_uint enrolled, refused;
	char last[400];
};

static void *keep_coming(void *arg)
{
	struct guest *guest = arg;

	while (!guest->is_leaving) {
		AUTO(soft_outcome_free) struct soft_outcome outcome;

		soft_enroll(&guest->device, &world.front, world.name, &outcome);
		if (outcome.status == 200) {
			guest->enrolled++;
			continue;
		}
		snprintf(guest->last, sizeof(guest->last), "%d %s %s", outcome.status, outcome.code,
			outcome.detail);
		guest->refused++;
	}
	return NULL;
}

static void guests_come(struct guest guests[static DEVICES])
{
	for (size_t i = 0; i < DEVICES; i++) {
		AUTO(mem_free) char *host = text("web-%zu.example.test", 10 + i);

		memset(&guests[i], 0, sizeof(guests[i]));
		soft_device_make(&(struct soft_plan){.ek = SOFT_L2,
					 .ak = SOFT_P256,
					 .service = world.name,
					 .host = host},
			&world.maker, &guests[i].device);
		must(pthread_create(&guests[i].thread, NULL, keep_coming, &guests[i]) == 0,
			"no thread");
	}
}

static void guests_leave(struct guest guests[static DEVICES])
{
	for (size_t i = 0; i < DEVICES; i++)
		guests[i].is_leaving = true;
	for (size_t i = 0; i < DEVICES; i++) {
		pthread_join(guests[i].thread, NULL);
		soft_device_free(&guests[i].device);
	}
}

static void edge_does(const char *state, size_t i)
{
	AUTO(mem_free)
	char *command = text("set server endorsed/%s state %s", i == 0 ? "one" : "two", state);
	AUTO(mem_free) char *answer = world_edge_says(&world, command);

	if (strcmp(answer, "\n") != 0)
		fail_msg("%s: %s", command, answer);
}

/* "1 endorsed 1 one 127.0.0.1 2 ...": the sixth word is 2 once a server gets requests. */
static bool edge_sees(void *arg)
{
	AUTO(mem_free) char *all = world_edge_says(&world, "show servers state endorsed");
	AUTO(mem_free) char *name = text(" %s 127.0.0.1 2 ", (const char *)arg);

	return strstr(all, name) != NULL;
}

/* "endorsed/one 4/1 127.0.0.1 880 - 5000 0 ...": the seventh word is how many requests it has in hand. */
static bool edge_has_left(void *arg)
{
	AUTO(mem_free) char *all = world_edge_says(&world, "show servers conn endorsed");
	AUTO(mem_free) char *name = text("endorsed/%s ", (const char *)arg);
	const char *at = strstr(all, name);

	for (int i = 0; at != NULL && i < 6; i++)
		if ((at = strchr(at, ' ')) != NULL)
			at++;
	return at != NULL && strncmp(at, "0 ", 2) == 0;
}

struct progress {
	struct guest *guests;
	unsigned wanted[DEVICES];
};

static bool all_have_come(void *arg)
{
	struct progress *progress = arg;

	for (size_t i = 0; i < DEVICES; i++)
		if (progress->guests[i].enrolled < progress->wanted[i])
			return false;
	return true;
}

/* Every device enrolls twice more: once may have begun before. */
static void assert_they_come(struct guest guests[static DEVICES])
{
	struct progress progress = {.guests = guests};

	for (size_t i = 0; i < DEVICES; i++)
		progress.wanted[i] = guests[i].enrolled + 2;
	if (!wait_until(all_have_come, &progress, MOST_MS))
		fail_msg("a device does not get through: %s", guests[0].last);
}

static void servers_are_upgraded_one_after_the_other_and_no_device_notices(void **state)
{
	static struct guest guests[DEVICES];
	static char one[] = "one", two[] = "two";
	unsigned refused = 0;

	(void)state;
	assert_true(wait_until(edge_sees, one, MOST_MS) && wait_until(edge_sees, two, MOST_MS));
	guests_come(guests);
	assert_they_come(guests);
	for (size_t i = 0; i < 2; i++) {
		edge_does("drain", i);
		assert_true(wait_until(edge_has_left, i == 0 ? one : two, MOST_MS));
		assert_int_equal(world_service_stop(&world, i, SIGTERM), 0);
		assert_they_come(guests);
		world_service_start(&world, i);
		edge_does("ready", i);
		assert_true(wait_until(edge_sees, i == 0 ? one : two, MOST_MS));
		assert_they_come(guests);
	}
	guests_leave(guests);
	for (size_t i = 0; i < DEVICES; i++) {
		refused += guests[i].refused;
		if (guests[i].refused > 0)
			printf("%s\n", guests[i].last);
	}
	assert_int_equal(refused, 0);
}

/* The version that runs is not the newest any more: as when another server has been upgraded, and this one has not. */
static void a_server_of_the_older_version_stands_aside(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer before = {0}, after = {0};

	(void)state;
	httpc_get(&world.services[0].peer, "/readyz", &before);
	free(sql_text(world.conninfo,
		"INSERT INTO schema_version (number, name, sha256) VALUES (9999, 'later', "
		"sha256('later'))"));
	httpc_get(&world.services[0].peer, "/readyz", &after);
	free(sql_text(world.conninfo, "DELETE FROM schema_version WHERE number = 9999"));
	assert_int_equal(before.status, 200);
	assert_int_equal(after.status, 503);
}

static char *program_of_postgres(const char *name)
{
	AUTO(mem_free) char *pattern = text("/usr/lib/postgresql/*/bin/%s", name);
	glob_t found;
	char *path;

	must(glob(pattern, 0, NULL, &found) == 0, "%s is not installed", name);
	path = strdup(found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
	return path;
}

static void back_up(const char *file)
{
	AUTO(mem_free) char *program = program_of_postgres("pg_dump");

	MUST_RUN(program, "--format=custom", "--file", file, "--dbname", world.conninfo);
}

/* As after the loss of the machine that it was on: an empty cluster, and the backup. */
static void restore(const char *file)
{
	AUTO(mem_free) char *program = program_of_postgres("pg_restore");
	AUTO(mem_free) char *psql = program_of_postgres("psql");
	AUTO(mem_free) char *script = world_source("deploy/restore/after-restore.sql");
	AUTO(mem_free) char *other = cluster_conninfo(cluster_socket(), "postgres");
	const char *database = strstr(world.conninfo, "dbname=") + strlen("dbname=");

	free(sql_text(other, "DROP DATABASE %s WITH (FORCE)", database));
	cluster_create(database);
	MUST_RUN(program, "--exit-on-error", "--dbname", world.conninfo, file);
	MUST_RUN(psql, "-q", "-v", "ON_ERROR_STOP=1", "-f", script, world.conninfo);
}

static void renews(const struct soft_device *device, int status, const char *code)
{
	AUTO(soft_renewal_free) struct soft_renewal renewal;

	soft_renewal_init(&renewal, device, world.name);
	soft_renew(&renewal, &world.services[1].peer);
	assert_renewal(&renewal, status, code);
}

static void enrolls(const struct soft_device *device)
{
	AUTO(soft_outcome_free) struct soft_outcome outcome;

	soft_enroll(device, &world.front, world.name, &outcome);
	if (outcome.status != 200)
		fail_msg("%d %s %s", outcome.status, outcome.code, outcome.detail);
}

static bool no_crl_is_behind(void *arg)
{
	(void)arg;
	return sql_number(world.conninfo, "SELECT count(*) FROM crl_shard WHERE number IS NULL OR "
					  "changed <> published") == 0;
}

static void services_do(int signal)
{
	for (size_t i = 0; i < 2; i++)
		if (signal == 0)
			world_service_start(&world, i);
		else
			assert_int_equal(world_service_stop(&world, i, signal), 0);
}

static bool the_edge_passes_on(void *arg)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};

	(void)arg;
	httpc_get(&world.front, "/healthz", &answer);
	return answer.status == 200;
}

static void a_backup_brings_back_what_was_and_gives_nothing_out_twice(void **state)
{
	AUTO(soft_device_free) struct soft_device kept, lost;
	AUTO(mem_free) char *file = text("%s/endorse.dump", world.dir);
	long shard, number;

	(void)state;
	soft_device_enrolled(&world, "web-1.example.test", &kept);
	back_up(file);
	soft_device_enrolled(&world, "web-2.example.test", &lost);
	assert_true(wait_until(no_crl_is_behind, NULL, MOST_MS));
	shard = sql_number(world.conninfo, "SELECT max(shard) FROM certificate");
	number = sql_number(world.conninfo, "SELECT max(number) FROM crl_shard");
	services_do(SIGTERM);
	restore(file);
	services_do(0);
	assert_true(wait_until(the_edge_passes_on, NULL, MOST_MS));
	/* Who was in the backup goes on; who was not begins anew. */
	renews(&kept, 200, "");
	renews(&lost, 403, "renewal-needs-enrollment");
	enrolls(&lost);
	assert_true(sql_number(world.conninfo, "SELECT max(shard) FROM certificate") > shard);
	assert_true(wait_until(no_crl_is_behind, NULL, MOST_MS));
	assert_true(sql_number(world.conninfo, "SELECT min(number) FROM crl_shard") > number);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(servers_are_upgraded_one_after_the_other_and_no_device_notices),
		cmocka_unit_test(a_server_of_the_older_version_stands_aside),
		cmocka_unit_test(a_backup_brings_back_what_was_and_gives_nothing_out_twice),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
