#include "enroll/admin/command.h"

#include "enroll/admin/look.h"
#include "enroll/admin/table.h"
#include "enroll/admin/words.h"
#include "enroll/proto/binding.h"
#include "enroll/proto/hosts.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char list_usage[] =
	"usage: endorsectl host list [--host PATTERN] [--device ID] [--barred] [--limit N]\n"
	"                            [--after CURSOR] [--json] [--admin URL] [--token-file FILE]\n"
	"\n"
	"Tells which host names are bound, and to which device, and which are barred; by name, "
	"or,\n"
	"where the pattern begins with a star, by the names' ends.\n"
	"\n"
	"  --host PATTERN     such names alone: web-*, *.lab.example.org\n"
	"  --device ID        those of this device\n"
	"  --barred           those that nobody may have\n" LOOK_PAGE_USAGE ADMIN_USAGE;

static const char rebind_usage[] =
	"usage: endorsectl host rebind NAME --ek-digest HEX --why TEXT [--admin URL]\n"
	"                              [--token-file FILE]\n"
	"\n"
	"After a board was swapped: the host name NAME goes on with the TPM that has this EK. In "
	"one\n"
	"act the old device loses the name, its certificates of that name are revoked as "
	"superseded,\n"
	"and the EK is registered for the name in place of any other, with the old device's "
	"labels.\n"
	"The machine gets the name when it enrolls next.\n"
	"\n"
	"  --ek-digest HEX    SHA-256 of the new EK's SubjectPublicKeyInfo: endorse doctor on the\n"
	"                     machine, and endorsectl pending show, tell it\n"
	"  --why TEXT         what the audit keeps beside the act\n" ADMIN_USAGE;

static enum err print_row(void *is_begun, const struct record *host)
{
	AUTO(buf_free) struct buf out = BUF(1 << 14);
	bool is_barred = record_has(host, "barred_at");
	char day[TABLE_DAY_SIZE];

	table_day(record_number(host, is_barred ? "barred_at" : "bound_at"), day);
	if (!*(bool *)is_begun)
		TABLE_ROW(&out, {"since", 10}, {"device", 32}, {"state", 7}, {"name", 0});
	*(bool *)is_begun = true;
	TABLE_ROW(&out, {day, 10}, {record_text(host, "device_id"), 32},
		{is_barred			     ? "barred"
			: record_flag(host, "alias") ? "alias"
						     : record_text(host, "device_state"),
			7},
		{record_text(host, "host"), 0});
	if (is_barred) {
		AUTO(buf_free) struct buf why_text = BUF(2048);

		buf_fmt(&why_text, "%s by %s: %s", record_text(host, "barred_reason"),
			record_text(host, "barred_by"), record_text(host, "barred_why"));
		paragraph_add(&out, "    ", buf_text(&why_text));
	}
	return paragraph_put(&out);
}

int command_host_list(int argc, char **argv)
{
	AUTO(look_free) struct look look = LOOK;
	bool is_begun = false;
	int code = look_options(argc, argv, list_usage, "/v1/admin/hosts", "HdBnfj", &look);

	if (code >= 0)
		return code;
	if (optind != argc)
		return command_misused(list_usage);
	return look_list(
		&look, &hosts_shape, print_row, &is_begun, "no such name is bound or barred");
}

static int rebind(const struct admin_server *server, const struct rebind_request *request)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY), answer = BUF(LIMIT_ADMIN_BODY);
	struct rebind_answer rebound;
	struct problem problem = {0};
	enum err err = rebind_request_encode(request, &json);

	if (err == OK)
		err = admin_post(
			server, "/v1/admin/host/rebind", buf_view(&json), &answer, &problem);
	if (err == OK)
		err = rebind_answer_parse(buf_view(&answer), &rebound);
	if (err == OK)
		printf("%s goes on, when it enrolls next, with the TPM with EK\n"
		       "    %s\n"
		       "device %s has the name no more;\n"
		       "%lld certificate%s of it for that name %s revoked as superseded\n",
			rebound.host, request->ek_digest, rebound.device_id,
			(long long)rebound.revoked, rebound.revoked == 1 ? "" : "s",
			rebound.revoked == 1 ? "is" : "are");
	return command_ended(err, &problem);
}

int command_host_rebind(int argc, char **argv)
{
	static const struct option options[] = {
		{"ek-digest", required_argument, NULL, 'e'},
		{"why", required_argument, NULL, 'w'},
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct admin_server server = ADMIN_SERVER;
	struct rebind_request request = {0};
	const char *digest = "";
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == 'h')
			return command_told(rebind_usage);
		else if (option == 'e')
			digest = optarg;
		else if (option == 'w' && !why_option(optarg, request.why))
			return EXIT_WRONG_USAGE;
		else if (option != 'w' && !admin_option(&server, option, optarg))
			return command_misused(rebind_usage);
	if (optind + 1 == argc && request.why[0] == '\0')
		return command_lacks_why();
	if (optind + 1 != argc || strlen(argv[optind]) > LIMIT_HOST ||
		strlen(digest) != 2 * SHA256_SIZE)
		return command_misused(rebind_usage);
	snprintf(request.host, sizeof(request.host), "%s", argv[optind]);
	snprintf(request.ek_digest, sizeof(request.ek_digest), "%s", digest);
	return rebind(&server, &request);
}
