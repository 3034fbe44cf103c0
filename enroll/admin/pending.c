#include "enroll/admin/command.h"

#include "enroll/admin/client.h"
#include "enroll/admin/pending_print.h"
#include "enroll/admin/words.h"
#include "enroll/proto/attempts.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_MIN 6

#define ID_USAGE "  ID                 of the attempt, or enough of its first digits (6 at least)\n"
#define WHY_USAGE "  --why TEXT         what the audit keeps beside the act\n"

static const char list_usage[] =
	"usage: endorsectl pending list [--state STATE] [--json] [--admin URL] [--token-file "
	"FILE]\n"
	"\n"
	"Tells which attempts are held: TPMs that proved themselves, that nobody vouches for, and "
	"that\n"
	"go on asking. Those that asked last come first.\n"
	"\n"
	"  --state STATE      held (default), accepted, rejected, all\n"
	"  --json             one JSON object a line\n" ADMIN_USAGE;

static const char show_usage[] =
	"usage: endorsectl pending show ID [--json] [--admin URL] [--token-file FILE]\n"
	"\n"
	"Tells all about a held attempt: who asks for what, what is proven, what only the TPM's "
	"own\n"
	"certificate says, and what each decision would mean.\n"
	"\n" ID_USAGE "  --json             as one JSON object\n" ADMIN_USAGE;

static const char accept_usage[] =
	"usage: endorsectl pending accept-once ID --why TEXT [--admin URL] [--token-file FILE]\n"
	"\n"
	"Lets this one TPM enroll under the name that it asked for, where its rule's trust has\n"
	"approved; it does so when it asks next. Nobody else is believed by this.\n"
	"\n" ID_USAGE WHY_USAGE ADMIN_USAGE;

static const char reject_usage[] =
	"usage: endorsectl pending reject ID --why TEXT [--admin URL] [--token-file FILE]\n"
	"\n"
	"Keeps this TPM out: it is told so when it asks next.\n"
	"\n" ID_USAGE WHY_USAGE ADMIN_USAGE;

static const char trust_usage[] =
	"usage: endorsectl pending trust-ca ID --certificate SHA256 [--manufacturer IDS] --why "
	"TEXT\n"
	"                                   [--admin URL] [--token-file FILE]\n"
	"\n"
	"Imports a CA certificate that the attempt came with as a trusted root, for TPMs of the\n"
	"manufacturer that its EK certificate claims; only one from which a path leads to that\n"
	"certificate. Every TPM of that CA and manufacturer is believed from then on, as\n"
	"operator-import. Compare its fingerprint with what the manufacturer publishes first.\n"
	"\n" ID_USAGE "  --certificate SHA256\n"
	"                     which of them: the fingerprint that you compared (pending show)\n"
	"  --manufacturer IDS for whom it may vouch: \"id:49465800,...\", or any\n" WHY_USAGE
		ADMIN_USAGE;

struct wish {
	struct admin_server server;
	const char *state, *certificate, *manufacturers;
	enum print_form form;
	char why[LIMIT_WHY + 1];
};

/* One table for all, so that each option is read in one way; `allowed` names those of a command. */
static const struct option options[] = {
	{"state", required_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'},
	{"why", required_argument, NULL, 'w'},
	{"certificate", required_argument, NULL, 'c'},
	{"manufacturer", required_argument, NULL, 'm'},
	ADMIN_OPTIONS,
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* An exit code, or -1 to go on with `optind`. */
static int read_options(
	int argc, char **argv, const char *usage, const char *allowed, struct wish *wish)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return command_told(usage);
		if (admin_option(&wish->server, option, optarg))
			continue;
		if (option > 'z' || strchr(allowed, option) == NULL)
			return command_misused(usage);
		if (option == 's')
			wish->state = optarg;
		else if (option == 'j')
			wish->form = PRINT_JSON;
		else if (option == 'c')
			wish->certificate = optarg;
		else if (option == 'm')
			wish->manufacturers = optarg;
		else if (!why_option(optarg, wish->why))
			return EXIT_WRONG_USAGE;
	}
	return -1;
}

/* How a command that asked the service ends. */
static enum err get_list(const struct admin_server *server, const char *state,
	struct waiting_list *out, struct problem *problem)
{
	AUTO(buf_free) struct buf path = BUF(256), json = BUF(LIMIT_ADMIN_ANSWER);

	buf_str(&path, "/v1/admin/pending");
	query_add(&path, "state", state);
	TRY(buf_ok(&path));
	TRY(admin_get(server, buf_text(&path), &json, problem));
	return waiting_list_parse(buf_view(&json), out);
}

static enum err list(const struct wish *wish, struct problem *problem)
{
	AUTO(waiting_list_free) struct waiting_list found = {0};

	TRY(get_list(&wish->server, wish->state, &found, problem));
	for (size_t i = 0; i < found.n; i++)
		TRY(waiting_print(&found.items[i], wish->form));
	if (wish->form == PRINT_JSON)
		return OK;
	if (found.n == 0)
		printf("no attempt is %s\n", wish->state == NULL || strcmp(wish->state, "all") == 0
						     ? "held"
						     : wish->state);
	else
		printf("%zu%s; endorsectl pending show ID tells all about one\n", found.n,
			found.more ? " that asked last, and there are more" : "");
	return OK;
}

int command_pending_list(int argc, char **argv)
{
	struct wish wish = {.server = ADMIN_SERVER};
	struct problem problem = {0};
	int code = read_options(argc, argv, list_usage, "sj", &wish);

	if (code >= 0)
		return code;
	if (optind != argc)
		return command_misused(list_usage);
	return command_ended(list(&wish, &problem), &problem);
}

static enum err match(
	const struct waiting_list *found, const char *prefix, char out[static LIMIT_ATTEMPT_ID + 1])
{
	size_t matches = 0;

	for (size_t i = 0; i < found->n; i++)
		if (strncasecmp(found->items[i].id, prefix, strlen(prefix)) == 0) {
			matches++;
			snprintf(out, LIMIT_ATTEMPT_ID + 1, "%s", found->items[i].id);
		}
	if (matches == 0)
		return fail(ERR_NOT_FOUND, "attempt-unknown",
			"no attempt begins with \"%s\"%s: endorsectl pending list --state all "
			"tells "
			"which there are",
			prefix, found->more ? " among the last 500" : "");
	if (matches > 1)
		return fail(ERR_CONFLICT, "attempt-ambiguous",
			"%zu attempts begin with \"%s\": give more digits", matches, prefix);
	return OK;
}

/* The whole id, from enough of it. */
static enum err find_id(const struct wish *wish, const char *text,
	char out[static LIMIT_ATTEMPT_ID + 1], struct problem *problem)
{
	AUTO(waiting_list_free) struct waiting_list found = {0};
	size_t n = strlen(text);

	if (n < PREFIX_MIN || n > LIMIT_ATTEMPT_ID || strspn(text, "0123456789abcdefABCDEF") != n)
		return fail(ERR_MALFORMED, "attempt-id",
			"\"%.40s\" is no attempt: wanted its %d hexadecimal digits, or %d of them "
			"or "
			"more from the first on",
			text, LIMIT_ATTEMPT_ID, PREFIX_MIN);
	if (n == LIMIT_ATTEMPT_ID) {
		snprintf(out, LIMIT_ATTEMPT_ID + 1, "%s", text);
		return OK;
	}
	TRY(get_list(&wish->server, "all", &found, problem));
	return match(&found, text, out);
}

static enum err show(const struct wish *wish, const char *text, struct problem *problem)
{
	AUTO(buf_free) struct buf path = BUF(256), json = BUF(LIMIT_ADMIN_ANSWER);
	AUTO(waiting_free) struct waiting waiting;
	char id[LIMIT_ATTEMPT_ID + 1];

	waiting_init(&waiting);
	TRY(find_id(wish, text, id, problem));
	buf_str(&path, "/v1/admin/pending/show");
	query_add(&path, "id", id);
	TRY(admin_get(&wish->server, buf_text(&path), &json, problem));
	TRY(waiting_parse(buf_view(&json), &waiting));
	return waiting_print_all(&waiting, wish->form);
}

int command_pending_show(int argc, char **argv)
{
	struct wish wish = {.server = ADMIN_SERVER};
	struct problem problem = {0};
	int code = read_options(argc, argv, show_usage, "j", &wish);

	if (code >= 0)
		return code;
	if (optind + 1 != argc)
		return command_misused(show_usage);
	return command_ended(show(&wish, argv[optind], &problem), &problem);
}

static enum err decide_by(const struct wish *wish, const char *text, const char *path,
	const char *told, struct problem *problem)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY), answer = BUF(LIMIT_ADMIN_BODY);
	struct decide_request request = {0};

	TRY(find_id(wish, text, request.id, problem));
	snprintf(request.why, sizeof(request.why), "%s", wish->why);
	TRY(decide_request_encode(&request, &json));
	TRY(admin_post(&wish->server, path, buf_view(&json), &answer, problem));
	printf("attempt %s is %s\n", request.id, told);
	return OK;
}

/* One attempt and a reason. */
static int decide_as_told(
	int argc, char **argv, const char *usage, const char *path, const char *told)
{
	struct wish wish = {.server = ADMIN_SERVER};
	struct problem problem = {0};
	int code = read_options(argc, argv, usage, "w", &wish);

	if (code >= 0)
		return code;
	if (optind + 1 == argc && wish.why[0] == '\0')
		return command_lacks_why();
	if (optind + 1 != argc)
		return command_misused(usage);
	return command_ended(decide_by(&wish, argv[optind], path, told, &problem), &problem);
}

int command_pending_accept_once(int argc, char **argv)
{
	return decide_as_told(argc, argv, accept_usage, "/v1/admin/pending/accept",
		"accepted: its device enrolls when it asks next, where its rule's trust has "
		"approved");
}

int command_pending_reject(int argc, char **argv)
{
	return decide_as_told(argc, argv, reject_usage, "/v1/admin/pending/reject", "rejected");
}

static enum err trust_ca(const struct wish *wish, const char *text, struct problem *problem)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY), answer = BUF(LIMIT_ADMIN_BODY);
	struct trust_ca_request request = {0};
	struct trust_ca_answer trusted = {0};

	TRY(find_id(wish, text, request.id, problem));
	snprintf(request.why, sizeof(request.why), "%s", wish->why);
	snprintf(request.certificate, sizeof(request.certificate), "%s", wish->certificate);
	snprintf(request.manufacturers, sizeof(request.manufacturers), "%s",
		wish->manufacturers == NULL ? "" : wish->manufacturers);
	TRY(trust_ca_request_encode(&request, &json));
	TRY(admin_post(
		&wish->server, "/v1/admin/pending/trust-ca", buf_view(&json), &answer, problem));
	TRY(trust_ca_answer_parse(buf_view(&answer), &trusted));
	printf("%s %s\n    %s\n    for manufacturer %s\n",
		trusted.is_known ? "imported before, and left as it is:" : "trusted:",
		trusted.certificate, trusted.subject,
		trusted.manufacturers[0] == '\0' ? "any" : trusted.manufacturers);
	return OK;
}

int command_pending_trust_ca(int argc, char **argv)
{
	struct wish wish = {.server = ADMIN_SERVER};
	struct problem problem = {0};
	int code = read_options(argc, argv, trust_usage, "wcm", &wish);

	if (code >= 0)
		return code;
	if (optind + 1 == argc && wish.why[0] == '\0')
		return command_lacks_why();
	if (optind + 1 != argc || wish.certificate == NULL)
		return command_misused(trust_usage);
	if (strlen(wish.certificate) != 2 * SHA256_SIZE) {
		fprintf(stderr, "endorsectl: --certificate: \"%s\" is no SHA-256\n",
			wish.certificate);
		return EXIT_WRONG_USAGE;
	}
	return command_ended(trust_ca(&wish, argv[optind], &problem), &problem);
}
