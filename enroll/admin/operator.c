#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "enroll/admin/client.h"
#include "enroll/admin/command.h"
#include "enroll/admin/words.h"
#include "enroll/proto/attempts.h"
#include "enroll/proto/operators.h"

#include <getopt.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

static const char add_usage[] =
	"usage: endorsectl operator add NAME --role ROLE --why TEXT\n"
	"\n"
	"Lets NAME administer, who has a certificate of the admin CA (endorsectl ca operator);\n"
	"also one who was disabled.\n"
	"\n"
	"  --role ROLE        auditor (reads), operator (also registers, approves and unbinds),\n"
	"                     or admin (everything)\n"
	"  --why TEXT         what the audit keeps beside the act\n" ADMIN_USAGE;

static const char role_usage[] =
	"usage: endorsectl operator role NAME --role ROLE --why TEXT\n"
	"\n"
	"Changes what NAME may, from his next request on.\n"
	"\n"
	"  --role ROLE        auditor, operator or admin\n"
	"  --why TEXT         what the audit keeps beside the act\n" ADMIN_USAGE;

static const char disable_usage[] =
	"usage: endorsectl operator disable NAME --why TEXT\n"
	"\n"
	"Lets NAME in no more, from his next request on, whatever certificates he has. Tokens\n"
	"that he created stay good: endorsectl token list tells which.\n"
	"\n"
	"  --why TEXT         what the audit keeps beside the act\n" ADMIN_USAGE;

static const char revoke_usage[] =
	"usage: endorsectl operator revoke-certificate FILE|SHA256 --why TEXT\n"
	"\n"
	"Takes one certificate of an operator back: the first one of a PEM file, or the one\n"
	"whose DER has this digest. He can have another one.\n"
	"\n"
	"  --why TEXT         what the audit keeps beside the act\n" ADMIN_USAGE;

static const char list_usage[] =
	"usage: endorsectl operator list [--json]\n"
	"\n"
	"Tells who may administer, and which certificates of operators were taken back.\n"
	"\n"
	"  --json             the service's own answer\n" ADMIN_USAGE;

static const char whoami_usage[] = "usage: endorsectl whoami [--json]\n"
				   "\n"
				   "Tells as whom the service knows you, and what you may.\n"
				   "\n"
				   "  --json             the service's own answer\n" ADMIN_USAGE;

struct wish {
	struct admin_server server;
	const char *role;
	char why[LIMIT_WHY + 1];
	bool json;
};

/* False when the call was wrong, or help was asked for: `*code` is how the command ends. */
static bool read_options(int argc, char **argv, const char *usage, struct wish *out, int *code)
{
	static const struct option options[] = {
		{"role", required_argument, NULL, 'r'},
		{"why", required_argument, NULL, 'w'},
		{"json", no_argument, NULL, 'j'},
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	*out = (struct wish){.server = ADMIN_SERVER};
	*code = EXIT_WRONG_USAGE;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'r':
			out->role = optarg;
			break;
		case 'w':
			if (!why_option(optarg, out->why))
				return false;
			break;
		case 'j':
			out->json = true;
			break;
		case 'h':
			*code = command_told(usage);
			return false;
		default:
			if (!admin_option(&out->server, option, optarg)) {
				command_misused(usage);
				return false;
			}
		}
	return true;
}

/* For what is done to NAME: he is the only argument, and there is a reason. */
static bool read_act(int argc, char **argv, const char *usage, bool has_role,
	struct operator_request *request, struct wish *wish, int *code)
{
	if (!read_options(argc, argv, usage, wish, code))
		return false;
	*code = EXIT_WRONG_USAGE;
	if (optind + 1 != argc || (wish->role != NULL) != has_role || wish->json) {
		command_misused(usage);
		return false;
	}
	if (wish->why[0] == '\0') {
		command_lacks_why();
		return false;
	}
	if (strlen(argv[optind]) > LIMIT_NAME || (has_role && strlen(wish->role) > LIMIT_ROLE)) {
		fprintf(stderr, "endorsectl: NAME has at most %d bytes, ROLE at most %d\n",
			LIMIT_NAME, LIMIT_ROLE);
		return false;
	}
	snprintf(request->name, sizeof(request->name), "%s", argv[optind]);
	snprintf(request->role, sizeof(request->role), "%s", has_role ? wish->role : "");
	snprintf(request->why, sizeof(request->why), "%s", wish->why);
	return true;
}

static int act(const struct wish *wish, const char *path, const struct operator_request *request,
	bool has_role, struct operator_answer *out)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY), answer = BUF(LIMIT_ADMIN_BODY);
	struct problem problem = {0};
	enum err err = operator_request_encode(request, has_role, &json);

	if (err == OK)
		err = admin_post(&wish->server, path, buf_view(&json), &answer, &problem);
	if (err == OK)
		err = operator_answer_parse(buf_view(&answer), out);
	return command_ended(err, &problem);
}

int command_operator_add(int argc, char **argv)
{
	struct operator_request request;
	struct operator_answer answer;
	struct wish wish;
	int code;

	if (!read_act(argc, argv, add_usage, true, &request, &wish, &code))
		return code;
	code = act(&wish, "/v1/admin/operator/add", &request, true, &answer);
	if (code == EXIT_DONE)
		printf("%s may administer now, as %s\n", answer.name, answer.role);
	return code;
}

int command_operator_role(int argc, char **argv)
{
	struct operator_request request;
	struct operator_answer answer;
	struct wish wish;
	int code;

	if (!read_act(argc, argv, role_usage, true, &request, &wish, &code))
		return code;
	code = act(&wish, "/v1/admin/operator/role", &request, true, &answer);
	if (code == EXIT_DONE)
		printf("%s has the role %s now\n", answer.name, answer.role);
	return code;
}

int command_operator_disable(int argc, char **argv)
{
	struct operator_request request;
	struct operator_answer answer;
	struct wish wish;
	int code;

	if (!read_act(argc, argv, disable_usage, false, &request, &wish, &code))
		return code;
	code = act(&wish, "/v1/admin/operator/disable", &request, false, &answer);
	if (code != EXIT_DONE)
		return code;
	printf("%s is let in no more\n", answer.name);
	if (answer.tokens > 0)
		printf("%lld token(s) that %s created are good still: endorsectl token list, "
		       "endorsectl token revoke\n",
			(long long)answer.tokens, answer.name);
	return code;
}

static bool is_digest(const char *text)
{
	return strlen(text) == CERTIFICATE_DIGITS &&
	       strspn(text, "0123456789abcdefABCDEF") == CERTIFICATE_DIGITS;
}

/* Its digest, and whose it is. */
static enum err read_certificate(const char *path, struct operator_revoke_request *out)
{
	AUTO(x509_free) X509 *cert = NULL;
	AUTO(buf_free) struct buf der = BUF(CERTS_MAX);
	uint8_t digest[SHA256_SIZE];

	TRY(cert_read(path, "operator-certificate", &cert));
	TRY(cert_der_add(cert, &der));
	TRY(SHA256_OF(digest, buf_view(&der)));
	hex_write(VIEW(digest), out->certificate_sha256);
	if (X509_NAME_get_text_by_NID(
		    X509_get_subject_name(cert), NID_commonName, out->name, sizeof(out->name)) < 0)
		out->name[0] = '\0';
	return OK;
}

int command_operator_revoke_certificate(int argc, char **argv)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY), answer = BUF(LIMIT_ADMIN_BODY);
	struct operator_revoke_request request = {.name = ""};
	struct problem problem = {0};
	struct wish wish;
	enum err err = OK;
	int code;

	if (!read_options(argc, argv, revoke_usage, &wish, &code))
		return code;
	if (optind + 1 != argc || wish.role != NULL || wish.json)
		return command_misused(revoke_usage);
	if (wish.why[0] == '\0')
		return command_lacks_why();
	snprintf(request.why, sizeof(request.why), "%s", wish.why);
	if (is_digest(argv[optind]))
		snprintf(request.certificate_sha256, sizeof(request.certificate_sha256), "%s",
			argv[optind]);
	else
		err = read_certificate(argv[optind], &request);
	if (err == OK)
		err = operator_revoke_request_encode(&request, &json);
	if (err == OK)
		err = admin_post(&wish.server, "/v1/admin/operator/certificate/revoke",
			buf_view(&json), &answer, &problem);
	if (err == OK)
		printf("the certificate %s%s%s lets nobody in any more\n",
			request.certificate_sha256, request.name[0] == '\0' ? "" : " of ",
			request.name);
	return command_ended(err, &problem);
}

static void print_list(const struct operator_list *list)
{
	char at[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < list->n; i++) {
		const struct operator_item *item = &list->items[i];

		clock_text(item->created_at, at);
		printf("%-24s %-9s since %s, by %s", item->name, item->role, at, item->created_by);
		if (item->disabled_at > 0) {
			clock_text(item->disabled_at, at);
			printf("; disabled %s by %s", at, item->disabled_by);
		}
		printf("\n");
	}
	if (list->n == 0)
		printf("nobody has a certificate that lets him in: endorsectl operator add\n");
	for (size_t i = 0; i < list->revoked_n; i++) {
		const struct operator_revoked *item = &list->revoked[i];

		clock_text(item->revoked_at, at);
		printf("certificate %s of %s: taken back %s by %s: %s\n", item->certificate_sha256,
			item->name[0] == '\0' ? "somebody" : item->name, at, item->revoked_by,
			item->why);
	}
	if (list->more)
		printf("... and more than fit into one answer\n");
}

int command_operator_list(int argc, char **argv)
{
	AUTO(operator_list_free) struct operator_list list = {0};
	AUTO(buf_free) struct buf answer = BUF(LIMIT_ADMIN_ANSWER);
	struct problem problem = {0};
	struct wish wish;
	enum err err;
	int code;

	if (!read_options(argc, argv, list_usage, &wish, &code))
		return code;
	if (optind != argc || wish.role != NULL || wish.why[0] != '\0')
		return command_misused(list_usage);
	err = admin_get(&wish.server, "/v1/admin/operators", &answer, &problem);
	if (err == OK)
		err = operator_list_parse(buf_view(&answer), &list);
	if (err == OK && wish.json)
		printf("%s\n", buf_text(&answer));
	else if (err == OK)
		print_list(&list);
	return command_ended(err, &problem);
}

static void print_whoami(const struct whoami *is)
{
	char until[CLOCK_TEXT_SIZE];

	clock_text(is->until, until);
	printf("%s, role %s, known by %s", is->who, is->role,
		strcmp(is->by, "file") == 0    ? "the token of the service's file"
		: strcmp(is->by, "token") == 0 ? "a token"
					       : "a certificate");
	if (is->until > 0)
		printf(" until %s", until);
	printf("\n");
}

int command_whoami(int argc, char **argv)
{
	AUTO(buf_free) struct buf answer = BUF(LIMIT_ADMIN_BODY);
	struct problem problem = {0};
	struct whoami is;
	struct wish wish;
	enum err err;
	int code;

	if (!read_options(argc, argv, whoami_usage, &wish, &code))
		return code;
	if (optind != argc || wish.role != NULL || wish.why[0] != '\0')
		return command_misused(whoami_usage);
	err = admin_get(&wish.server, "/v1/admin/whoami", &answer, &problem);
	if (err == OK)
		err = whoami_parse(buf_view(&answer), &is);
	if (err == OK && wish.json)
		printf("%s\n", buf_text(&answer));
	else if (err == OK)
		print_whoami(&is);
	return command_ended(err, &problem);
}
