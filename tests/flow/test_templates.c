/* test_templates.c - EK templates in swtpm: what it makes of them, and the device tool with each. */
#include "tests/flow/device.h"
#include "tests/flow/supervise.h"
#include "tests/flow/tpmtool.h"
#include "tests/flow/verified.h"
#include "tests/flow/world.h"
#include "tests/softtpm/key.h"

#include "ca/base/ossl.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct world world;
static struct device tpms[2];

static int make(void **state)
{
	(void)state;
	world_make(
		&(struct world_plan){.chips = 2, .edge = true, .policy = world_any_name}, &world);
	for (size_t i = 0; i < COUNT(tpms); i++)
		device_open(&tpms[i], world.chips[i].tcti);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(tpms); i++)
		device_close(&tpms[i]);
	world_free(&world);
	return 0;
}

/* Before each test, for the sake of those that come after one that failed. */
static int tidy(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(tpms); i++)
		device_flush(&tpms[i]);
	return 0;
}

/* What swtpm says of a key of its own is what the tests' TPM makes of the same key. */
static void assert_same(const struct device_key *real, const TPMT_PUBLIC *area, const char *name)
{
	AUTO(pkey_free) EVP_PKEY *pkey = public_key(buf_view(&real->public));
	AUTO(soft_key_free) struct soft_key soft;
	AUTO(buf_free) struct buf bytes = BUF(1024);
	TPM2B_PUBLIC *public;
	TPM2B_NAME *real_name, *qualified;

	assert_true(soft_key_make(area, pkey, &soft));
	assert_true(soft_key_public(&soft, &bytes));
	if (!view_equal(buf_view(&bytes), buf_view(&real->public)))
		fail_msg("%s: another public area", name);
	assert_int_equal(0, Esys_ReadPublic(tpms[0].esys, real->handle, ESYS_TR_NONE, ESYS_TR_NONE,
				    ESYS_TR_NONE, &public, &real_name, &qualified));
	assert_true(view_equal(VIEW_2B(&soft.name, name), VIEW_2B(real_name, name)));
	assert_true(view_equal(VIEW_2B(&soft.qualified_name, name), VIEW_2B(qualified, name)));
	Esys_Free(public);
	Esys_Free(real_name);
	Esys_Free(qualified);
}

static void as_swtpm_makes_it(const TPMT_PUBLIC *area, const char *name)
{
	const TPM2B_PUBLIC template = {.publicArea = *area};
	struct device_key real;

	device_primary(&tpms[0], ESYS_TR_RH_ENDORSEMENT, &template, &real);
	assert_same(&real, area, name);
	device_key_free(&tpms[0], &real);
}

/* RSA-4096 is what swtpm does not have. */
static void the_two_tpms_make_the_same_keys_and_names(void **state)
{
	TPMT_PUBLIC area;

	(void)state;
	for (enum soft_ek ek = SOFT_L1; ek < SOFT_H7; ek++) {
		soft_ek_area(ek, &area);
		as_swtpm_makes_it(&area, soft_ek_text(ek));
	}
	for (enum soft_ak ak = 0; ak < SOFT_AKS; ak++) {
		soft_ak_area(ak, world.name, &area);
		as_swtpm_makes_it(&area, soft_ak_text(ak));
	}
}

static void certify(struct device *tpm, const char *template)
{
	const struct ek_template *t = ek_templates;

	while (strcmp(t->name, template) != 0)
		t++;
	device_certify_from(tpm, t, &world.maker, NULL);
}

/* The device tool, told `--ek word`, comes with the EK of that template and gets a certificate. */
static void assert_tool_enrolls(size_t chip, const char *word, const char *template)
{
	AUTO(mem_free) char *name = text("tool-%zu-%s", chip, word);
	AUTO(mem_free) char *host = text("%s.example.test", name);
	AUTO(mem_free) char *dir = text("%s/%s", world.dir, name);
	AUTO(mem_free) char *leaf = text("%s/ak.pem", dir), *chain = text("%s/chain.pem", dir);
	AUTO(mem_free) char *said = text("\"%s\"", template);
	AUTO(output_free) struct output output, status;

	for (char *p = host; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	world_run(&world, &output, "endorse", "enroll", "--server", world.name, "--ca", world.roots,
		"--tcti", world.chips[chip].tcti, "--host", host, "--state", dir, "--timeout", "20",
		"--ek", word, NULL);
	if (output.code != 0)
		fail_msg("%s: %s", word, buf_text(&output.err));
	assert_true(is_verified(&world, leaf, chain));
	assert_nothing_left(world.chips[chip].tcti);
	world_run(&world, &status, "endorse", "status", "--json", "--state", dir, NULL);
	if (strstr(buf_text(&status.out), said) == NULL)
		fail_msg("%s: not %s but %s", word, template, buf_text(&status.out));
}

static void the_tool_enrolls_with_each_template_that_swtpm_makes(void **state)
{
	static const char *const templates[] = {"L-2", "H-1", "H-2", "H-4", "H-6"};

	(void)state;
	for (size_t i = 0; i < COUNT(templates); i++)
		certify(&tpms[0], templates[i]);
	assert_tool_enrolls(0, "L-1", "L-1");
	assert_tool_enrolls(0, "H-3", "H-3");
	for (size_t i = 0; i < COUNT(templates); i++)
		assert_tool_enrolls(0, templates[i], templates[i]);
	assert_tool_enrolls(0, "rsa3072", "H-6");
	/* Both templates of the kind have a certificate. */
	assert_tool_enrolls(0, "rsa2048", "L-1");
	assert_tool_enrolls(0, "p256", "L-2");
}

static void the_tool_finds_the_high_templates_where_there_is_no_low_one(void **state)
{
	(void)state;
	device_nv_remove(&tpms[1], 0x01c00002);
	device_nv_remove(&tpms[1], 0x01c00016);
	certify(&tpms[1], "H-1");
	certify(&tpms[1], "H-2");
	assert_tool_enrolls(1, "auto", "H-1");
	assert_tool_enrolls(1, "rsa2048", "H-1");
	assert_tool_enrolls(1, "p256", "H-2");
}

static void the_tool_says_which_ek_this_tpm_does_not_have(void **state)
{
	AUTO(mem_free) char *dir = text("%s/none", world.dir);
	AUTO(output_free) struct output kind, template;

	(void)state;
	world_run(&world, &kind, "endorse", "enroll", "--server", world.name, "--ca", world.roots,
		"--tcti", world.chips[1].tcti, "--host", "none.example.test", "--state", dir,
		"--timeout", "0", "--ek", "rsa4096", NULL);
	assert_int_equal(kind.code, 3);
	assert_non_null(strstr(buf_text(&kind.err), "rsa4096"));
	world_run(&world, &template, "endorse", "enroll", "--server", world.name, "--ca",
		world.roots, "--tcti", world.chips[1].tcti, "--host", "none.example.test",
		"--state", dir, "--timeout", "0", "--ek", "H-7", NULL);
	assert_int_equal(template.code, 3);
	assert_non_null(strstr(buf_text(&template.err), "0x01c0001e"));
}

static int tests(void)
{
	struct CMUnitTest all[] = {
		cmocka_unit_test(the_two_tpms_make_the_same_keys_and_names),
		cmocka_unit_test(the_tool_enrolls_with_each_template_that_swtpm_makes),
		cmocka_unit_test(the_tool_finds_the_high_templates_where_there_is_no_low_one),
		cmocka_unit_test(the_tool_says_which_ek_this_tpm_does_not_have),
	};

	for (size_t i = 0; i < COUNT(all); i++)
		all[i].setup_func = tidy;
	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
