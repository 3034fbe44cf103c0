/* test_manager.c - what a service manager is told, and SIGHUP at bad moments. */
#include "ca/base/file.h"
#include "tests/flow/cluster.h"
#include "tests/flow/inflight.h"
#include "tests/flow/supervise.h"
#include "tests/flow/visit.h"

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct world world;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.chips = 1}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

/* A service manager's end, and the service that it runs. */
struct manager {
	int fd;
	pid_t pid;
	char *log;
};

static void manager_begin(struct manager *manager, const char *name, const char *watchdog)
{
	struct world_service *service = &world.services[0];
	AUTO(mem_free) char *endorsed = text("%s/endorsed", ENDORSE_BIN_DIR);
	AUTO(mem_free) char *path = text("%s/%s.socket", world.dir, name);
	AUTO(mem_free) char *env = text("NOTIFY_SOCKET=%s", path);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	world_service_stop(&world, 0, SIGTERM);
	must(strlen(path) < sizeof(address.sun_path), "%s: too long", path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(bind(manager->fd, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
	manager->log = text("%s/%s.log", world.dir, name);
	manager->pid = process_start(&(struct program){
		.argv = (const char *const[]){endorsed, "--config", service->config, NULL},
		.env = (const char *const[]){env, watchdog, NULL},
		.log = manager->log});
}

static void manager_end(struct manager *manager)
{
	if (manager->pid > 0)
		process_stop(&manager->pid, SIGKILL);
	close(manager->fd);
	free(manager->log);
	world_service_start(&world, 0);
}

/* Reads messages until one has all of these words in it. */
static void await(struct manager *manager, const char *word, const char *also)
{
	int64_t end = now_ms() + 20000;
	char message[4096];
	ssize_t n;

	while (now_ms() < end) {
		struct pollfd readable = {.fd = manager->fd, .events = POLLIN};

		if (poll(&readable, 1, 1000) <= 0)
			continue;
		n = recv(manager->fd, message, sizeof(message) - 1, 0);
		must(n > 0, "recv");
		message[n] = '\0';
		if (strstr(message, word) != NULL && strstr(message, also) != NULL)
			return;
	}
	fail_msg("the manager was never told \"%s\" with \"%s\"", word, also);
}

static bool logs(const struct manager *manager, const char *what)
{
	return wait_for_text(manager->log, what, 20000);
}

static void the_manager_is_told_of_start_reload_and_stop(void **state)
{
	AUTO(manager_end) struct manager manager;
	AUTO(mem_free) char *policy = text("%s/policy.yaml", world.dir);
	AUTO(buf_free) struct buf good = BUF(1 << 16);

	(void)state;
	manager_begin(&manager, "told", NULL);
	await(&manager, "READY=1\n", "STATUS=serving; policy ");
	kill(manager.pid, SIGHUP);
	await(&manager, "RELOADING=1\nMONOTONIC_USEC=", "STATUS=");
	await(&manager, "READY=1\n", "STATUS=serving; policy ");
	assert_int_equal(file_read(policy, &good), OK);
	write_file(policy, 0644, view_str("nothing: right\n"));
	kill(manager.pid, SIGHUP);
	await(&manager, "RELOADING=1\n", "STATUS=");
	await(&manager, "READY=1\n", "the last reload was refused");
	write_file(policy, 0644, buf_view(&good));
	kill(manager.pid, SIGTERM);
	await(&manager, "STOPPING=1\n", "STATUS=");
	assert_int_equal(process_stop(&manager.pid, SIGTERM), 0);
}

static void a_manager_that_watches_gets_signs_of_life(void **state)
{
	AUTO(manager_end) struct manager manager;

	(void)state;
	manager_begin(&manager, "watching", "WATCHDOG_USEC=2000000");
	await(&manager, "READY=1\n", "STATUS=");
	for (int i = 0; i < 3; i++)
		await(&manager, "WATCHDOG=1\n", "");
	assert_int_equal(process_stop(&manager.pid, SIGTERM), 0);
}

static void while_the_database_is_away_sighup_is_a_reload_and_the_manager_knows(void **state)
{
	AUTO(manager_end) struct manager manager;
	AUTO(mem_free) char *policy = text("%s/policy.yaml", world.dir);

	(void)state;
	world_service_stop(&world, 0, SIGTERM);
	cluster_stop();
	manager_begin(&manager, "waiting", NULL);
	await(&manager, "EXTEND_TIMEOUT_USEC=", "STATUS=waiting for the database: ");
	write_file(policy, 0644,
		view_str("rules:\n  - name: later\n    hosts: [{exact: later.example.test}]\n"
			 "    templates: [ak]\n"));
	kill(manager.pid, SIGHUP);
	kill(manager.pid, SIGHUP);
	assert_true(logs(&manager, ">service.reloaded by=SIGHUP changes=\"policy "));
	cluster_start();
	await(&manager, "READY=1\n", "STATUS=serving; policy ");
	assert_true(logs(&manager, ">service.started "));
	assert_int_equal(process_stop(&manager.pid, SIGTERM), 0);
}

static void a_sighup_while_it_drains_disturbs_nothing(void **state)
{
	AUTO(manager_end) struct manager manager;
	AUTO(visit_end) struct visit visit;
	struct inflight inflight;

	(void)state;
	manager_begin(&manager, "draining", NULL);
	await(&manager, "READY=1\n", "STATUS=");
	visit_begin(&visit, &world, 0, 0, "later.example.test", KEY_P384);
	dialogue_claim(&visit.dialogue);
	assert_int_equal(dialogue_ticket(&visit.dialogue), 200);
	assert_true(dialogue_activate(&visit.dialogue));
	dialogue_prove(&visit.dialogue);
	inflight_begin(&inflight, world.conninfo, INFLIGHT_TICKETS, &visit.dialogue);
	kill(manager.pid, SIGTERM);
	await(&manager, "STOPPING=1\n", "STATUS=");
	for (int i = 0; i < 10; i++)
		kill(manager.pid, SIGHUP);
	inflight_end(&inflight);
	/* Its first connection had to wait for the lock too. */
	assert_int_equal(visit.dialogue.last.status, 200);
	assert_int_equal(process_stop(&manager.pid, SIGHUP), 0);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(the_manager_is_told_of_start_reload_and_stop),
		cmocka_unit_test(a_manager_that_watches_gets_signs_of_life),
		cmocka_unit_test(
			while_the_database_is_away_sighup_is_a_reload_and_the_manager_knows),
		cmocka_unit_test(a_sighup_while_it_drains_disturbs_nothing),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
