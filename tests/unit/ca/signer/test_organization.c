/* test_organization.c - what certificates state as the operator's organization. */
#include "ca/base/file.h"
#include "ca/hierarchy.h"
#include "ca/signer/client.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

static struct signer *open_signer(
	const char *certificate, const char *key, const char *passphrase, const char *organization)
{
	AUTO(problems_free) struct problems problems;
	AUTO(mem_free) char *templates = source_path("templates");
	const struct signer_files files = {.certificate = certificate,
		.key = key,
		.passphrase = passphrase,
		.templates = templates,
		.organization = organization};
	struct signer *signer = NULL;

	problems_init(&problems);
	if (signer_open(&files, &problems, &signer) != OK)
		fail_msg("%s", buf_text(&problems.text));
	return signer;
}

static void it_is_the_one_of_the_files_or_else_of_the_ca(void **state)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(mem_free) char *ca = path_join(dir, "issuing.pem");
	AUTO(mem_free) char *key = path_join(dir, "issuing.key");
	AUTO(mem_free) char *passphrase = path_join(dir, "issuing.passphrase");
	AUTO(signer_close) struct signer *theirs = NULL, *ours = NULL;

	(void)state;
	assert_ok(hierarchy_make(dir, "S\xc3\xb6hne, K\xc3\xb6ln", KEY_TYPE_P256));
	theirs = open_signer(ca, key, passphrase, NULL);
	assert_string_equal("S\xc3\xb6hne, K\xc3\xb6ln", signer_organization(theirs));
	ours = open_signer(ca, key, passphrase, "Example");
	assert_string_equal("Example", signer_organization(ours));
}

static void a_ca_that_names_none_has_none(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer issuer;
	AUTO(signer_close) struct signer *signer = NULL;

	(void)state;
	issuer_make(&recipe, &issuer);
	signer = open_signer(issuer.certificate, issuer.key, issuer.passphrase, NULL);
	assert_null(signer_organization(signer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_one_of_the_files_or_else_of_the_ca),
		cmocka_unit_test(a_ca_that_names_none_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
