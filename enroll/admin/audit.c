#include "enroll/admin/command.h"

#include "ca/base/clock.h"
#include "ca/base/printable.h"
#include "enroll/admin/look.h"
#include "enroll/admin/table.h"
#include "enroll/proto/audit.h"
#include "enroll/proto/statistics.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char audit_usage[] =
	"usage: endorsectl audit [--host PATTERN] [--device ID] [--serial HEX] [--ek-digest HEX]\n"
	"                        [--event EVENT] [--reason CODE] [--who WHO] [--acts]\n"
	"                        [--request-id ID] [--since TIME] [--until TIME] [--limit N]\n"
	"                        [--after CURSOR] [--json] [--admin URL] [--token-file FILE]\n"
	"\n"
	"Tells what was done and what was refused, the newest first: when, to which device, by "
	"whom\n"
	"and why, and by which versions of policy and trust. With several options, that for which\n"
	"all of it is so. The audit is only ever added to.\n"
	"\n"
	"  --host PATTERN     about such a name, as it was asked for: web-01.example.org, web-*\n"
	"  --device ID        about this device\n"
	"  --serial HEX       about the certificate with this serial number\n"
	"  --ek-digest HEX    about the TPM with this EK\n"
	"  --event EVENT      of this kind: enroll.issued, host.*\n"
	"  --reason CODE      refused with this reason code\n"
	"  --who WHO          what this admin, or this token, did\n"
	"  --acts             only what people and their programs did\n"
	"  --request-id ID    of this request\n"
	"  --since TIME       from then on: 8h, 7d, 2026-11-22\n"
	"  --until TIME       before then\n" LOOK_PAGE_USAGE ADMIN_USAGE;

static const char statistics_usage[] =
	"usage: endorsectl statistics [--json] [--admin URL] [--token-file FILE]\n"
	"\n"
	"Tells how many there are of what. What is large is told as \"about\".\n"
	"\n"
	"  --json             one JSON object a line\n" ADMIN_USAGE;

static const char templates_usage[] =
	"usage: endorsectl template list [--json] [--admin URL] [--token-file FILE]\n"
	"\n"
	"Tells which templates the service works with.\n"
	"\n"
	"  --json             one JSON object a line\n" ADMIN_USAGE;

/* "by alice from 192.0.2.7", or the device itself. */
static void add_who(struct buf *out, const struct record *row)
{
	AUTO(buf_free) struct buf text = BUF(2048);
	char who[1024], from[1024];

	printable(record_text(row, "who"), who, sizeof(who));
	printable(record_text(row, "client_address"), from, sizeof(from));
	buf_fmt(&text, "by %s", who[0] == '\0' ? "the device" : who);
	if (from[0] != '\0')
		buf_fmt(&text, " from %s", from);
	if (record_has(row, "device_id"))
		buf_fmt(&text, ", device %s", record_text(row, "device_id"));
	paragraph_add(out, "    ", buf_text(&text));
}

static void add_serials(struct buf *out, const struct record *row)
{
	AUTO(buf_free) struct buf text = BUF(8192);
	const char *serial;

	for (size_t i = 0; (serial = record_item_text(row, "serials", i)) != NULL && i < 100; i++)
		buf_fmt(&text, "%s%s", i == 0 ? "" : " ", serial);
	if (text.n > 0)
		paragraph_add(out, "    certificates: ", buf_text(&text));
}

static enum err print_row(void *unused, const struct record *row)
{
	AUTO(buf_free) struct buf out = BUF(1 << 15), rules = BUF(512);
	char when[CLOCK_TEXT_SIZE], detail[1024];

	(void)unused;
	clock_text(record_number(row, "at"), when);
	printable(record_text(row, "detail"), detail, sizeof(detail));
	TABLE_ROW(&out, {when, 20}, {record_text(row, "event"), 20}, {record_text(row, "host"), 0});
	add_who(&out, row);
	if (record_has(row, "code"))
		paragraph_add(&out, "    refused: ", record_text(row, "code"));
	if (detail[0] != '\0')
		paragraph_add(&out, "    ", detail);
	add_serials(&out, row);
	if (record_has(row, "policy_version"))
		buf_fmt(&rules, "policy %.12s, trust set %.12s", record_text(row, "policy_version"),
			record_text(row, "trust_version"));
	if (rules.n > 0)
		paragraph_add(&out, "    ", buf_text(&rules));
	return paragraph_put(&out);
}

int command_audit(int argc, char **argv)
{
	AUTO(look_free) struct look look = LOOK;
	int code =
		look_options(argc, argv, audit_usage, "/v1/admin/audit", "HdSeEcwAqabnfj", &look);

	if (code >= 0)
		return code;
	if (optind != argc)
		return command_misused(audit_usage);
	return look_list(&look, &audit_shape, print_row, NULL, "the audit has nothing of that");
}

static enum err print_number(void *unused, const struct record *row)
{
	AUTO(buf_free) struct buf out = BUF(4096);
	char name[64];

	(void)unused;
	printable(record_text(row, "name"), name, sizeof(name));
	buf_fmt(&out, "%-30s %-24s %12lld%s\n", record_text(row, "what"), name,
		(long long)record_number(row, "n"), record_flag(row, "about") ? " about" : "");
	return paragraph_put(&out);
}

static enum err print_template(void *unused, const struct record *row)
{
	AUTO(buf_free) struct buf out = BUF(4096);

	(void)unused;
	buf_fmt(&out, "%-20s version %-6lld %-9s key %-9s %lld days\n", record_text(row, "name"),
		(long long)record_number(row, "version"), record_text(row, "kind"),
		record_text(row, "key"), (long long)record_number(row, "lifetime") / DAY);
	return paragraph_put(&out);
}

/* What is answered whole: there are no pages, and no parameters. */
static int tell_all(int argc, char **argv, const char *usage, const char *path,
	const struct record_shape *shape, enum err (*print)(void *unused, const struct record *row))
{
	AUTO(look_free) struct look look = LOOK;
	AUTO(buf_free) struct buf json = BUF(LIMIT_LIST_ANSWER);
	AUTO(record_list_free) struct record_list list = {0};
	struct problem problem = {0};
	int code = look_options(argc, argv, usage, path, "j", &look);
	enum err err;

	if (code >= 0)
		return code;
	if (optind != argc)
		return command_misused(usage);
	err = admin_get(&look.server, path, &json, &problem);
	if (err == OK)
		err = record_list_parse(buf_view(&json), shape, &list);
	for (size_t i = 0; err == OK && i < list.n; i++)
		err = look.form == PRINT_JSON ? look_print_json(list.items[i])
					      : print(NULL, list.items[i]);
	return command_ended(err, &problem);
}

int command_statistics(int argc, char **argv)
{
	return tell_all(argc, argv, statistics_usage, "/v1/admin/statistics", &statistics_shape,
		print_number);
}

int command_template_list(int argc, char **argv)
{
	return tell_all(argc, argv, templates_usage, "/v1/admin/templates", &templates_shape,
		print_template);
}
