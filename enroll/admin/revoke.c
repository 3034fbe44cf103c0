#include "enroll/admin/command.h"

#include "enroll/admin/revocation.h"
#include "enroll/admin/revoke_print.h"
#include "enroll/admin/which.h"
#include "enroll/proto/attempts.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define WHICH_DEVICE "([--host] NAME | --id ID | --ek-digest HEX | --serial HEX | --ssh-serial N)"
#define WHICH_DEVICE_USAGE                                                                         \
	"  --id ID            the device's id\n"                                                   \
	"  --host NAME        the name that it has; a revoked one: that it had last\n"             \
	"  --ek-digest HEX    SHA-256 of one of its EKs' SubjectPublicKeyInfo\n"                   \
	"  --serial HEX       of one of its certificates, as openssl prints it\n"                  \
	"  --ssh-serial N     of one of its OpenSSH certificates, as sshd logs it\n"
#define WHICH_CERTIFICATE "(--serial HEX | --ssh-serial N)"
#define WHICH_CERTIFICATE_USAGE                                                                    \
	"  --serial HEX       its serial number, as openssl prints it\n"                           \
	"  --ssh-serial N     of an OpenSSH certificate, as sshd logs it\n"
#define REASON_USAGE                                                                               \
	"  --reason WORD      keyCompromise (stolen, copied, broken into), cACompromise,\n"        \
	"                     affiliationChanged, superseded, cessationOfOperation,\n"             \
	"                     privilegeWithdrawn, unspecified\n"
#define END_USAGE                                                                                  \
	"  --why TEXT         what the audit keeps beside the act\n"                               \
	"  --json             one JSON object, for programs\n" ADMIN_USAGE

#define SERVER_USAGE "[--json] [--admin URL] [--token-file FILE]\n"
#define WAIT_USAGE                                                                                 \
	"  --wait             until new CRLs and the new KRL tell of it, a minute at most\n"

static const char revoke_device_usage[] =
	"usage: endorsectl revoke device " WHICH_DEVICE "\n"
	"           --reason WORD --why TEXT [--wait] " SERVER_USAGE "\n"
	"Cuts a machine off, everywhere and in one act: all its certificates are revoked, none of "
	"its\n"
	"EKs enrolls and none of its AKs renews any more, its names are free, what waits of it is "
	"gone.\n"
	"Tells what was reached, who sees it from when, and what is left to do by hand.\n"
	"\n" WHICH_DEVICE_USAGE REASON_USAGE WAIT_USAGE END_USAGE;

static const char hold_device_usage[] = "usage: endorsectl hold device " WHICH_DEVICE "\n"
					"           --why TEXT [--wait] " SERVER_USAGE "\n"
					"Cuts a machine off for the time being: certificates are "
					"on hold, and the names stay its own.\n"
					"endorsectl unhold device gives back what this took; "
					"endorsectl revoke device makes it final.\n"
					"\n" WHICH_DEVICE_USAGE WAIT_USAGE END_USAGE;

static const char unhold_device_usage[] =
	"usage: endorsectl unhold device " WHICH_DEVICE "\n"
	"           --why TEXT [--wait] " SERVER_USAGE "\n"
	"Gives a machine back what endorsectl hold device took, and nothing that was revoked "
	"otherwise.\n"
	"\n" WHICH_DEVICE_USAGE WAIT_USAGE END_USAGE;

static const char reinstate_device_usage[] = "usage: endorsectl reinstate device " WHICH_DEVICE "\n"
					     "           --why TEXT " SERVER_USAGE "\n"
					     "Lets a revoked machine enroll again, as if it came "
					     "for the first time. Its certificates stay\n"
					     "revoked, and its names are whose they are now. "
					     "--host finds it by the name that it had last.\n"
					     "\n" WHICH_DEVICE_USAGE END_USAGE;

static const char revoke_host_usage[] =
	"usage: endorsectl revoke host NAME --reason WORD --why TEXT [--wait] " SERVER_USAGE "\n"
	"Revokes all certificates of a host name, whichever machines have them, and keeps the name "
	"from\n"
	"everybody until endorsectl reinstate host. The machines stay, with their other names.\n"
	"\n" REASON_USAGE WAIT_USAGE END_USAGE;

static const char retire_host_usage[] =
	"usage: endorsectl host retire NAME [--reason WORD] --why TEXT [--wait] " SERVER_USAGE "\n"
	"Revokes all certificates of a host name that is given up, and frees it: the next machine "
	"that\n"
	"policy allows can have it. The reason is cessationOfOperation unless another one is "
	"given.\n"
	"\n" REASON_USAGE WAIT_USAGE END_USAGE;

static const char reinstate_host_usage[] =
	"usage: endorsectl reinstate host NAME --why TEXT " SERVER_USAGE "\n"
	"Lets a revoked name be had again, by the next machine that policy allows it. Certificates "
	"stay\n"
	"revoked.\n"
	"\n" END_USAGE;

static const char revoke_certificate_usage[] =
	"usage: endorsectl revoke certificate " WHICH_CERTIFICATE "\n"
	"           --reason WORD --why TEXT [--wait] " SERVER_USAGE "\n"
	"Revokes one certificate. Its machine stays as it is, and gets another one when it asks: "
	"to cut\n"
	"the machine off, endorsectl revoke device.\n"
	"\n" WHICH_CERTIFICATE_USAGE REASON_USAGE WAIT_USAGE END_USAGE;

static const char hold_certificate_usage[] =
	"usage: endorsectl hold certificate " WHICH_CERTIFICATE "\n"
	"           --why TEXT [--wait] " SERVER_USAGE "\n"
	"Revokes one certificate for the time being. Its machine gets another one when it asks.\n"
	"\n" WHICH_CERTIFICATE_USAGE WAIT_USAGE END_USAGE;

static const char unhold_certificate_usage[] =
	"usage: endorsectl unhold certificate " WHICH_CERTIFICATE "\n"
	"           --why TEXT [--wait] " SERVER_USAGE "\n"
	"Gives back one certificate that endorsectl hold certificate took.\n"
	"\n" WHICH_CERTIFICATE_USAGE WAIT_USAGE END_USAGE;

static const char revoke_ca_usage[] =
	"usage: endorsectl revoke ca-key --issuer HEX --reason WORD --why TEXT [--wait]\n"
	"           " SERVER_USAGE "\n"
	"Takes back a CA's key: from then on nothing is issued by it, and all that it signed is "
	"revoked,\n"
	"which goes on in the background. Give endorsed another CA first, or nobody enrolls "
	"meanwhile.\n"
	"\n"
	"  --issuer HEX       SHA-256 of the CA's key, or its first 16 digits or more; endorsectl\n"
	"                     revocation tells of all CAs\n" REASON_USAGE WAIT_USAGE END_USAGE;

#define BIT(option) (1u << ((option)-WHICH_ID))
#define OF_A_CERTIFICATE (BIT(WHICH_SERIAL) | BIT(WHICH_SSH_SERIAL))
#define OF_A_DEVICE (BIT(WHICH_ID) | BIT(WHICH_HOST) | BIT(WHICH_EK) | OF_A_CERTIFICATE)

/* One command: what it takes, and where it goes. */
struct act {
	const char *usage, *path;
	unsigned which; /* BIT()s of the options that say which; one of them is needed */
	bool has_reason;
	const char *reason; /* unless one is given; NULL: one is needed */
};

struct wish {
	struct admin_server server;
	struct revocation_request request;
	enum print_form form;
	bool waits;
};

static const struct option options[] = {
	WHICH_OPTIONS,
	{"json", no_argument, NULL, 'j'},
	{"wait", no_argument, NULL, 'W'},
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
		else if (option == 'W')
			wish->waits = true;
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
	       request->ek_digest[0] != '\0' || request->serial[0] != '\0' ||
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
	/* What was done is told first, whatever becomes of the wait. */
	TRY(revocation_print(&answer, wish->form));
	if (wish->waits)
		return revocation_await(&wish->server, &answer, problem);
	if (wish->form == PRINT_TEXT && answer.x509 + answer.ssh_host + answer.ssh_user > 0)
		fputs("endorsectl revocation --wait returns when CRLs and KRL tell of it\n",
			stderr);
	return OK;
}

static int run(int argc, char **argv, const struct act *act)
{
	struct wish wish = {.server = ADMIN_SERVER};
	struct problem problem = {0};
	int code = read_options(argc, argv, act, &wish);
	enum err err;

	if (code >= 0)
		return code;
	/* Who types a name alone means the host. */
	if ((act->which & BIT(WHICH_HOST)) != 0 && optind + 1 == argc &&
		!says_which(&wish.request) && strchr(argv[optind], '.') != NULL) {
		if (!which_option(&wish.request, WHICH_HOST, argv[optind++]))
			return EXIT_WRONG_USAGE;
	}
	if (optind != argc)
		return command_misused(act->usage);
	if (act->reason != NULL && wish.request.reason[0] == '\0')
		snprintf(wish.request.reason, sizeof(wish.request.reason), "%s", act->reason);
	if ((code = judge(act, &wish)) >= 0)
		return code;
	err = post(act, &wish, &problem);
	return command_ended(err, &problem);
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

int command_revoke_host(int argc, char **argv)
{
	return run(argc, argv,
		&(struct act){.usage = revoke_host_usage,
			.path = "/v1/admin/host/revoke",
			.which = BIT(WHICH_HOST),
			.has_reason = true});
}

int command_host_retire(int argc, char **argv)
{
	return run(argc, argv,
		&(struct act){.usage = retire_host_usage,
			.path = "/v1/admin/host/retire",
			.which = BIT(WHICH_HOST),
			.has_reason = true,
			.reason = "cessationOfOperation"});
}

int command_reinstate_host(int argc, char **argv)
{
	return run(argc, argv,
		&(struct act){.usage = reinstate_host_usage,
			.path = "/v1/admin/host/reinstate",
			.which = BIT(WHICH_HOST)});
}

int command_revoke_certificate(int argc, char **argv)
{
	return run(argc, argv,
		&(struct act){.usage = revoke_certificate_usage,
			.path = "/v1/admin/certificate/revoke",
			.which = OF_A_CERTIFICATE,
			.has_reason = true});
}

int command_hold_certificate(int argc, char **argv)
{
	return run(argc, argv,
		&(struct act){.usage = hold_certificate_usage,
			.path = "/v1/admin/certificate/hold",
			.which = OF_A_CERTIFICATE});
}

int command_unhold_certificate(int argc, char **argv)
{
	return run(argc, argv,
		&(struct act){.usage = unhold_certificate_usage,
			.path = "/v1/admin/certificate/unhold",
			.which = OF_A_CERTIFICATE});
}

int command_revoke_ca(int argc, char **argv)
{
	return run(argc, argv,
		&(struct act){.usage = revoke_ca_usage,
			.path = "/v1/admin/ca/revoke",
			.which = BIT(WHICH_ISSUER),
			.has_reason = true});
}
