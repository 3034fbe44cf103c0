#include "enroll/admin/command.h"

#include "ca/base/clock.h"
#include "enroll/admin/follow.h"
#include "enroll/admin/remedy.h"
#include "enroll/admin/strangers.h"
#include "enroll/admin/words.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAST_MAX 10000

static const char usage[] =
	"usage: endorsectl attempts [--follow] [--reason R] [--host PATTERN] [--since TIME]\n"
	"                           [--last N] [--json] [--admin URL] [--token-file FILE]\n"
	"\n"
	"Tells which devices were refused: when, as which host, for which reason, and what to do.\n"
	"First those that had proven themselves, of all servers of the service, then those that "
	"this\n"
	"server turned away before that (the last 256, in memory only), then what this server has\n"
	"counted since it started.\n"
	"\n"
	"  --follow           go on with each that comes, until interrupted; waits for a service\n"
	"                     that is away\n"
	"  --reason R         only those with this reason code (PROTOCOL.md, \"Errors\")\n"
	"  --host PATTERN     only those that asked for such a name; * stands for anything, dots\n"
	"                     too, and letters are alike in either case\n"
	"  --since TIME       only those of the last 90s, 15m, 8h, 7d\n"
	"  --last N           at most so many of those there are (default: 20; with --follow 10,\n"
	"                     with --since 10000)\n"
	"  --json             one JSON object a line\n" ADMIN_USAGE;

struct wish {
	struct admin_server server;
	struct attempts_filter filter;
	enum print_form form;
	bool follow;
	size_t last; /* 0: not said */
};

static bool read_count(const char *text, size_t *out)
{
	char *end;
	long n = strtol(text, &end, 10);

	*out = (size_t)n;
	return isdigit((unsigned char)text[0]) && *end == '\0' && n >= 1 && n <= LAST_MAX;
}

/* "15m": so long ago. */
static bool read_ago(const char *text, int64_t *out)
{
	int64_t seconds;

	if (!duration_read(text, DURATION_MAX, &seconds))
		return false;
	*out = clock_now() - seconds;
	*out = *out < 1 ? 1 : *out;
	return true;
}

/* False: not as it must be. */
static bool take(int option, const char *value, struct wish *wish)
{
	switch (option) {
	case 'f':
		wish->follow = true;
		return true;
	case 'r':
		wish->filter.reason = value;
		return true;
	case 'H':
		wish->filter.host = value;
		return true;
	case 's':
		return read_ago(value, &wish->filter.since);
	case 'l':
		return read_count(value, &wish->last);
	case 'j':
		wish->form = PRINT_JSON;
		return true;
	default:
		return admin_option(&wish->server, option, value);
	}
}

/* getopt_long() has told of what it does not know. */
static int misused(int option, const char *value)
{
	if (option == 's')
		fprintf(stderr,
			"endorsectl: --since: \"%s\" is no time such as 90s, 15m, 8h or 7d\n",
			value);
	else if (option == 'l')
		fprintf(stderr, "endorsectl: --last: \"%s\" is not 1 to %d\n", value, LAST_MAX);
	return command_misused(usage);
}

static enum err tell_once(const struct wish *wish, size_t n, struct problem *problem)
{
	AUTO(attempts_answer_free) struct attempts_answer answer = {0};
	int64_t since = 0, after = 0;

	TRY(attempts_last(&wish->server, &wish->filter, n, &answer, problem));
	for (size_t i = 0; i < answer.n; i++)
		TRY(attempt_print(&answer.items[i], wish->form));
	TRY(strangers_show(&wish->server, &wish->filter, n, wish->form, &since, &after, problem));
	return counters_print(&answer.counters, wish->form);
}

static int run(struct wish *wish)
{
	struct problem problem = {0};
	size_t n = wish->last;
	enum err err;

	if (n == 0)
		n = wish->filter.since > 0 ? LAST_MAX : wish->follow ? 10 : 20;
	if (wish->filter.reason != NULL && remedy_for(wish->filter.reason) == NULL)
		fprintf(stderr,
			"endorsectl: no proven device is refused for \"%s\": only this server's "
			"own can be shown\n",
			wish->filter.reason);
	err = wish->follow ? attempts_follow(&wish->server, &wish->filter, n, wish->form, &problem)
			   : tell_once(wish, n, &problem);
	return command_ended(err, &problem);
}

int command_attempts(int argc, char **argv)
{
	static const struct option options[] = {
		{"follow", no_argument, NULL, 'f'},
		{"reason", required_argument, NULL, 'r'},
		{"host", required_argument, NULL, 'H'},
		{"since", required_argument, NULL, 's'},
		{"last", required_argument, NULL, 'l'},
		{"json", no_argument, NULL, 'j'},
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct wish wish = {.server = ADMIN_SERVER};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return command_told(usage);
		if (!take(option, optarg, &wish))
			return misused(option, optarg);
	}
	if (optind != argc)
		return command_misused(usage);
	return run(&wish);
}
