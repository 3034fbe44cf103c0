#include "enroll/admin/command.h"

#include "ca/base/file.h"
#include "enroll/admin/client.h"
#include "enroll/admin/edge.h"
#include "enroll/proto/doctor.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONFIG_FILE "/etc/endorse/endorsed.yaml"

static const char usage[] =
	"usage: endorsectl doctor [--edge URL] [--ca FILE] [--config FILE] [--admin URL]\n"
	"                         [--token-file FILE]\n"
	"\n"
	"Looks at the service and says in words what fails, or will: database, clock, CA, "
	"templates,\n"
	"trusted roots, policy, files; and its edge, as a device sees it. Where no service "
	"answers,\n"
	"\"endorsed --check\" looks at the configuration instead.\n"
	"\n"
	"  --edge URL         the edge (default: the service's name, which the service tells)\n"
	"  --ca FILE          the root that devices judge the edge by, as PEM; without it the edge "
	"is\n"
	"                     not looked at\n"
	"  --config FILE      for endorsed --check (default: " CONFIG_FILE ")\n" ADMIN_USAGE "\n"
	"Exit status: 0 nothing fails (there may be warnings); 1 something does; 2 wrong usage.\n";

struct wish {
	struct admin_server server;
	const char *edge, *ca, *config;
};

static enum err ask(
	const struct admin_server *server, struct doctor_answer *out, struct problem *problem)
{
	AUTO(buf_free) struct buf json = BUF(1 << 20);

	TRY(admin_get(server, "/v1/admin/doctor", &json, problem));
	return doctor_answer_parse(buf_view(&json), out);
}

static void examine_edge(const struct wish *wish, struct doctor_answer *answer)
{
	const char *url = wish->edge != NULL ? wish->edge : answer->service;

	if (wish->ca == NULL)
		finding_add(&answer->findings, "edge", FINDING_WARN,
			"not looked at: name the root that devices judge it by (--ca FILE)");
	else if (url[0] == '\0')
		finding_add(&answer->findings, "edge", FINDING_WARN,
			"not looked at: name it (--edge URL), for the service does not tell");
	else
		edge_examine(url, wish->ca, &answer->findings);
}

static int tell(const struct findings *findings)
{
	size_t failures = findings_count(findings, FINDING_FAIL);
	size_t warnings = findings_count(findings, FINDING_WARN);

	findings_print(findings);
	if (failures == 0 && warnings == 0)
		printf("all is well\n");
	else
		printf("%zu failure(s), %zu warning(s)\n", failures, warnings);
	fflush(stdout);
	return failures == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* The endorsed that was installed with this program; NULL: there is none beside it. For free(). */
static char *endorsed_beside(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	AUTO(mem_free) char *path = NULL;

	if (n < 0)
		return NULL;
	self[n] = '\0';
	path = path_join(dirname(self), "endorsed");
	return path != NULL && access(path, X_OK) == 0 ? MOVE(path) : NULL;
}

/* It prints by itself what it finds. Nobody answers, so something is wrong whatever it says. */
static void check_configuration(const char *config)
{
	AUTO(mem_free) char *beside = endorsed_beside();
	char name[] = "endorsed", option[] = "--config", check[] = "--check";
	AUTO(mem_free) char *file = strdup(config);
	char *argv[] = {name, option, file, check, NULL}, *env[] = {NULL};
	int failed, status;
	pid_t pid;

	printf("\nwhat endorsed --check says of %s:\n", config);
	fflush(stdout);
	failed = beside != NULL ? posix_spawn(&pid, beside, NULL, NULL, argv, env)
				: posix_spawnp(&pid, name, NULL, NULL, argv, env);
	if (failed != 0) {
		printf("endorsed cannot be run: %s\n", strerror(failed));
		return;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

static int run(const struct wish *wish)
{
	AUTO(mem_free) struct doctor_answer *answer = calloc(1, sizeof(*answer));
	struct problem problem = {0};
	enum err err;
	int code;

	if (answer == NULL)
		return EXIT_FAILED;
	err = ask(&wish->server, answer, &problem);
	if (err != OK)
		finding_add(&answer->findings, "service", FINDING_FAIL, "%s: %s",
			err == ERR_BUSY ? "nobody answers" : "it does not tell us",
			why()->sentence);
	else
		finding_add(&answer->findings, "service", FINDING_OK, "%s answers at %s",
			answer->service, wish->server.url);
	examine_edge(wish, answer);
	code = tell(&answer->findings);
	if (err == ERR_BUSY)
		check_configuration(wish->config);
	return code;
}

int command_doctor(int argc, char **argv)
{
	static const struct option options[] = {
		{"edge", required_argument, NULL, 'e'},
		{"ca", required_argument, NULL, 'c'},
		{"config", required_argument, NULL, 'f'},
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct wish wish = {ADMIN_SERVER, NULL, NULL, CONFIG_FILE};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'e':
			wish.edge = optarg;
			break;
		case 'c':
			wish.ca = wish.server.ca = optarg;
			break;
		case 'f':
			wish.config = optarg;
			break;
		case 'h':
			return command_told(usage);
		default:
			if (!admin_option(&wish.server, option, optarg))
				return command_misused(usage);
		}
	if (optind != argc)
		return command_misused(usage);
	return run(&wish);
}
