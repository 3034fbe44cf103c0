#include "enroll/agent/recipe.h"

#include "enroll/agent/akfind.h"
#include "enroll/agent/parent.h"
#include "maker.h"

#include <string.h>

static void every_recipe_has_one_word_and_what_it_fills_in_fits(void **state)
{
	static const struct {
		const char *word;
		TPM2_ALG_ID type, scheme, hash;
	} rows[] = {
		{"p256", TPM2_ALG_ECC, TPM2_ALG_ECDSA, TPM2_ALG_SHA256},
		{"p384", TPM2_ALG_ECC, TPM2_ALG_ECDSA, TPM2_ALG_SHA384},
		{"rsa2048", TPM2_ALG_RSA, TPM2_ALG_RSASSA, TPM2_ALG_SHA256},
		{"rsa2048-pss", TPM2_ALG_RSA, TPM2_ALG_RSAPSS, TPM2_ALG_SHA256},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct ak_recipe *recipe = ak_recipe_find(rows[i].word);
		TPMT_PUBLIC area = {0};

		assert_non_null(recipe);
		assert_string_equal(rows[i].word, recipe->name);
		ak_recipe_fill(recipe, &area);
		assert_int_equal(rows[i].type, area.type);
		assert_int_equal(rows[i].hash, area.nameAlg);
		assert_int_equal(rows[i].scheme, area.parameters.asymDetail.scheme.scheme);
	}
	assert_ptr_equal(ak_recipe_find("p256"), ak_recipe_default);
	assert_ptr_equal(ak_recipe_find("p256"), ak_recipe_find("ecc256"));
	assert_ptr_equal(ak_recipe_find("p384"), ak_recipe_find("ecc384"));
	assert_null(ak_recipe_find("rsa"));
	assert_null(ak_recipe_find(""));
}

static void an_ak_tells_its_recipe(void **state)
{
	AUTO(device_ak_free) struct device_ak *ak = made_ak(SERVICE);

	(void)state;
	assert_ptr_equal(ak_recipe_default, ak_recipe_of(ak->judged));
	assert_string_equal("p256", ak_recipe_text(ak->judged));
}

static void hierarchies_and_parents_name_each_other(void **state)
{
	static const enum ak_hierarchy all[] = {AK_BELOW_OWNER, AK_BELOW_ENDORSEMENT, AK_BELOW_EK};
	enum ak_hierarchy found;

	(void)state;
	for (const struct ek_template *t = ek_templates; t->name != NULL; t++)
		for (size_t i = 0; i < COUNT(all); i++) {
			assert_true(parent_hierarchy(parent_handle(all[i], t), &found));
			assert_int_equal(all[i], found);
			assert_true(ak_hierarchy_read(ak_hierarchy_text(all[i]), &found));
			assert_int_equal(all[i], found);
		}
	assert_false(parent_hierarchy(0, &found));
	assert_false(parent_hierarchy(0x4000000c, &found)); /* the platform */
	assert_false(parent_hierarchy(0x81000001, &found));
	assert_false(ak_hierarchy_read("platform", &found));
}

static void handles_are_those_of_an_owner(void **state)
{
	static const char *const wrong[] = {"", "0x", "0x80ffffff", "0x81800000", "81000000",
		"0x81000000x", "-0x81000000", "0x181000000", "0x81000000 "};
	TPM2_HANDLE handle = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(ak_handle_read(wrong[i], &handle));
	assert_int_equal(7, handle);
	assert_true(ak_handle_read("0x81000000", &handle));
	assert_int_equal(0x81000000, handle);
	assert_true(ak_handle_read("0x817FFFFF", &handle));
	assert_int_equal(0x817fffff, handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_recipe_has_one_word_and_what_it_fills_in_fits),
		cmocka_unit_test(an_ak_tells_its_recipe),
		cmocka_unit_test(hierarchies_and_parents_name_each_other),
		cmocka_unit_test(handles_are_those_of_an_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
