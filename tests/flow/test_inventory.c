/* test_inventory.c - what an operator and an auditor find: devices, names, certificates, audit; labels; a board swap. */
#include "tests/flow/cluster.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "enroll/tpm/public.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES 5

static struct world world;
static struct soft_device devices[DEVICES + 1]; /* the last one has not enrolled at first */
static char *admin, *token_file;

static void enroll_as(const struct soft_device *device, int status, const char *code)
{
	AUTO(soft_outcome_free) struct soft_outcome outcome;

	soft_enroll(device, &world.services[0].peer, world.name, &outcome);
	if (outcome.status != status || (code != NULL && strcmp(outcome.code, code) != 0))
		fail_msg("%d %s, wanted %d: %s", outcome.status, outcome.code, status,
			outcome.detail);
}

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.services = 1}, &world);
	admin = text("http://127.0.0.1:%d", world.services[0].admin_port);
	token_file = text("%s/admin.token", world.dir);
	for (size_t i = 0; i <= DEVICES; i++) {
		AUTO(mem_free)
		char *host = text("web-%zu.example.test", i < DEVICES ? i : (size_t)0);

		soft_device_make(&(struct soft_plan){.ek = SOFT_L2,
					 .ak = SOFT_P256,
					 .service = world.name,
					 .host = host},
			&world.maker, &devices[i]);
		if (i < DEVICES)
			enroll_as(&devices[i], 200, NULL);
	}
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	for (size_t i = 0; i <= DEVICES; i++)
		soft_device_free(&devices[i]);
	free(admin);
	free(token_file);
	world_free(&world);
	return 0;
}

#define CTL(output, ...)                                                                           \
	world_run(&world, output, "endorsectl", ##__VA_ARGS__, "--admin", admin, "--token-file",   \
		token_file, NULL)

static size_t count(const struct buf *buf, const char *what)
{
	size_t n = 0;

	for (const char *at = buf_text(buf); (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

/* Every line of it fits a terminal. */
static void wants(const struct output *output, int code, const char *what)
{
	if (output->code != code || (strstr(buf_text(&output->out), what) == NULL &&
					    strstr(buf_text(&output->err), what) == NULL))
		fail_msg("exit %d, wanted %d and \"%s\":\n%s%s", output->code, code, what,
			buf_text(&output->out), buf_text(&output->err));
	for (const char *line = buf_text(&output->out); *line != '\0' && *line != '{';
		line += strcspn(line, "\n") + (strchr(line, '\n') != NULL))
		if (strcspn(line, "\n") > 100)
			fail_msg("a line of more than 100 columns:\n%s", line);
}

/* One value of the records; for free(). */
static char *record(const char *sql)
{
	return sql_text(world.conninfo, "%s", sql);
}

static void a_device_is_listed_page_after_page_and_shown(void **state)
{
	AUTO(output_free) struct output all, first, rest, json, shown;
	AUTO(mem_free)
	char *id = record("SELECT replace(device_id::text, '-', '') FROM host"
			  " WHERE name = 'web-3.example.test'");
	AUTO(mem_free) char *after = NULL;
	const char *cursor;

	(void)state;
	CTL(&all, "device", "list");
	wants(&all, 0, "web-3.example.test\n");
	assert_int_equal(count(&all.out, "  active "), DEVICES);
	assert_null(strstr(buf_text(&all.out), "--after"));
	CTL(&first, "device", "list", "--limit", "2");
	wants(&first, 0, "there are more: the same again with\n");
	assert_int_equal(count(&first.out, "  active "), 2);
	cursor = strstr(buf_text(&first.out), "--after ") + strlen("--after ");
	after = text("%.*s", (int)strcspn(cursor, "\n"), cursor);
	CTL(&rest, "device", "list", "--limit", "2", "--after", after, "--json");
	assert_int_equal(count(&rest.out, "{\"device_id\":"), 2);
	assert_int_equal(count(&rest.out, "{\"next\":\""), 1);
	CTL(&json, "device", "list", "--json", "--host", "*-3.example.test");
	assert_int_equal(count(&json.out, "\n"), 1);
	assert_non_null(strstr(buf_text(&json.out), id));
	CTL(&shown, "device", "show", "--host", "web-3.example.test");
	wants(&shown, 0, "web-3.example.test since 20");
	wants(&shown, 0, "1 in force, 0 revoked, 1 in all: endorsectl certificate list");
	wants(&shown, 0, id);
}

static void what_is_looked_for_is_found_and_nothing_else(void **state)
{
	AUTO(mem_free)
	char *ek = record("SELECT encode(ek_digest, 'hex') FROM ek JOIN host"
			  " USING (device_id) WHERE name = 'web-2.example.test'");
	AUTO(mem_free)
	char *serial = record("SELECT encode(serial, 'hex') FROM certificate"
			      " WHERE host = 'web-2.example.test'");
	AUTO(mem_free) char *maker = record("SELECT manufacturer FROM device LIMIT 1");
	const struct {
		const char *option, *value;
		size_t rows;
	} rows[] = {
		{"--ek-digest", ek, 1},
		{"--serial", serial, 1},
		{"--manufacturer", maker, DEVICES},
		{"--manufacturer", "id:00000000", 0},
		{"--state", "active", DEVICES},
		{"--state", "held", 0},
		{"--host", "web-*", DEVICES},
		{"--host", "*.test", DEVICES},
		{"--host", "' OR '1'='1", 0},
		{"--label", "rack=7", 0},
		{"--machine", "SN1", 0},
		{"--since", "1h", DEVICES},
		{"--until", "2020-01-01", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output output;

		CTL(&output, "device", "list", "--json", rows[i].option, rows[i].value);
		if (output.code != 0 || count(&output.out, "{\"device_id\":") != rows[i].rows)
			fail_msg("%s %s: exit %d, wanted %zu:\n%s%s", rows[i].option, rows[i].value,
				output.code, rows[i].rows, buf_text(&output.out),
				buf_text(&output.err));
	}
}

static void what_cannot_be_asked_is_told(void **state)
{
	static const struct {
		const char *words[4];
		int code;
		const char *told;
	} rows[] = {
		{{"device", "list", "--state", "odd"}, 5, "query-value"},
		{{"device", "list", "--ek-digest", "12"}, 5, "query-value"},
		{{"device", "list", "--after", "h-web"}, 5, "query-value"},
		{{"device", "list", "--since", "soon"}, 2, "is no time such as"},
		{{"device", "list", "--limit", "0"}, 2, "is not 1 to"},
		{{"device", "list", "--who", "x"}, 2, "usage: endorsectl device list"},
		{{"device", "show", "--host", "web-9.example.test"}, 5, "device-unknown"},
		{{"device", "show", "--host", "web-*"}, 5, "query-value"},
		{{"device", "show", "--ssh-serial", "0x1"}, 2, "decimal number that sshd logs"},
		{{"device", "show", "web-9.example.test", "--json"}, 5, "device-unknown"},
		{{"certificate", "show", "--ssh-serial", "1"}, 5, "certificate-unknown"},
		{{"certificate", "list", "--kind", "odd"}, 5, "query-value"},
		{{"certificate", "list", "--shard", "-1"}, 5, "query-value"},
		{{"certificate", "show", "--sha256", "12"}, 5, "query-value"},
		{{"audit", "--serial", "123", "--json"}, 5, "query-value"},
		{{"export", "devices", "--format", "xml"}, 2, "usage: endorsectl export"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output output;

		CTL(&output, rows[i].words[0], rows[i].words[1], rows[i].words[2],
			rows[i].words[3]);
		wants(&output, rows[i].code, rows[i].told);
	}
}

static void a_certificate_is_found_shown_and_downloaded_with_its_chain(void **state)
{
	AUTO(mem_free)
	char *serial = record("SELECT encode(serial, 'hex') FROM certificate"
			      " WHERE host = 'web-1.example.test'");
	AUTO(mem_free) char *file = text("%s/one.pem", world.dir);
	AUTO(mem_free) char *root = text("%s/root.pem", world.ca);
	AUTO(output_free) struct output list, shown, unknown, loaded, chained;

	(void)state;
	CTL(&list, "certificate", "list", "--host", "web-1*");
	wants(&list, 0, serial);
	wants(&list, 0, "  valid  ");
	assert_int_equal(count(&list.out, "\n"), 2);
	CTL(&shown, "certificate", "show", serial);
	wants(&shown, 0, " is valid\n");
	wants(&shown, 0, "by the rules");
	CTL(&unknown, "certificate", "show", "00ff");
	wants(&unknown, 5, "certificate-unknown");
	CTL(&loaded, "certificate", "download", serial, "--out", file, "--chain");
	assert_int_equal(loaded.code, 0);
	MUST_RUN("openssl", "verify", "-CAfile", root, "-untrusted", file, file);
	CTL(&chained, "certificate", "download", serial);
	assert_int_equal(count(&chained.out, "BEGIN CERTIFICATE"), 1);
}

static void labels_are_changed_and_found(void **state)
{
	AUTO(mem_free)
	char *id = record("SELECT replace(device_id::text, '-', '') FROM host"
			  " WHERE name = 'web-4.example.test'");
	AUTO(output_free) struct output set, found, removed, nothing, why_less, odd;

	(void)state;
	CTL(&set, "device", "labels", id, "--set", "rack=7", "--set", "site=fra", "--why", "moved");
	wants(&set, 0, "has now: rack=7;site=fra\n");
	CTL(&found, "device", "list", "--label", "rack=7");
	wants(&found, 0, "web-4.example.test\n");
	CTL(&removed, "device", "labels", id, "--remove", "rack", "--why", "moved");
	wants(&removed, 0, "has now: site=fra\n");
	CTL(&nothing, "device", "list", "--label", "rack");
	wants(&nothing, 0, "no such device is known\n");
	CTL(&why_less, "device", "labels", id, "--remove", "rack");
	wants(&why_less, 2, "--why is missing");
	CTL(&odd, "device", "labels", id, "--set", "a b=7", "--why", "w");
	wants(&odd, 1, "labels");
}

static void after_a_board_swap_the_name_goes_on_with_the_new_tpm(void **state)
{
	uint8_t digest[SHA256_SIZE];
	AUTO(output_free) struct output hosts, rebound, again, audit, old;
	char ek[2 * SHA256_SIZE + 1];

	(void)state;
	enroll_as(&devices[DEVICES], 409, "host-bound-to-another-device");
	assert_int_equal(spki_sha256(devices[DEVICES].ek.pkey, digest), OK);
	hex_write(VIEW(digest), ek);
	CTL(&rebound, "host", "rebind", "web-0.example.test", "--ek-digest", ek, "--why",
		"ticket 4711");
	wants(&rebound, 0, "1 certificate of it for that name is revoked as superseded\n");
	enroll_as(&devices[0], 403, "host-registered-for-another-ek");
	enroll_as(&devices[DEVICES], 200, NULL);
	CTL(&hosts, "host", "list", "--host", "web-0.example.test");
	wants(&hosts, 0, "web-0.example.test\n");
	CTL(&again, "host", "rebind", "web-0.example.test", "--ek-digest", ek, "--why", "again");
	wants(&again, 5, "rebind-same-device");
	CTL(&audit, "audit", "--host", "web-0.example.test");
	wants(&audit, 0, "host.rebound");
	wants(&audit, 0, "    by admin-token from 127.0.0.1, device ");
	wants(&audit, 0, "    ticket 4711\n");
	wants(&audit, 0, "    refused: host-bound-to-another-device\n");
	wants(&audit, 0, "    policy ");
	CTL(&old, "certificate", "list", "--host", "web-0.example.test", "--state", "revoked");
	assert_int_equal(count(&old.out, "  revoked  "), 1);
}

static void all_is_exported_as_csv_and_as_json_lines(void **state)
{
	AUTO(mem_free) char *file = text("%s/devices.csv", world.dir);
	AUTO(mem_free) char *nowhere = text("%s/none/x.csv", world.dir);
	AUTO(buf_free) struct buf csv = BUF(1 << 16);
	AUTO(output_free) struct output written, lines, numbers, templates, failed;

	(void)state;
	CTL(&written, "export", "devices", "--out", file);
	wants(&written, 0, "6 devices in ");
	assert_int_equal(file_read(file, &csv), OK);
	assert_int_equal(count(&csv, "\n"), 7);
	assert_int_equal(strncmp(buf_text(&csv), "device_id,state,hosts,", 22), 0);
	assert_int_equal(count(&csv, ",web-3.example.test,"), 1);
	assert_int_equal(count(&csv, ",site=fra\n"), 1);
	CTL(&lines, "export", "certificates", "--format", "jsonl");
	assert_int_equal(count(&lines.out, "{\"serial\":\""), 6);
	assert_int_equal(lines.err.n, 0);
	CTL(&failed, "export", "devices", "--out", nowhere);
	wants(&failed, 1, "No such file");
	CTL(&numbers, "statistics");
	wants(&numbers, 0, "certificates.revoked");
	CTL(&templates, "template", "list");
	wants(&templates, 0, "ak ");
}

static int play(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_is_listed_page_after_page_and_shown),
		cmocka_unit_test(what_is_looked_for_is_found_and_nothing_else),
		cmocka_unit_test(what_cannot_be_asked_is_told),
		cmocka_unit_test(a_certificate_is_found_shown_and_downloaded_with_its_chain),
		cmocka_unit_test(labels_are_changed_and_found),
		cmocka_unit_test(after_a_board_swap_the_name_goes_on_with_the_new_tpm),
		cmocka_unit_test(all_is_exported_as_csv_and_as_json_lines),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}

int main(void)
{
	return supervise(play);
}
