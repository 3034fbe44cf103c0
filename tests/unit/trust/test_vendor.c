#include "enroll/trust/vendor.h"

#include "ca/base/file.h"
#include "ca/base/mem.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "name: Acme\nmanufacturers: [\"id:41434D45\", \"id:41434d46\"]\nuse: [ek]\n"
#define VENDOR                                                                                     \
	HEAD "names: [Acme Corp., Acme TPM Root]\n"                                                \
	     "firmware:\n"                                                                         \
	     "  - {from: \"id:00050000\", to: \"id:0005003d\", reference: CVE-2017-15361}\n"       \
	     "  - {from: \"id:0728\", to: \"id:07FF\", reference: CVE-2019-16863, note: slow}\n"   \
	     "notes: [one, two]\n"                                                                 \
	     "anchors:\n"                                                                          \
	     "  - {file: old.pem, manufacturers: [\"id:4F4C4400\"], note: renamed}\n"

/* Loads the text as vendor.yaml of a directory that has an old.pem, and a directory.pem. */
static enum err load(
	const char *text, char path[static 128], struct problems *problems, struct vendor **out)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	char inner[128];
	enum err err;

	snprintf(path, 128, "%s/vendor.yaml", dir);
	snprintf(inner, sizeof(inner), "%s/directory.pem", dir);
	scratch_put(dir, "vendor.yaml", view_str(text));
	scratch_put(dir, "old.pem", view_str("an anchor\n"));
	assert_int_equal(0, mkdir(inner, 0700));
	problems_init(problems);
	err = vendor_load(path, problems, out);
	assert_int_equal(0, rmdir(inner));
	return err;
}

static struct vendor *loaded(const char *text)
{
	AUTO(problems_free) struct problems problems;
	struct vendor *vendor = NULL;
	char path[128];

	if (load(text, path, &problems, &vendor) != OK)
		fail_msg("%s", buf_text(&problems.text));
	assert_int_equal(0, problems.n);
	return vendor;
}

/* The text is refused with exactly these lines, each without the file's name in front. */
static void assert_problems(const char *text, const char *wanted)
{
	AUTO(problems_free) struct problems problems;
	AUTO(buf_free) struct buf found = BUF(1 << 16);
	struct vendor *vendor = NULL;
	char path[128];

	assert_refused(load(text, path, &problems, &vendor), ERR_MALFORMED, "yaml");
	assert_null(vendor);
	for (const char *line = buf_text(&problems.text); *line != '\0';) {
		size_t n = strcspn(line, "\n") + 1;

		assert_memory_equal(path, line, strlen(path));
		buf_add(&found, (struct view){(const uint8_t *)line + strlen(path) + 1,
					n - strlen(path) - 1});
		line += n;
	}
	assert_string_equal(wanted, buf_text(&found));
}

static void a_vendor_is_read_whole(void **state)
{
	AUTO(vendor_free) struct vendor *vendor = loaded(VENDOR);
	const struct vendor_firmware *firmware = vendor->firmware.item;
	const struct vendor_anchor *anchor = vendor->anchors.item;

	(void)state;
	assert_string_equal("Acme", vendor->name);
	assert_int_equal(2, vendor->manufacturers.n);
	assert_int_equal(1, vendor->use.n);
	assert_int_equal(2, vendor->names.n);
	assert_int_equal(2, vendor->notes.n);
	assert_int_equal(2, vendor->firmware.n);
	assert_string_equal("id:00050000", firmware[0].from);
	assert_string_equal("id:0005003d", firmware[0].to);
	assert_string_equal("CVE-2017-15361", firmware[0].reference);
	assert_null(firmware[0].note);
	assert_string_equal("slow", firmware[1].note);
	assert_int_equal(1, vendor->anchors.n);
	assert_string_equal("old.pem", anchor->file);
	assert_string_equal("renamed", anchor->note);
}

static void what_may_be_left_out_is_empty(void **state)
{
	AUTO(vendor_free) struct vendor *vendor = loaded(HEAD);

	(void)state;
	assert_int_equal(0, vendor->names.n);
	assert_int_equal(0, vendor->firmware.n);
	assert_int_equal(0, vendor->notes.n);
	assert_int_equal(0, vendor->anchors.n);
	assert_null(vendor_firmware_find(vendor, "id:00050000"));
	assert_false(vendor_has_name(vendor, "Acme"));
}

static void both_ways_to_write_a_version_are_one(void **state)
{
	static const struct {
		const char *version, *reference;
	} rows[] = {
		{"id:00050000", "CVE-2017-15361"},
		{"id:0005003D", "CVE-2017-15361"},
		{"id:0500", "CVE-2017-15361"},
		{"id:053d", "CVE-2017-15361"},
		{"id:00070028", "CVE-2019-16863"},
		{"id:000700ff", "CVE-2019-16863"},
		{"id:0728", "CVE-2019-16863"},
		{"id:0004ffff", NULL},
		{"id:0005003e", NULL},
		{"id:053E", NULL},
		{"id:05000000", NULL},
		{"id:00070100", NULL},
		{"id:0727", NULL},
		{"id:0800", NULL},
	};
	AUTO(vendor_free) struct vendor *vendor = loaded(VENDOR);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct vendor_firmware *found = vendor_firmware_find(vendor, rows[i].version);

		if (rows[i].reference == NULL)
			assert_null(found);
		else
			assert_string_equal(rows[i].reference, found->reference);
	}
}

static void of_what_is_no_version_nothing_is_known(void **state)
{
	static const char *const versions[] = {NULL, "", "id:", "id:5", "id:050", "id:05000",
		"id:000500000", "00050000", "0500", "ID:0500", "id:05 0", "id:0x05", "id:050g",
		"id:0005000g", "id:0500 ", "5.0"};
	AUTO(vendor_free) struct vendor *vendor = loaded(VENDOR);

	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++)
		assert_null(vendor_firmware_find(vendor, versions[i]));
}

static void anchors_vouch_for_their_own_and_no_others(void **state)
{
	static const struct {
		const char *anchor, *manufacturer;
		bool vouches;
	} rows[] = {
		{"new.pem", "id:41434D45", true},
		{"new.pem", "id:41434D46", true},
		{"/some/where/new.pem", "id:41434d45", true},
		{NULL, "id:41434d45", true},
		{"new.pem", "id:4F4C4400", false},
		{"new.pem", "id:41434D", false},
		{"new.pem", "id:41434D4500", false},
		{"new.pem", "", false},
		{"old.pem", "id:4F4C4400", true},
		{"/some/where/old.pem", "id:4f4c4400", true},
		{"old.pem", "id:41434D45", false},
		{"older.pem", "id:4F4C4400", false},
	};
	AUTO(vendor_free) struct vendor *vendor = loaded(VENDOR);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(rows[i].vouches,
			vendor_vouches_for(vendor, rows[i].anchor, rows[i].manufacturer));
	assert_int_equal(2, vendor_manufacturers(vendor, "new.pem")->n);
	assert_int_equal(1, vendor_manufacturers(vendor, "old.pem")->n);
	assert_int_equal(2, vendor_manufacturers(vendor, NULL)->n);
}

static void a_name_is_the_whole_name(void **state)
{
	AUTO(vendor_free) struct vendor *vendor = loaded(VENDOR);

	(void)state;
	assert_true(vendor_has_name(vendor, "Acme Corp."));
	assert_true(vendor_has_name(vendor, "ACME CORP."));
	assert_true(vendor_has_name(vendor, "Acme TPM Root"));
	assert_false(vendor_has_name(vendor, "Acme"));
	assert_false(vendor_has_name(vendor, "Acme Corp"));
	assert_false(vendor_has_name(vendor, "Acme TPM Root CA"));
	assert_false(vendor_has_name(vendor, ""));
}

#define FIRMWARE(from, to) HEAD "firmware: [{from: '" from "', to: '" to "', reference: X}]\n"
#define ANCHOR(file, id) HEAD "anchors: [{file: '" file "', manufacturers: ['" id "']}]\n"
#define MANUFACTURER(id) "name: A\nmanufacturers: ['" id "']\nuse: [ek]\n"
#define NO_ID(id) "the manufacturer is \"" id "\": wanted \"id:\" and eight hexadecimal digits\n"
#define NO_VERSION(v)                                                                              \
	"4:12: the version is \"" v "\": wanted \"id:\" and four or eight hexadecimal digits\n"

static void each_bad_value_is_told_by_its_place(void **state)
{
	static const struct {
		const char *text, *problem;
	} rows[] = {
		{HEAD "colour: red\n", "4:1: unknown key \"colour\"\n"},
		{HEAD "use: [ek]\n", "4:1: the key \"use\" is there twice\n"},
		{"name: A\nuse: [ek]\n", "1:1: the key \"manufacturers\" is missing\n"},
		{"manufacturers: ['id:00000000']\nuse: [ek]\n",
			"1:1: the key \"name\" is missing\n"},
		{"name: A\nmanufacturers: ['id:00000000']\n", "1:1: the key \"use\" is missing\n"},
		{"name: A\nmanufacturers: []\nuse: [ek]\n",
			"2:16: \"manufacturers\" has 0 entries: wanted 1 to 32\n"},
		{"name: A\nmanufacturers: ['id:00000000']\nuse: [aik]\n",
			"3:7: \"use\" is \"aik\": wanted one of ek\n"},
		{MANUFACTURER("49465800"), "1:1: " NO_ID("49465800")},
		{MANUFACTURER("id:4946580"), "1:1: " NO_ID("id:4946580")},
		{MANUFACTURER("id:494658000"), "1:1: " NO_ID("id:494658000")},
		{MANUFACTURER("id:4946580g"), "1:1: " NO_ID("id:4946580g")},
		{MANUFACTURER("IFX"), "1:1: " NO_ID("IFX")},
		{MANUFACTURER("id:0000000A', 'id:0000000a"),
			"1:1: the manufacturer \"id:0000000a\" is there twice\n"},
		{FIRMWARE("id:0005003e", "id:0005003d"),
			"4:12: from \"id:0005003e\" is after to \"id:0005003d\"\n"},
		{FIRMWARE("id:0600", "id:00050000"),
			"4:12: from \"id:0600\" is after to \"id:00050000\"\n"},
		{FIRMWARE("5.0", "id:0005003d"), NO_VERSION("5.0")},
		{FIRMWARE("id:0500", "id:05003d"), NO_VERSION("id:05003d")},
		{HEAD "firmware: [{from: 'id:0000', to: 'id:0000'}]\n",
			"4:12: the key \"reference\" is missing\n"},
		{HEAD "firmware: [{from: 'id:0000', to: 'id:0000', reference: X, cvss: 9}]\n",
			"4:59: unknown key \"cvss\"\n"},
		{ANCHOR("none.pem", "id:00000000"),
			"4:11: there is no anchor \"none.pem\" in this directory\n"},
		{ANCHOR("directory.pem", "id:00000000"),
			"4:11: there is no anchor \"directory.pem\" in this directory\n"},
		{ANCHOR("../old.pem", "id:00000000"),
			"4:11: the anchor is \"../old.pem\": wanted the name of a file in this "
			"directory\n"},
		{ANCHOR("old.pem", "id:"), "4:11: " NO_ID("id:")},
		{HEAD "anchors:\n- {file: old.pem, manufacturers: ['id:00000000']}\n"
		      "- {file: old.pem, manufacturers: ['id:00000001']}\n",
			"6:3: a second anchor \"old.pem\"\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_problems(rows[i].text, rows[i].problem);
}

static void a_file_that_is_not_there_is_told(void **state)
{
	AUTO(problems_free) struct problems problems;
	struct vendor *vendor = NULL;

	(void)state;
	problems_init(&problems);
	assert_refused(vendor_load("/nonexistent/vendor.yaml", &problems, &vendor), ERR_NOT_FOUND,
		"file-missing");
	assert_int_equal(1, problems.n);
	assert_null(vendor);
}

/* The vendor of the bundle that lies in this directory of it. */
static struct vendor *bundled(const char *directory)
{
	AUTO(problems_free) struct problems problems;
	struct vendor *vendor = NULL;
	char path[512];

	snprintf(
		path, sizeof(path), ENDORSE_SOURCE_DIR "/policy/vendors/%s/vendor.yaml", directory);
	problems_init(&problems);
	if (vendor_load(path, &problems, &vendor) != OK)
		fail_msg("%s", buf_text(&problems.text));
	return vendor;
}

static void every_vendor_of_the_bundle_is_good(void **state)
{
	DIR *bundle = opendir(ENDORSE_SOURCE_DIR "/policy/vendors");
	const struct dirent *entry;
	size_t n = 0;

	(void)state;
	assert_non_null(bundle);
	while ((entry = readdir(bundle)) != NULL) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		AUTO(vendor_free) struct vendor *vendor = bundled(entry->d_name);
		assert_true(vendor->names.n > 0);
		n++;
	}
	closedir(bundle);
	assert_true(n >= 8);
}

/* Versions of real EK certificates, as they write them. */
static void known_bad_firmware_of_the_bundle_is_found(void **state)
{
	static const struct {
		const char *vendor, *version, *reference;
	} rows[] = {
		{"infineon", "id:0528", "CVE-2017-15361"},
		{"infineon", "id:0728", "CVE-2017-15361"},
		{"infineon", "id:0429", "CVE-2017-15361"},
		{"infineon", "id:8520", "CVE-2017-15361"},
		{"infineon", "id:0422", NULL},
		{"infineon", "id:053E", NULL},
		{"infineon", "id:073f", NULL},
		{"infineon", "id:8521", NULL},
		{"stmicro", "id:0047000C", "CVE-2019-16863"},
		{"stmicro", "id:004A0010", "CVE-2019-16863"},
		{"stmicro", "id:00470010", NULL},
		{"stmicro", "id:00010102", NULL},
		{"nuvoton", "id:00070002", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(vendor_free) struct vendor *vendor = bundled(rows[i].vendor);
		const struct vendor_firmware *found = vendor_firmware_find(vendor, rows[i].version);

		if (rows[i].reference == NULL)
			assert_null(found);
		else
			assert_string_equal(rows[i].reference, found->reference);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vendor_is_read_whole),
		cmocka_unit_test(what_may_be_left_out_is_empty),
		cmocka_unit_test(both_ways_to_write_a_version_are_one),
		cmocka_unit_test(of_what_is_no_version_nothing_is_known),
		cmocka_unit_test(anchors_vouch_for_their_own_and_no_others),
		cmocka_unit_test(a_name_is_the_whole_name),
		cmocka_unit_test(each_bad_value_is_told_by_its_place),
		cmocka_unit_test(a_file_that_is_not_there_is_told),
		cmocka_unit_test(every_vendor_of_the_bundle_is_good),
		cmocka_unit_test(known_bad_firmware_of_the_bundle_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
