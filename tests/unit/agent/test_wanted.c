#include "enroll/agent/wanted.h"

#include "ca/template.h"
#include "enroll/agent/kept.h"
#include "maker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct wanted only_ak = {.items = {{.template = "ak", .key = WANT_AK}}, .n = 1};

/* Templates up to NULL, resolved against what is kept. */
static enum err resolve(const char *const *templates, const struct wanted *kept, struct wanted *out)
{
	struct wanted asked = {.n = 0};

	for (; *templates != NULL; templates++)
		TRY(wanted_add(&asked, *templates));
	return wanted_resolve(&asked, kept, out);
}
#define RESOLVE(kept, out, ...) resolve((const char *const[]){__VA_ARGS__, NULL}, kept, out)

static void a_templates_name_is_no_path_and_no_other_file(void **state)
{
	static const char *const good[] = {
		"ak", "tls-server", "a", "9", "_x", "web.example", "tls_peer.v2", "new", "tss2"};
	static const char *const bad[] = {"", ".", "..", "a/b", "/etc", "../ak", "a..b", "A",
		"\xc3\xa4", "a b", "-x", ".x", "x.", "chain", "anchors", "ssh-host-ca",
		"ssh-user-ca", "ak.tss2", "tls.new", "tls.fullchain", "ssh-host-cert", "a\n",
		"a=b"};
	char longest[LIMIT_TEMPLATE_NAME + 2];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(want_is_name(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(want_is_name(bad[i]));
	memset(longest, 'a', sizeof(longest));
	longest[LIMIT_TEMPLATE_NAME + 1] = '\0';
	assert_false(want_is_name(longest));
	longest[LIMIT_TEMPLATE_NAME] = '\0';
	assert_true(want_is_name(longest));
}

static void shipped_templates_have_keys_of_their_own(void **state)
{
	struct wanted out;

	(void)state;
	assert_int_equal(OK,
		RESOLVE(&only_ak, &out, "platform-property", "tls-server", "tls-peer=tpm:rsa2048"));
	assert_int_equal(4, out.n);
	assert_int_equal(WANT_AK, out.items[1].key);
	assert_int_equal(WANT_TPM, out.items[2].key);
	assert_int_equal(KEY_P256, out.items[2].kind);
	assert_int_equal(KEY_RSA_2048, out.items[3].kind);
}

/* sshd has no use for another, so nothing is taken in its place. */
static void ssh_host_is_for_the_key_that_sshd_has(void **state)
{
	static const char *const key = "/etc/ssh/ssh_host_ed25519_key.pub";
	struct wanted wanted = {.n = 0};

	(void)state;
	if (access(key, R_OK) == 0) {
		assert_int_equal(OK, wanted_add(&wanted, "ssh-host"));
		assert_string_equal(key, wanted.items[0].file);
		return;
	}
	assert_int_equal(ERR_MALFORMED, wanted_add(&wanted, "ssh-host"));
	assert_non_null(strstr(why()->sentence, "ssh-keygen -A makes it"));
}

static void for_each_shipped_template_a_key_of_its_class_is_meant(void **state)
{
	AUTO(templates_free) struct templates *templates = NULL;
	AUTO(problems_free) struct problems problems;
	const struct template *one;

	(void)state;
	problems_init(&problems);
	assert_int_equal(
		OK, templates_load(ENDORSE_SOURCE_DIR "/templates", &problems, &templates));
	for (size_t i = 0; (one = template_at(templates, i)) != NULL; i++) {
		struct wanted wanted = {.n = 0};

		/* ssh-host's, above, depends on the machine. */
		if (template_key(one) == TEMPLATE_KEY_ANY)
			continue;
		assert_int_equal(OK, wanted_add(&wanted, one->name));
		if (template_key(one) == TEMPLATE_KEY_AK)
			assert_int_equal(WANT_AK, wanted.items[0].key);
		else
			assert_int_equal(WANT_TPM, wanted.items[0].key);
	}
}

static void without_a_certificate_for_it_the_ak_comes_first(void **state)
{
	struct wanted out;

	(void)state;
	assert_int_equal(OK, RESOLVE(&only_ak, &out, "tls-server"));
	assert_int_equal(2, out.n);
	assert_string_equal("ak", out.items[0].template);
	assert_string_equal("tls-server", out.items[1].template);
	assert_int_equal(0, wanted_ak(&out));
	assert_int_equal(OK, RESOLVE(&only_ak, &out, "tls-server", "ak-named"));
	assert_int_equal(2, out.n);
	assert_int_equal(1, wanted_ak(&out));
	/* "ak" is the AK's own wherever it stands. */
	assert_int_equal(OK, RESOLVE(&only_ak, &out, "platform-property", "ak"));
	assert_int_equal(1, wanted_ak(&out));
	/* A platform-property certificate is no AK's. */
	assert_int_equal(OK, RESOLVE(&only_ak, &out, "platform-property", "tls-server"));
	assert_int_equal(3, out.n);
	assert_string_equal("ak", out.items[0].template);
	assert_int_equal(0, wanted_ak(&out));
	assert_int_equal(OK, RESOLVE(&only_ak, &out, "platform-property", "ak-named"));
	assert_int_equal(2, out.n);
	assert_int_equal(1, wanted_ak(&out));
}

/* It names a host, and nobody takes it for an AK's. */
static void a_platform_property_certificate_is_not_the_aks_own(void **state)
{
	const struct wanted only_property = {
		.items = {{.template = "platform-property", .key = WANT_AK}}, .n = 1};
	struct wanted out;

	(void)state;
	assert_int_equal(OK, RESOLVE(&only_ak, &out, "platform-property"));
	assert_int_equal(2, out.n);
	assert_string_equal("ak", out.items[wanted_ak(&out)].template);
	assert_int_equal(OK, RESOLVE(&only_ak, &out, "platform-property", "iak"));
	assert_int_equal(2, out.n);
	assert_int_equal(1, wanted_ak(&out));
	/* A name that is not shipped is taken at its word until the answer comes, and not before those that are known. */
	assert_int_equal(OK, RESOLVE(&only_ak, &out, "platform-property", "mine=ak"));
	assert_int_equal(2, out.n);
	assert_int_equal(1, wanted_ak(&out));
	assert_int_equal(OK, RESOLVE(&only_ak, &out, "mine=ak", "ak-named"));
	assert_int_equal(1, wanted_ak(&out));
	/* Where it came to be kept alone, the next run mends that. */
	assert_int_equal(OK, wanted_resolve(&(struct wanted){.n = 0}, &only_property, &out));
	assert_int_equal(2, out.n);
	assert_int_equal(0, wanted_ak(&out));
}

static void what_cannot_be_asked_for_is_refused(void **state)
{
	static const char *const bad[] = {"mine", "ak=tpm", "tls-server=tpm:p521",
		"tls-server=", "tls-server=nothing-here", "tls-server=/nonexistent/key.pub",
		"../x=ak", "=ak"};
	struct wanted wanted = {.n = 0};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		wanted.n = 0;
		assert_int_equal(ERR_MALFORMED, wanted_add(&wanted, bad[i]));
		assert_string_equal("usage", why()->code);
	}
	wanted.n = 0;
	assert_int_equal(OK, wanted_add(&wanted, "tls-server"));
	assert_int_equal(ERR_MALFORMED, wanted_add(&wanted, "tls-server=ak"));
	for (char name[] = "a=ak"; wanted.n < LIMIT_KEYS; name[0]++)
		assert_int_equal(OK, wanted_add(&wanted, name));
	assert_int_equal(ERR_MALFORMED, wanted_add(&wanted, "z=ak"));
}

static void a_file_is_kept_by_its_absolute_path(void **state)
{
	char *dir = made_directory(), text[256];
	struct wanted wanted = {.n = 0};

	(void)state;
	file_put(dir, "host.pub", "x");
	snprintf(text, sizeof(text), "ssh-host=%s/../%s/host.pub", dir, strrchr(dir, '/') + 1);
	assert_int_equal(OK, wanted_add(&wanted, text));
	assert_int_equal(WANT_FILE, wanted.items[0].key);
	snprintf(text, sizeof(text), "%s/host.pub", dir);
	assert_string_equal(text, wanted.items[0].file);
	directory_remove(dir);
	free(dir);
}

static void commands_may_come_before_their_templates_or_later(void **state)
{
	struct wanted asked = {.n = 0}, out, again = {.n = 0}, now;

	(void)state;
	assert_int_equal(OK, wanted_exec(&asked, "tls-server=systemctl reload nginx"));
	assert_int_equal(OK, wanted_exec(&asked, "ak=true"));
	assert_int_equal(OK, wanted_add(&asked, "tls-server"));
	assert_int_equal(OK, wanted_resolve(&asked, &only_ak, &out));
	assert_int_equal(2, out.n);
	assert_string_equal("systemctl reload nginx", wanted_find(&out, "tls-server")->command);
	assert_int_equal(WANT_TPM, wanted_find(&out, "tls-server")->key);
	assert_int_equal(WANT_AK, wanted_find(&out, "ak")->key);
	/* A command alone is for what is kept. */
	assert_int_equal(OK, wanted_exec(&again, "tls-server=a=b"));
	assert_int_equal(OK, wanted_resolve(&again, &out, &now));
	assert_string_equal("a=b", wanted_find(&now, "tls-server")->command);
	assert_string_equal("true", wanted_find(&now, "ak")->command);
	assert_true(wanted_same(&out, &now));
	assert_false(wanted_equal(&out, &now));
	/* What is asked for anew keeps its command. */
	assert_int_equal(OK, RESOLVE(&out, &now, "tls-server"));
	assert_string_equal("true", wanted_find(&now, "ak")->command);
	assert_true(wanted_equal(&out, &now));
}

static void a_command_that_is_none_or_for_nothing_is_refused(void **state)
{
	static const char *const bad[] = {"ak", "ak=", "ak=a\nb", "ak=a\tb", "/x=true"};
	struct wanted wanted = {.n = 0}, out;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(ERR_MALFORMED, wanted_exec(&wanted, bad[i]));
	assert_int_equal(OK, wanted_exec(&wanted, "tls-server=true"));
	assert_int_equal(ERR_MALFORMED, wanted_resolve(&wanted, &only_ak, &out));
	assert_non_null(strstr(why()->sentence, "--exec tls-server"));
	assert_int_equal(OK, wanted_add(&wanted, "ak"));
	assert_int_equal(ERR_MALFORMED, wanted_resolve(&wanted, &only_ak, &out));
}

static void other_keys_and_other_templates_are_not_the_same(void **state)
{
	struct wanted a, b;

	(void)state;
	assert_int_equal(OK, RESOLVE(&only_ak, &a, "ak", "tls-server"));
	assert_int_equal(OK, RESOLVE(&only_ak, &b, "tls-server", "ak"));
	assert_true(wanted_same(&a, &b));
	assert_int_equal(OK, RESOLVE(&only_ak, &b, "tls-server=tpm:p384", "ak"));
	assert_false(wanted_same(&a, &b));
	assert_int_equal(OK, RESOLVE(&only_ak, &b, "tls-client", "ak"));
	assert_false(wanted_same(&a, &b));
	assert_false(wanted_same(&a, &only_ak));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_templates_name_is_no_path_and_no_other_file),
		cmocka_unit_test(shipped_templates_have_keys_of_their_own),
		cmocka_unit_test(ssh_host_is_for_the_key_that_sshd_has),
		cmocka_unit_test(for_each_shipped_template_a_key_of_its_class_is_meant),
		cmocka_unit_test(without_a_certificate_for_it_the_ak_comes_first),
		cmocka_unit_test(a_platform_property_certificate_is_not_the_aks_own),
		cmocka_unit_test(what_cannot_be_asked_for_is_refused),
		cmocka_unit_test(a_file_is_kept_by_its_absolute_path),
		cmocka_unit_test(commands_may_come_before_their_templates_or_later),
		cmocka_unit_test(a_command_that_is_none_or_for_nothing_is_refused),
		cmocka_unit_test(other_keys_and_other_templates_are_not_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
