#include "enroll/admin/command.h"

#include "enroll/admin/look.h"
#include "enroll/admin/table.h"
#include "enroll/admin/words.h"
#include "enroll/proto/binding.h"
#include "enroll/proto/devices.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char list_usage[] =
	"usage: endorsectl device list [--host PATTERN] [--state STATE] [--manufacturer ID]\n"
	"                              [--label NAME[=TEXT]] [--machine SERIAL] [--ek-digest HEX]\n"
	"                              [--serial HEX] [--since TIME] [--until TIME] [--limit N]\n"
	"                              [--after CURSOR] [--json] [--admin URL] [--token-file "
	"FILE]\n"
	"\n"
	"Looks for devices by whatever is known of them, those that came last first; with several\n"
	"options, those for which all of it is so.\n"
	"\n"
	"  --host PATTERN     that have such a name: web-01.example.org, web-*, *.lab.example.org\n"
	"  --state STATE      active, held, revoked\n"
	"  --manufacturer ID  of the TPM: id:49465800\n"
	"  --label NAME[=TEXT]\n"
	"                     that have this label\n"
	"  --machine SERIAL   the machine's serial number, as the allow-list has it\n"
	"  --ek-digest HEX    SHA-256 of the EK's SubjectPublicKeyInfo\n"
	"  --serial HEX       that got the certificate with this serial number\n"
	"  --since TIME       enrolled first from then on: 8h, 7d, 2026-11-22\n"
	"  --until TIME       enrolled first before then\n" LOOK_PAGE_USAGE ADMIN_USAGE;

static const char show_usage[] =
	"usage: endorsectl device show ([--host] NAME | [--id] ID | --ek-digest HEX | --serial "
	"HEX\n"
	"           | --ssh-serial N) [--json] [--admin URL] [--token-file FILE]\n"
	"\n"
	"Tells all about one device: how it is believed, its names, keys, certificates, labels, "
	"and\n"
	"who barred it and why.\n"
	"\n"
	"  --id ID            of the device, 32 hexadecimal digits\n"
	"  --host NAME        that has this name, or is revoked and had it last\n"
	"  --ek-digest HEX    SHA-256 of the EK's SubjectPublicKeyInfo\n"
	"  --serial HEX       that got the certificate with this serial number\n"
	"  --ssh-serial N     that got the OpenSSH certificate with this one, as sshd logs it\n"
	"  --json             as one JSON object\n" ADMIN_USAGE;

static const char labels_usage[] =
	"usage: endorsectl device labels ID [--set NAME=TEXT]... [--remove NAME]... --why TEXT\n"
	"                                [--admin URL] [--token-file FILE]\n"
	"\n"
	"Changes the labels of a device; policy may ask for them. Those that are not named stay.\n"
	"\n"
	"  --set NAME=TEXT    gives it this label, or another text; several times\n"
	"  --remove NAME      takes one away; several times\n"
	"  --why TEXT         what the audit keeps beside the act\n" ADMIN_USAGE;

/* The first of its names, and how many more. */
static enum err print_row(void *is_begun, const struct record *device)
{
	AUTO(buf_free) struct buf out = BUF(1 << 14), names = BUF(512);
	const char *name = record_item_text(device, "hosts", 0);
	char day[TABLE_DAY_SIZE];
	size_t n = 0;

	while (record_item_text(device, "hosts", n) != NULL)
		n++;
	buf_str(&names, name == NULL ? "" : name);
	if (n > 1)
		buf_fmt(&names, " +%zu", n - 1);
	if (!*(bool *)is_begun)
		TABLE_ROW(&out, {"device", 32}, {"state", 7}, {"since", 10}, {"TPM by", 11},
			{"name", 0});
	*(bool *)is_begun = true;
	table_day(record_number(device, "created_at"), day);
	TABLE_ROW(&out, {record_text(device, "device_id"), 32}, {record_text(device, "state"), 7},
		{day, 10}, {record_text(device, "manufacturer"), 11}, {buf_text(&names), 0});
	return paragraph_put(&out);
}

int command_device_list(int argc, char **argv)
{
	AUTO(look_free) struct look look = LOOK;
	bool is_begun = false;
	int code = look_options(argc, argv, list_usage, "/v1/admin/devices", "HsmlMeSabnfj", &look);

	if (code >= 0)
		return code;
	if (optind != argc)
		return command_misused(list_usage);
	return look_list(&look, &devices_shape, print_row, &is_begun,
		strstr(buf_text(&look.path), "host=") == NULL
			? "no such device is known"
			: "no such device is known; what was revoked has no name: endorsectl "
			  "device show NAME, or --state revoked");
}

static void add_pairs(struct buf *out, const struct record *device)
{
	AUTO(buf_free) struct buf json = BUF(2 * LIMIT_LABELS), pairs = BUF(2 * LIMIT_LABELS);

	record_member(device, "labels", &json);
	if (labels_to_pairs(buf_text(&json), &pairs) == OK)
		paragraph_field(out, "labels", buf_text(&pairs));
}

static void add_trust(struct buf *out, const struct record *device)
{
	AUTO(buf_free) struct buf tpm = BUF(4096), trust = BUF(2048);

	buf_fmt(&tpm, "%s %s %s", record_text(device, "manufacturer"), record_text(device, "model"),
		record_text(device, "version"));
	buf_fmt(&trust, "%s %s (trust set %.12s)", record_text(device, "trust_class"),
		record_text(device, "trust_source"), record_text(device, "trust_version"));
	paragraph_field(out, "TPM", strlen(buf_text(&tpm)) > 2 ? buf_text(&tpm) : "");
	paragraph_field(out, "believed by", buf_text(&trust));
}

static void add_bar(struct buf *out, const struct record *device)
{
	AUTO(buf_free) struct buf bar = BUF(4096);

	if (!record_has(device, "barred_at"))
		return;
	buf_fmt(&bar, "%s by %s: %s", record_text(device, "barred_reason"),
		record_text(device, "barred_by"), record_text(device, "barred_why"));
	table_time_field(out, "barred since", record_number(device, "barred_at"));
	paragraph_field(out, "barred for", buf_text(&bar));
}

static void add_names(struct buf *out, const struct record *device)
{
	const struct record *name;

	for (size_t i = 0; (name = record_item(device, "names", i)) != NULL; i++) {
		AUTO(buf_free) struct buf text = BUF(1024);
		char day[TABLE_DAY_SIZE];

		table_day(record_number(name, "bound_at"), day);
		buf_fmt(&text, "%s since %s%s", record_text(name, "name"), day,
			record_flag(name, "alias") ? ", an alias" : "");
		paragraph_field(out, "name", buf_text(&text));
	}
}

static void add_eks(struct buf *out, const struct record *device)
{
	const struct record *ek;

	for (size_t i = 0; (ek = record_item(device, "eks", i)) != NULL; i++) {
		AUTO(buf_free) struct buf text = BUF(4096);
		const char *machine = record_text(ek, "machine");
		const char *host = record_text(ek, "registered_for");

		buf_fmt(&text, "%s %s%s%s%s%s%s", record_text(ek, "digest"),
			record_text(ek, "kind"),
			record_flag(ek, "has_certificate") ? "" : ", no certificate",
			machine[0] == '\0' ? "" : ", machine ", machine,
			host[0] == '\0' ? "" : ", registered for ", host);
		paragraph_field(out, "EK", buf_text(&text));
	}
}

/* Of an AK's Name the algorithm and the first digits tell which it is. */
static void add_aks(struct buf *out, const struct record *device)
{
	const struct record *ak;

	for (size_t i = 0; (ak = record_item(device, "aks", i)) != NULL; i++) {
		AUTO(buf_free) struct buf text = BUF(1024);
		char day[TABLE_DAY_SIZE];

		table_day(record_number(ak, "proven_at") != 0 ? record_number(ak, "proven_at")
							      : record_number(ak, "created_at"),
			day);
		buf_fmt(&text, "%.24s... %s, %s, proven %s", record_text(ak, "name"),
			record_text(ak, "kind"), record_text(ak, "state"), day);
		paragraph_field(out, "AK", buf_text(&text));
	}
}

static void add_rest(struct buf *out, const struct record *device)
{
	AUTO(buf_free) struct buf text = BUF(1024);
	const struct record *certificates = record_object(device, "certificates"), *attempt;

	if (certificates != NULL)
		buf_fmt(&text,
			"%lld in force, %lld revoked, %lld in all: endorsectl certificate list "
			"--device %s",
			(long long)record_number(certificates, "in_force"),
			(long long)record_number(certificates, "revoked"),
			(long long)record_number(certificates, "all"),
			record_text(device, "device_id"));
	paragraph_field(out, "certificates", buf_text(&text));
	for (size_t i = 0; (attempt = record_item(device, "attempts", i)) != NULL; i++) {
		buf_free(&text);
		buf_fmt(&text, "%s %s %s", record_text(attempt, "id"),
			record_text(attempt, "state"), record_text(attempt, "host"));
		paragraph_field(out, "attempt", buf_text(&text));
	}
}

static enum err print_device(const struct record *device)
{
	AUTO(buf_free) struct buf out = BUF(1 << 17);

	buf_fmt(&out, "device %s is %s\n", record_text(device, "device_id"),
		record_text(device, "state"));
	add_bar(&out, device);
	add_names(&out, device);
	add_pairs(&out, device);
	add_trust(&out, device);
	table_time_field(&out, "first seen", record_number(device, "created_at"));
	table_time_field(&out, "last success", record_number(device, "last_success_at"));
	table_time_field(&out, "last refusal", record_number(device, "last_refusal_at"));
	paragraph_field(&out, "refused for", record_text(device, "last_refusal_code"));
	add_eks(&out, device);
	add_aks(&out, device);
	add_rest(&out, device);
	return paragraph_put(&out);
}

int command_device_show(int argc, char **argv)
{
	AUTO(look_free) struct look look = LOOK;
	AUTO(record_free) struct record *device = NULL;
	struct problem problem = {0};
	int code = look_options(argc, argv, show_usage, "/v1/admin/device", "HIeSNj", &look);
	enum err err;

	if (code >= 0)
		return code;
	/* Who types a name alone means the host. */
	if (optind + 1 == argc) {
		query_add(&look.path, strchr(argv[optind], '.') == NULL ? "id" : "host",
			argv[optind]);
		optind++;
	}
	if (optind != argc || strchr(buf_text(&look.path), '?') == NULL)
		return command_misused(show_usage);
	err = look_at(&look, &device_shape, &device, &problem);
	if (err == OK)
		err = look.form == PRINT_JSON ? look_print_json(device) : print_device(device);
	return command_ended(err, &problem);
}

/* Appends a JSON list's next text; names of labels need no escape, and what does is refused by the service. */
static void add_name(struct buf *list, const char *name)
{
	buf_str(list, list->n == 0 ? "[\"" : ",\"");
	for (; *name != '\0'; name++)
		buf_u8(list, strchr("\"\\", *name) != NULL || *name < ' ' ? '?' : (uint8_t)*name);
	buf_str(list, "\"");
}

static int change(
	const struct admin_server *server, struct label_request *request, const char *pairs)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_LABELS_BODY), answer = BUF(LIMIT_LABELS_BODY);
	AUTO(buf_free) struct buf labels = BUF(2 * LIMIT_LABELS), shown = BUF(2 * LIMIT_LABELS);
	struct problem problem = {0};
	enum err err = labels_from_pairs(pairs, &request->set);

	if (request->remove.n > 0)
		buf_str(&request->remove, "]");
	if (err == OK)
		err = label_request_encode(request, &json);
	if (err == OK)
		err = admin_post(
			server, "/v1/admin/device/labels", buf_view(&json), &answer, &problem);
	if (err == OK)
		err = label_answer_parse(buf_view(&answer), &labels);
	if (err == OK)
		err = labels_to_pairs(buf_text(&labels), &shown);
	if (err == OK)
		printf("device %s has now: %s\n", request->device_id,
			shown.n == 0 ? "no label" : buf_text(&shown));
	return command_ended(err, &problem);
}

int command_device_labels(int argc, char **argv)
{
	static const struct option options[] = {
		{"set", required_argument, NULL, 's'},
		{"remove", required_argument, NULL, 'r'},
		{"why", required_argument, NULL, 'w'},
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	AUTO(label_request_free) struct label_request request;
	AUTO(buf_free) struct buf pairs = BUF(2 * LIMIT_LABELS);
	struct admin_server server = ADMIN_SERVER;
	int option;

	label_request_init(&request);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == 'h')
			return command_told(labels_usage);
		else if (option == 's')
			buf_fmt(&pairs, "%s%s", pairs.n > 0 ? ";" : "", optarg);
		else if (option == 'r')
			add_name(&request.remove, optarg);
		else if (option == 'w' && !why_option(optarg, request.why))
			return EXIT_WRONG_USAGE;
		else if (option != 'w' && !admin_option(&server, option, optarg))
			return command_misused(labels_usage);
	if (optind + 1 == argc && request.why[0] == '\0')
		return command_lacks_why();
	if (optind + 1 != argc || strlen(argv[optind]) > LIMIT_DEVICE_ID ||
		(pairs.n == 0 && request.remove.n == 0))
		return command_misused(labels_usage);
	snprintf(request.device_id, sizeof(request.device_id), "%s", argv[optind]);
	return change(&server, &request, buf_text(&pairs));
}
