#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "enroll/admin/client.h"
#include "enroll/admin/command.h"
#include "enroll/admin/words.h"
#include "enroll/proto/attempts.h"
#include "enroll/proto/operators.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char create_usage[] =
	"usage: endorsectl token create NAME --role ROLE --expires TIME --why TEXT [--out FILE]\n"
	"\n"
	"Makes a token for a program that administers, and prints it: this once, for the\n"
	"service keeps only its digest.\n"
	"\n"
	"  --role ROLE        auditor (reads), operator (also registers, approves and unbinds),\n"
	"                     or admin (everything)\n"
	"  --expires TIME     how long it is good, such as 30d, 12h or 90m; at most 366d\n"
	"  --why TEXT         what the audit keeps beside the act\n"
	"  --out FILE         writes it there, readable by its owner alone, as --token-file\n"
	"                     wants it, and prints nothing\n" ADMIN_USAGE;

static const char revoke_usage[] =
	"usage: endorsectl token revoke NAME --why TEXT\n"
	"\n"
	"Lets nobody in by the token NAME, from the next request on.\n"
	"\n"
	"  --why TEXT         what the audit keeps beside the act\n" ADMIN_USAGE;

static const char list_usage[] =
	"usage: endorsectl token list [--json]\n"
	"\n"
	"Tells which tokens there are and were, and when each was used last.\n"
	"\n"
	"  --json             the service's own answer\n" ADMIN_USAGE;

struct wish {
	struct admin_server server;
	struct token_request request;
	const char *path; /* --out */
	bool json;
};

static bool role_option(const char *value, char out[static LIMIT_ROLE + 1])
{
	if (strlen(value) > LIMIT_ROLE) {
		fputs("endorsectl: --role: wanted auditor, operator or admin\n", stderr);
		return false;
	}
	snprintf(out, LIMIT_ROLE + 1, "%s", value);
	return true;
}

static bool expires_option(const char *value, int64_t *out)
{
	if (!duration_read(value, TOKEN_SECONDS_MAX, out)) {
		fprintf(stderr,
			"endorsectl: --expires: wanted a number with s, m, h or d behind it, such "
			"as 30d, at most %dd\n",
			TOKEN_SECONDS_MAX / (int)DAY);
		return false;
	}
	return true;
}

/* False when a value was wrong, or the option is none of these. */
static bool take_option(struct wish *wish, int option, const char *usage)
{
	switch (option) {
	case 'r':
		return role_option(optarg, wish->request.role);
	case 'e':
		return expires_option(optarg, &wish->request.expires_in);
	case 'w':
		return why_option(optarg, wish->request.why);
	case 'o':
		wish->path = optarg;
		return true;
	case 'j':
		wish->json = true;
		return true;
	default:
		return admin_option(&wish->server, option, optarg) ||
		       (command_misused(usage), false);
	}
}

/* False: `*code` is how the command ends. */
static bool read_options(int argc, char **argv, const char *usage, struct wish *out, int *code)
{
	static const struct option options[] = {
		{"role", required_argument, NULL, 'r'},
		{"expires", required_argument, NULL, 'e'},
		{"why", required_argument, NULL, 'w'},
		{"out", required_argument, NULL, 'o'},
		{"json", no_argument, NULL, 'j'},
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	*out = (struct wish){.server = ADMIN_SERVER};
	*code = EXIT_WRONG_USAGE;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h') {
			*code = command_told(usage);
			return false;
		}
		if (!take_option(out, option, usage))
			return false;
	}
	return true;
}

/* The same for what is done to the token NAME. */
static bool read_act(int argc, char **argv, const char *usage, struct wish *wish, int *code)
{
	if (!read_options(argc, argv, usage, wish, code))
		return false;
	*code = EXIT_WRONG_USAGE;
	if (optind + 1 != argc || wish->json) {
		command_misused(usage);
		return false;
	}
	if (wish->request.why[0] == '\0') {
		command_lacks_why();
		return false;
	}
	if (strlen(argv[optind]) > LIMIT_NAME) {
		fprintf(stderr, "endorsectl: NAME has at most %d bytes\n", LIMIT_NAME);
		return false;
	}
	snprintf(wish->request.name, sizeof(wish->request.name), "%s", argv[optind]);
	return true;
}

/* The token alone on standard output, so that it can be piped. */
static enum err hand_over(const struct wish *wish, const struct token_answer *created)
{
	AUTO(buf_free) struct buf line = BUF(256);
	char until[CLOCK_TEXT_SIZE];

	clock_text(created->expires_at, until);
	buf_fmt(&line, "%s\n", created->token);
	TRY(buf_ok(&line));
	if (wish->path != NULL)
		TRY(file_replace(wish->path, 0600, buf_view(&line)));
	else
		printf("%s", buf_text(&line));
	fflush(stdout);
	fprintf(stderr, "the token %s has the role %s until %s; %s: nobody can show it again\n",
		created->name, created->role, until,
		wish->path == NULL ? "keep it now" : "it is in the file");
	return OK;
}

static enum err create(const struct wish *wish, struct problem *problem)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY), answer = BUF(LIMIT_ADMIN_BODY);
	AUTO(token_answer_wipe) struct token_answer created = {.name = ""};

	TRY(token_request_encode(&wish->request, &json));
	TRY(admin_post(&wish->server, "/v1/admin/token/create", buf_view(&json), &answer, problem));
	TRY(token_answer_parse(buf_view(&answer), &created));
	return hand_over(wish, &created);
}

int command_token_create(int argc, char **argv)
{
	struct problem problem = {0};
	struct wish wish;
	int code;

	if (!read_act(argc, argv, create_usage, &wish, &code))
		return code;
	if (wish.request.role[0] == '\0' || wish.request.expires_in == 0)
		return command_misused(create_usage);
	/* A token that nobody can be told is of no use: before it is made. */
	if (wish.path != NULL && access(wish.path, F_OK) == 0) {
		fprintf(stderr, "endorsectl: %s is there already: choose another file\n",
			wish.path);
		return EXIT_FAILED;
	}
	return command_ended(create(&wish, &problem), &problem);
}

int command_token_revoke(int argc, char **argv)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY), answer = BUF(LIMIT_ADMIN_BODY);
	struct operator_request request = {.name = ""};
	struct problem problem = {0};
	struct wish wish;
	enum err err;
	int code;

	if (!read_act(argc, argv, revoke_usage, &wish, &code))
		return code;
	if (wish.request.role[0] != '\0' || wish.request.expires_in != 0 || wish.path != NULL)
		return command_misused(revoke_usage);
	snprintf(request.name, sizeof(request.name), "%s", wish.request.name);
	snprintf(request.why, sizeof(request.why), "%s", wish.request.why);
	err = operator_request_encode(&request, false, &json);
	if (err == OK)
		err = admin_post(
			&wish.server, "/v1/admin/token/revoke", buf_view(&json), &answer, &problem);
	if (err == OK)
		printf("the token %s lets nobody in any more\n", request.name);
	return command_ended(err, &problem);
}

static void print_token(const struct token_item *item, int64_t now)
{
	char at[CLOCK_TEXT_SIZE];

	clock_text(item->expires_at, at);
	printf("%-24s %-9s %s %s, by %s", item->name, item->role,
		item->expires_at > now ? "until" : "expired", at, item->created_by);
	if (item->used_at > 0) {
		clock_text(item->used_at, at);
		printf("; used %s", at);
	} else {
		printf("; never used");
	}
	if (item->revoked_at > 0) {
		clock_text(item->revoked_at, at);
		printf("; revoked %s by %s", at, item->revoked_by);
	}
	printf("\n");
}

static void print_list(const struct token_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		print_token(&list->items[i], clock_now());
	if (list->n == 0)
		printf("there is no token, but for that of the service's file\n");
	if (list->more)
		printf("... and more than fit into one answer\n");
}

int command_token_list(int argc, char **argv)
{
	AUTO(token_list_free) struct token_list list = {0};
	AUTO(buf_free) struct buf answer = BUF(LIMIT_ADMIN_ANSWER);
	struct problem problem = {0};
	struct wish wish;
	enum err err;
	int code;

	if (!read_options(argc, argv, list_usage, &wish, &code))
		return code;
	if (optind != argc || wish.request.role[0] != '\0' || wish.request.expires_in != 0 ||
		wish.request.why[0] != '\0' || wish.path != NULL)
		return command_misused(list_usage);
	err = admin_get(&wish.server, "/v1/admin/tokens", &answer, &problem);
	if (err == OK)
		err = token_list_parse(buf_view(&answer), &list);
	if (err == OK && wish.json)
		printf("%s\n", buf_text(&answer));
	else if (err == OK)
		print_list(&list);
	return command_ended(err, &problem);
}
