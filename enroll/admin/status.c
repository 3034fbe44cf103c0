#include "enroll/admin/command.h"

#include "enroll/admin/client.h"
#include "enroll/admin/paragraph.h"
#include "enroll/admin/status_print.h"

#include <getopt.h>
#include <stdlib.h>

static const char usage[] =
	"usage: endorsectl status [--json] [--admin URL] [--token-file FILE]\n"
	"\n"
	"Tells of one server in a few lines: is it ready, what has it answered since it started,\n"
	"how old are CRLs and KRL, and which certificates end. endorsectl doctor tells what to "
	"do.\n"
	"\n"
	"  --json             as one JSON object\n" ADMIN_USAGE "\n"
	"Exit status: 0 it is ready; 1 it is not, or does not answer; 2 wrong usage.\n";

static int tell(const struct buf *json, bool as_json)
{
	AUTO(mem_free) struct status_answer *status = calloc(1, sizeof(*status));
	AUTO(buf_free) struct buf text = BUF(1 << 16);

	if (status == NULL)
		return EXIT_FAILED;
	if (status_answer_parse(buf_view(json), status) != OK)
		return command_failed();
	if (as_json)
		buf_fmt(&text, "%s\n", buf_text(json));
	else
		status_text(status, &text);
	if (paragraph_put(&text) != OK)
		return command_failed();
	return status->is_ready ? EXIT_DONE : EXIT_FAILED;
}

int command_status(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	AUTO(buf_free) struct buf json = BUF(1 << 16);
	struct admin_server server = ADMIN_SERVER;
	struct problem problem = {0};
	bool as_json = false;
	enum err err;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'j':
			as_json = true;
			break;
		case 'h':
			return command_told(usage);
		default:
			if (!admin_option(&server, option, optarg))
				return command_misused(usage);
		}
	if (optind != argc)
		return command_misused(usage);
	err = admin_get(&server, "/v1/admin/status", &json, &problem);
	if (err == ERR_DENIED)
		return command_refused(&problem);
	return err == OK ? tell(&json, as_json) : command_failed();
}
