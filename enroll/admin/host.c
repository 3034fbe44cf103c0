#include "enroll/admin/command.h"

#include "enroll/admin/client.h"
#include "enroll/proto/admin.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char unbind_usage[] =
	"usage: endorsectl host unbind NAME --why TEXT [--admin URL] [--token-file FILE]\n"
	"\n"
	"Takes the host name NAME away from the device it is bound to, so that the next device "
	"that\n"
	"policy allows it can have it. The device's certificates stay valid until they end.\n"
	"\n"
	"  --why TEXT         what the audit keeps beside the act\n" ADMIN_USAGE;

static int unbind(const struct admin_server *server, const struct unbind_request *request)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY), answer = BUF(LIMIT_ADMIN_BODY);
	struct problem problem = {0};
	struct unbind_answer unbound;
	enum err err = unbind_request_encode(request, &json);

	if (err == OK)
		err = admin_post(
			server, "/v1/admin/host/unbind", buf_view(&json), &answer, &problem);
	if (err == ERR_DENIED)
		return command_refused(&problem);
	if (err == OK)
		err = unbind_answer_parse(buf_view(&answer), &unbound);
	if (err != OK)
		return command_failed();
	printf("%s is free again; it was bound to device %s\n", unbound.host, unbound.device_id);
	return EXIT_DONE;
}

int command_host_unbind(int argc, char **argv)
{
	static const struct option options[] = {
		{"why", required_argument, NULL, 'w'},
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct admin_server server = ADMIN_SERVER;
	struct unbind_request request = {0};
	const char *why_text = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'w':
			why_text = optarg;
			break;
		case 'h':
			return command_told(unbind_usage);
		default:
			if (!admin_option(&server, option, optarg))
				return command_misused(unbind_usage);
		}
	if (optind + 1 == argc && why_text == NULL)
		return command_lacks_why();
	if (optind + 1 != argc)
		return command_misused(unbind_usage);
	if (strlen(argv[optind]) > LIMIT_HOST || strlen(why_text) > LIMIT_WHY) {
		fprintf(stderr, "endorsectl: NAME has at most %d bytes, TEXT at most %d\n",
			LIMIT_HOST, LIMIT_WHY);
		return EXIT_WRONG_USAGE;
	}
	snprintf(request.host, sizeof(request.host), "%s", argv[optind]);
	snprintf(request.why, sizeof(request.why), "%s", why_text);
	return unbind(&server, &request);
}
