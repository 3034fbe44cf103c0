#include "enroll/admin/command.h"

#include "enroll/admin/client.h"
#include "enroll/admin/revoke_print.h"
#include "enroll/admin/which.h"
#include "enroll/proto/attempts.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define WHICH_DEVICE "(--id ID | --host NAME | --ek-sha256 HEX | --serial HEX | --ssh-serial N)"
#define WHICH_DEVICE_USAGE                                                                         \
	"  --id ID            the device's id\n"                                                   \
	"  --host NAME        the name that it has\n"                                              \
	"  --ek-sha256 HEX    SHA-256 of one of its EKs\n"                                         \
	"  --serial HEX       of one of its certificates, as openssl prints it\n"                  \
	"  --ssh-serial N     of one of its OpenSSH certificates, as sshd logs it\n"
#define REASON_USAGE                                                                               \
	"  --reason WORD      keyCompromise (stolen, copied, broken into), cACompromise,\n"        \
	"                     affiliationChanged, superseded, cessationOfOperation,\n"             \
	"                     privilegeWithdrawn, unspecified\n"
#define END_USAGE                                                                                  \
	"  --why TEXT         what the audit keeps beside the act\n"                               \
	"  --json             one JSON object, for programs\n" ADMIN_USAGE

static const char revoke_device_usage[] =
	"usage: endorsectl revoke device " WHICH_DEVICE "\n"
	"           --reason WORD --why TEXT [--json] [--admin URL] [--token-file FILE]\n"
	"\n"
	"Cuts a machine off, everywhere and in one act: all its certificates are revoked, none of "
	"its\n"
	"EKs enrolls and none of its AKs renews any more, its names are free, what waits of it is "
	"gone.\n"
	"Tells what was reached, who sees it from when, and what is left to do by hand.\n"
	"\n" WHICH_DEVICE_USAGE REASON_USAGE END_USAGE;

static const char hold_device_usage[] =
	"usage: endorsectl hold device " WHICH_DEVICE "\n"
	"           --why TEXT [--json] [--admin URL] [--token-file FILE]\n"
	"\n"
	"The same for the time being: certificates are on hold, and the names stay the machine's "
	"own.\n"
	"endorsectl unhold device gives back what this took; endorsectl revoke device makes it "
	"final.\n"
	"\n" WHICH_DEVICE_USAGE END_USAGE;

static const char unhold_device_usage[] =
	"usage: endorsectl unhold device " WHICH_DEVICE "\n"
	"           --why TEXT [--json] [--admin URL] [--token-file FILE]\n"
	"\n"
	"Gives a machine back what endorsectl hold device took, and nothing that was revoked "
	"otherwise.\n"
	"\n" WHICH_DEVICE_USAGE END_USAGE;

static const char reinstate_device_usage[] =
	"usage: endorsectl reinstate device " WHICH_DEVICE "\n"
	"           --why TEXT [--json] [--admin URL] [--token-file FILE]\n"
	"\n"
	"Lets a revoked machine enroll again, as if it came for the first time. Its certificates "
	"stay\n"
	"revoked, and its names are whose they are now. --host finds it by the name that it had "
	"last.\n"
	"\n" WHICH_DEVICE_USAGE END_USAGE;

#define BIT(option) (1u << ((option)-WHICH_ID))
#define OF_A_CERTIFICATE (BIT(WHICH_SERIAL) | BIT(WHICH_SSH_SERIAL))
#define OF_A_DEVICE (BIT(WHICH_ID) | BIT(WHICH_HOST) | BIT(WHICH_EK) | OF_A_CERTIFICATE)

/* One command: what it takes, and where it goes. */
struct act {
	const char *usage, *path;
	unsigned which; /* BIT()s of the options that say which; one of them is needed */
	bool has_reason;
	bool takes_name; /* the argument is the host's name */
};

struct wish {
	struct admin_server server;
	struct revocation_request request;
	enum print_form form;
};

static const struct option options[] = {
	WHICH_OPTIONS,
	{"json", no_argument, NULL, 'j'},
	ADMIN_OPTIONS,
	{"help", no_argument, NULL, 'h'},
	{0},
};

static bool is_taken(const struct act *act, int option)
{
	if (option == WHICH_WHY || (option == WHICH_REASON && act->has_reason))
		return true;
	return option >= WHICH_ID && option < WHICH_REASON && (act->which & BIT(option)) != 0;
}

/* An exit code, or -1 to go on with `optind`. */
static int read_options(int argc, char **argv, const struct act *act, struct wish *wish)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return command_told(act->usage);
		if (admin_option(&wish->server, option, optarg))
			continue;
		if (option == 'j')
			wish->form = PRINT_JSON;
		else if (!is_taken(act, option))
			return command_misused(act->usage);
		else if (!which_option(&wish->request, option, optarg))
			return EXIT_WRONG_USAGE;
	}
	return -1;
}

static bool says_which(const struct revocation_request *request)
{
	return request->id[0] != '\0' || request->host[0] != '\0' ||
	       request->ek_sha256[0] != '\0' || request->serial[0] != '\0' ||
	       request->issuer[0] != '\0';
}

static int ask_which(const struct act *act)
{
	fputs("endorsectl: which one? Wanted one of:", stderr);
	for (const struct option *one = options; one->name != NULL; one++)
		if (one->val >= WHICH_ID && one->val < WHICH_REASON && is_taken(act, one->val))
			fprintf(stderr, " --%s", one->name);
	fputs("\n", stderr);
	return EXIT_WRONG_USAGE;
}

/* What is not there is told one by one: an admin in a hurry reads one line. */
static int judge(const struct act *act, const struct wish *wish)
{
	if (!says_which(&wish->request))
		return ask_which(act);
	if (act->has_reason && wish->request.reason[0] == '\0') {
		fputs("endorsectl: --reason is missing: keyCompromise for what was stolen, copied "
		      "or broken into; superseded, cessationOfOperation, privilegeWithdrawn, "
		      "affiliationChanged, cACompromise, unspecified\n",
			stderr);
		return EXIT_WRONG_USAGE;
	}
	return wish->request.why[0] == '\0' ? command_lacks_why() : -1;
}

static enum err post(const struct act *act, const struct wish *wish, struct problem *problem)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY), body = BUF(LIMIT_ADMIN_ANSWER);
	AUTO(revocation_answer_free) struct revocation_answer answer = {.state = ""};

	TRY(revocation_request_encode(&wish->request, &json));
	TRY(admin_post(&wish->server, act->path, buf_view(&json), &body, problem));
	TRY(revocation_answer_parse(buf_view(&body), &answer));
	return revocation_print(&answer, wish->form);
}

static int run(int argc, char **argv, const struct act *act)
{
	struct wish wish = {.server = ADMIN_SERVER};
	struct problem problem = {0};
	int code = read_options(argc, argv, act, &wish);
	enum err err;

	if (code >= 0)
		return code;
	if (act->takes_name && optind + 1 == argc && wish.request.host[0] == '\0') {
		if (!which_option(&wish.request, WHICH_HOST, argv[optind++]))
			return EXIT_WRONG_USAGE;
	}
	if (optind != argc)
		return command_misused(act->usage);
	if ((code = judge(act, &wish)) >= 0)
		return code;
	err = post(act, &wish, &problem);
	if (err == ERR_DENIED)
		return command_refused(&problem);
	return err == OK ? EXIT_DONE : command_failed();
}

int command_revoke_device(int argc, char **argv)
{
	return run(argc, argv,
		&(struct act){.usage = revoke_device_usage,
			.path = "/v1/admin/device/revoke",
			.which = OF_A_DEVICE,
			.has_reason = true});
}

int command_hold_device(int argc, char **argv)
{
	return run(argc, argv,
		&(struct act){.usage = hold_device_usage,
			.path = "/v1/admin/device/hold",
			.which = OF_A_DEVICE});
}

int command_unhold_device(int argc, char **argv)
{
	return run(argc, argv,
		&(struct act){.usage = unhold_device_usage,
			.path = "/v1/admin/device/unhold",
			.which = OF_A_DEVICE});
}

int command_reinstate_device(int argc, char **argv)
{
	return run(argc, argv,
		&(struct act){.usage = reinstate_device_usage,
			.path = "/v1/admin/device/reinstate",
			.which = OF_A_DEVICE});
}
