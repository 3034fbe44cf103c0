#include "enroll/daemon/notify.h"

#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <unistd.h>

/* The service manager's end of a socket of this name. */
static int manager_of(const struct sockaddr_un *address, socklen_t n)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(0, bind(fd, (const struct sockaddr *)address, n));
	return fd;
}

static void assert_told(int manager, const char *wanted)
{
	char message[4096];
	ssize_t n = recv(manager, message, sizeof(message) - 1, MSG_DONTWAIT);

	assert_true(n > 0);
	message[n] = '\0';
	assert_string_equal(wanted, message);
}

static void assert_silent(const struct notify *notify)
{
	assert_int_equal(-1, notify->fd);
	notify_say(notify, "READY=1", "serving");
}

static void a_socket_with_a_path_is_told(void **state)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(notify_close) struct notify notify;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int manager;

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", dir);
	manager = manager_of(&address, sizeof(address));
	notify_open(address.sun_path, &notify);
	notify_say(&notify, "READY=1", "serving");
	assert_told(manager, "READY=1\nSTATUS=serving\n");
	notify_say(&notify, "WATCHDOG=1", NULL);
	assert_told(manager, "WATCHDOG=1\n");
	notify_say(&notify, NULL, "waiting");
	assert_told(manager, "STATUS=waiting\n");
	close(manager);
	/* Gone: nobody hears it, and nothing happens. */
	notify_say(&notify, "STOPPING=1", NULL);
}

static void an_abstract_socket_is_told(void **state)
{
	AUTO(notify_close) struct notify notify;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[64];
	int n = snprintf(name, sizeof(name), "@endorse-notify-%d", (int)getpid()), manager;

	(void)state;
	memcpy(address.sun_path + 1, name + 1, (size_t)n - 1);
	manager = manager_of(
		&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n));
	notify_open(name, &notify);
	notify_say(&notify, "READY=1", NULL);
	assert_told(manager, "READY=1\n");
	close(manager);
}

static void a_status_is_one_line(void **state)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(notify_close) struct notify notify;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int manager;

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", dir);
	manager = manager_of(&address, sizeof(address));
	notify_open(address.sun_path, &notify);
	notify_say(&notify, NULL, "refused:\nREADY=1\xff");
	assert_told(manager, "STATUS=refused:?READY=1?\n");
	close(manager);
}

static void without_a_manager_nothing_is_sent(void **state)
{
	char too_long[256];

	(void)state;
	memset(too_long, 'x', sizeof(too_long) - 1);
	too_long[0] = '/';
	too_long[sizeof(too_long) - 1] = '\0';
	for (size_t i = 0; i < 6; i++) {
		const char *const names[] = {NULL, "", "/", "@", "relative/path", too_long};
		AUTO(notify_close) struct notify notify;

		notify_open(names[i], &notify);
		assert_silent(&notify);
	}
}

static void a_socket_that_is_not_there_is_no_fault(void **state)
{
	AUTO(notify_close) struct notify notify;

	(void)state;
	notify_open("/nonexistent/notify", &notify);
	notify_say(&notify, "READY=1", "serving");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_with_a_path_is_told),
		cmocka_unit_test(an_abstract_socket_is_told),
		cmocka_unit_test(a_status_is_one_line),
		cmocka_unit_test(without_a_manager_nothing_is_sent),
		cmocka_unit_test(a_socket_that_is_not_there_is_no_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
