#include "ca/grant.h"

#include "tests/unit/check.h"

static const uint8_t point[] = {4, 1, 2, 3}, other_point[] = {4, 1, 2, 4};

static const uint8_t ek_digest[32] = {1}, other_ek_digest[32] = {2};
static const struct grant_label labels[] = {{"rack", "7"}, {"room", "2"}},
				other_labels[] = {{"rack", "7"}, {"room", "3"}},
				shifted_labels[] = {{"rack", "7room"}, {"", "2"}};
static const struct grant_evidence evidence = {.name = VIEW(point), .attest = VIEW(point)},
				   other_key = {.name = VIEW(other_point), .attest = VIEW(point)},
				   said_again = {.name = VIEW(point),
					   .attest = VIEW(other_point),
					   .ak_location = "https://ca.example.org/"};

static const struct grant base = {.template = "ak",
	.template_version = 1,
	.key = {"prime256v1", VIEW(point)},
	.host = "web-01.example.org",
	.device_id = "0123456789abcdef0123456789abcdef",
	.trust_class = "manufacturer",
	.tpm_manufacturer = "id:00001014",
	.tpm_model = "swtpm",
	.tpm_version = "id:20191023",
	.organization = "Example",
	.ek_digest = ek_digest,
	.ek_serial = "01",
	.labels = labels,
	.labels_n = 2,
	.evidence = &evidence};

static void the_same_grant_has_the_same_digest(void **state)
{
	uint8_t a[SHA256_SIZE], b[SHA256_SIZE];
	char copy[] = "web-01.example.org";
	struct grant again = base;

	(void)state;
	again.host = copy;
	assert_ok(grant_digest(&base, a));
	assert_ok(grant_digest(&again, b));
	assert_memory_equal(a, b, sizeof(a));
}

static void each_member_counts(void **state)
{
	struct grant rows[] = {base, base, base, base, base, base, base, base, base, base, base,
		base, base, base, base, base, base, base, base, base};
	uint8_t digest[COUNT(rows)][SHA256_SIZE];

	(void)state;
	rows[1].template = "ak2";
	rows[2].template_version = 2;
	rows[3].key.curve = "secp384r1";
	rows[4].key.curve = NULL;
	rows[5].key.bits = VIEW(other_point);
	rows[6].host = "web-02.example.org";
	rows[7].device_id = "1123456789abcdef0123456789abcdef";
	rows[8].tpm_manufacturer = "id:494E5443";
	rows[9].tpm_model = NULL;
	rows[10].tpm_version = "id:20191024";
	rows[11].trust_class = "approved";
	rows[12].organization = NULL;
	rows[13].ek_digest = other_ek_digest;
	rows[14].ek_digest = NULL;
	rows[15].ek_serial = "02";
	rows[16].labels = other_labels;
	rows[17].labels_n = 1;
	rows[18].labels = shifted_labels;
	rows[19].evidence = &other_key;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_ok(grant_digest(&rows[i], digest[i]));
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(digest[i], digest[j], SHA256_SIZE);
	}
}

/* A repeated question gets the recorded certificate, although the AK says its word anew. */
static void what_is_another_each_time_does_not_count(void **state)
{
	uint8_t of_base[SHA256_SIZE], of_again[SHA256_SIZE];
	struct grant again = base;

	(void)state;
	again.evidence = &said_again;
	again.ssh_serial = 7;
	assert_ok(grant_digest(&base, of_base));
	assert_ok(grant_digest(&again, of_again));
	assert_memory_equal(of_base, of_again, sizeof(of_base));
}

/* What the database takes of labels, and the longest key. */
static void a_grant_with_all_the_labels_that_there_may_be_has_a_digest(void **state)
{
	static char value[130];
	struct grant_label many[32];
	static uint8_t key[600];
	struct grant grant = base;
	uint8_t digest[SHA256_SIZE];

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = (struct grant_label){"name", value};
	grant.labels = many;
	grant.labels_n = COUNT(many);
	grant.key.bits = VIEW(key);
	assert_ok(grant_digest(&grant, digest));
}

static void members_do_not_run_together(void **state)
{
	struct grant a = base, b = base;
	uint8_t of_a[SHA256_SIZE], of_b[SHA256_SIZE];

	(void)state;
	a.tpm_model = "ab";
	a.tpm_version = "c";
	b.tpm_model = "a";
	b.tpm_version = "bc";
	assert_ok(grant_digest(&a, of_a));
	assert_ok(grant_digest(&b, of_b));
	assert_memory_not_equal(of_a, of_b, SHA256_SIZE);
}

static void a_grant_beyond_all_limits_is_too_large(void **state)
{
	static uint8_t huge[1 << 14];
	struct grant grant = base;
	uint8_t digest[SHA256_SIZE];

	(void)state;
	grant.key.bits = VIEW(huge);
	assert_refused(grant_digest(&grant, digest), ERR_TOO_LARGE, "too-large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_grant_has_the_same_digest),
		cmocka_unit_test(each_member_counts),
		cmocka_unit_test(what_is_another_each_time_does_not_count),
		cmocka_unit_test(a_grant_with_all_the_labels_that_there_may_be_has_a_digest),
		cmocka_unit_test(members_do_not_run_together),
		cmocka_unit_test(a_grant_beyond_all_limits_is_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
