#include "enroll/admin/command.h"

#include "enroll/admin/client.h"
#include "enroll/proto/admin.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char reload_usage[] =
	"usage: endorsectl reload [--admin URL] [--token-file FILE]\n"
	"\n"
	"Has the service take its configuration anew, with the secrets, CA, templates,\n"
	"policy and trusted roots that it names: all of it, or nothing when anything is\n"
	"wrong, and then everything that is wrong is printed. Requests that are being\n"
	"answered keep the configuration they began with.\n"
	"\n" ADMIN_USAGE "\n"
	"When the service is to take another admin token, send it SIGHUP instead.\n";

/* Each line, after a word in front of it. */
static void print_lines(FILE *out, const char *word, const struct buf *lines)
{
	const char *line = buf_text(lines);
	size_t n;

	for (; *line != '\0'; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		fprintf(out, "%s%.*s\n", word, (int)n, line);
	}
}

static int refused(const struct problem *problem, const struct buf *answer)
{
	AUTO(buf_free) struct buf lines = BUF(1 << 20);

	if (problem_list_parse(buf_view(answer), &lines) == OK)
		print_lines(stderr, "", &lines);
	return command_refused(problem);
}

static void print_taken(const struct reload_answer *taken)
{
	print_lines(stdout, "changed: ", &taken->changes);
	printf("%strust set       %s\n"
	       "policy          %s\n"
	       "CA certificate  %s\n",
		taken->changes.n == 0 ? "nothing changed\n" : "", taken->trust_version,
		taken->policy_version, taken->ca_certificate);
	print_lines(stderr, "warning: ", &taken->warnings);
}

static int reload(const struct admin_server *server)
{
	AUTO(reload_answer_free) struct reload_answer taken;
	AUTO(buf_free) struct buf answer = BUF(2 * LIMIT_ANSWER);
	struct problem problem = {0};
	enum err err = admin_post(server, "/v1/admin/reload", view_str(""), &answer, &problem);

	reload_answer_init(&taken);
	if (err == ERR_DENIED)
		return refused(&problem, &answer);
	if (err == OK)
		err = reload_answer_parse(buf_view(&answer), &taken);
	if (err != OK)
		return command_failed();
	print_taken(&taken);
	return EXIT_DONE;
}

int command_reload(int argc, char **argv)
{
	static const struct option options[] = {
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct admin_server server = ADMIN_SERVER;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'h':
			return command_told(reload_usage);
		default:
			if (!admin_option(&server, option, optarg))
				return command_misused(reload_usage);
		}
	if (optind != argc)
		return command_misused(reload_usage);
	return reload(&server);
}
