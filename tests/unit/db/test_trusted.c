#include "ca/base/clock.h"
#include "ca/base/crypt.h"
#include "database.h"
#include "db/trusted.h"

#include <stdlib.h>
#include <string.h>

#define NOW 1800000000

static const struct act admin = {.who = "alice",
	.from = "2001:db8::7",
	.reason = "cabinet of november",
	.request_id = "r-9",
	.now = NOW};

static struct trusted item(const char *role, const uint8_t *der, size_t n)
{
	struct trusted one = {.role = role,
		.der = {der, n},
		.manufacturers = "id:49465800,id:53544D20",
		.source = "TrustedTpm.cab",
		.path = "Infineon/RootCA/a.der"};

	assert_int_equal(OK, sha256(&one.der, 1, one.sha256));
	return one;
}

static size_t import(struct db *db, const struct trusted *items, size_t n)
{
	size_t added = 99;

	if (trusted_import(db, items, n, &admin, &added) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
	return added;
}

static int64_t revision(struct db *db)
{
	int64_t out = -1;

	assert_int_equal(OK, trusted_revision(db, &out));
	return out;
}

static void what_was_imported_is_read_as_it_was_given_in_its_order(void **state)
{
	AUTO(trusted_rows_free) struct trusted_rows rows = {.n = 0};
	struct trusted items[] = {item("root", (const uint8_t *)"r", 1),
		item("intermediate", (const uint8_t *)"\0i", 2),
		item("crl", (const uint8_t *)"crl", 3)};

	assert_int_equal(0, revision(*state));
	assert_int_equal(OK, trusted_read(*state, &rows));
	assert_true(rows.n == 0 && rows.revision == 0);
	items[1].manufacturers = "";
	items[1].path = NULL;
	assert_int_equal(3, import(*state, items, 3));
	assert_int_equal(OK, trusted_read(*state, &rows));
	assert_true(rows.n == 3 && rows.revision == 1);
	for (size_t i = 0; i < 3; i++) {
		const struct trusted_row *row = &rows.items[i];

		assert_memory_equal(items[i].sha256, row->item.sha256, DIGEST_SIZE);
		assert_string_equal(items[i].role, row->item.role);
		assert_true(view_equal(items[i].der, row->item.der));
		assert_string_equal(items[i].manufacturers, row->item.manufacturers);
		assert_string_equal("TrustedTpm.cab", row->item.source);
		assert_string_equal(i == 1 ? "" : "Infineon/RootCA/a.der", row->item.path);
		assert_int_equal(NOW, row->imported_at);
		assert_string_equal("alice", row->imported_by);
		assert_string_equal("cabinet of november", row->why);
	}
	assert_int_equal(
		3, database_count("SELECT count(*) FROM audit WHERE event = 'trust.imported'"
				  " AND who = 'alice' AND client_address = '2001:db8::7'"
				  " AND request_id = 'r-9'"));
	assert_int_equal(1, database_count("SELECT count(*) FROM audit WHERE detail ="
					   " encode(sha256('r'), 'hex')"
					   " || ' root of TrustedTpm.cab: cabinet of november'"));
}

static void what_is_there_is_left_as_it_is_and_is_no_change(void **state)
{
	struct trusted items[] = {item("root", (const uint8_t *)"a", 1),
		item("root", (const uint8_t *)"b", 1), item("root", (const uint8_t *)"b", 1)};

	assert_int_equal(1, import(*state, items, 1));
	items[0].source = "other";
	assert_int_equal(0, import(*state, items, 1));
	assert_int_equal(0, import(*state, items, 0));
	assert_int_equal(1, revision(*state));
	assert_int_equal(1, import(*state, items, 3));
	assert_int_equal(2, revision(*state));
	assert_int_equal(2, database_count("SELECT count(*) FROM audit"));
	assert_int_equal(0, database_count("SELECT count(*) FROM trusted WHERE source = 'other'"));
}

static void an_item_that_is_not_what_its_digest_says_keeps_all_out(void **state)
{
	struct trusted items[] = {
		item("root", (const uint8_t *)"a", 1), item("root", (const uint8_t *)"b", 1)};
	size_t added = 0;

	items[1].sha256[0] ^= 1;
	assert_int_equal(ERR_INTERNAL, trusted_import(*state, items, 2, &admin, &added));
	assert_int_equal(0, database_count("SELECT count(*) FROM trusted"));
	assert_int_equal(0, revision(*state));
}

static void what_is_removed_is_gone_with_who_and_why(void **state)
{
	const struct trusted one = item("root", (const uint8_t *)"a", 1);

	assert_int_equal(ERR_NOT_FOUND, trusted_remove(*state, one.sha256, &admin));
	assert_string_equal("certificate-unknown", why()->code);
	assert_int_equal(0, revision(*state));
	assert_int_equal(1, import(*state, &one, 1));
	assert_int_equal(OK, trusted_remove(*state, one.sha256, &admin));
	assert_int_equal(2, revision(*state));
	assert_int_equal(0, database_count("SELECT count(*) FROM trusted"));
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit WHERE event = 'trust.removed'"
				  " AND who = 'alice' AND client_address = '2001:db8::7'"
				  " AND request_id = 'r-9' AND detail = encode(sha256('a'), 'hex')"
				  " || ' root of TrustedTpm.cab: cabinet of november'"));
}

struct importer {
	struct db *db;
	struct trusted items[8];
	size_t added;
	enum err err;
};

static void *import_once(void *of_importer)
{
	struct importer *importer = of_importer;

	importer->err = trusted_import(
		importer->db, importer->items, COUNT(importer->items), &admin, &importer->added);
	return NULL;
}

/* In opposite orders, so that they would wait for each other. */
static void two_imports_at_once_add_each_item_once_and_raise_the_revision_in_turn(void **state)
{
	static const uint8_t der[] = "abcdefgh";

	for (unsigned round = 0; round < 10; round++) {
		struct importer importers[4];
		void *arguments[4];
		size_t added = 0;

		database_do("TRUNCATE trusted; UPDATE trust_state SET revision = 0");
		for (size_t i = 0; i < 4; i++) {
			importers[i] = (struct importer){.db = *state};
			for (size_t k = 0; k < 8; k++)
				importers[i].items[k] =
					item("root", &der[i % 2 == 0 ? k : 7 - k], 1);
			arguments[i] = &importers[i];
		}
		at_once(4, import_once, arguments);
		for (size_t i = 0; i < 4; i++) {
			assert_int_equal(OK, importers[i].err);
			added += importers[i].added;
		}
		assert_int_equal(8, added);
		assert_int_equal(1, revision(*state));
	}
}

#define MANY 3000
#define EACH 1400

static void three_thousand_certificates_come_in_one_transaction(void **state)
{
	AUTO(trusted_rows_free) struct trusted_rows rows = {.n = 0};
	AUTO(mem_free) struct trusted *items = calloc(MANY, sizeof(*items));
	AUTO(mem_free) uint8_t *der = malloc((size_t)MANY * EACH);
	int64_t begin;

	assert_true(items != NULL && der != NULL);
	assert_int_equal(OK, random_bytes(der, (size_t)MANY * EACH));
	for (size_t i = 0; i < MANY; i++)
		items[i] = item("intermediate", der + i * EACH, EACH);
	begin = clock_ms();
	assert_int_equal(MANY, import(*state, items, MANY));
	print_message("3,000 certificates: %lld ms to import", (long long)(clock_ms() - begin));
	begin = clock_ms();
	assert_int_equal(OK, trusted_read(*state, &rows));
	print_message(", %lld ms to read\n", (long long)(clock_ms() - begin));
	assert_int_equal(MANY, rows.n);
	assert_int_equal(1, revision(*state));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_imported_is_read_as_it_was_given_in_its_order),
		TEST(what_is_there_is_left_as_it_is_and_is_no_change),
		TEST(an_item_that_is_not_what_its_digest_says_keeps_all_out),
		TEST(what_is_removed_is_gone_with_who_and_why),
		TEST(two_imports_at_once_add_each_item_once_and_raise_the_revision_in_turn),
		TEST(three_thousand_certificates_come_in_one_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
