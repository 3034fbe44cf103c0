#include "enroll/tpm/identity.h"

#include "ca/base/file.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"
#include "tests/unit/trust/pki.h"

#include <sys/stat.h>

/* As long as one may be: it comes whole. */
#define WORDS "the keys it made can be computed "
#define NOTE WORDS WORDS WORDS WORDS WORDS WORDS WORDS "from its public half."
#define VENDOR                                                                                     \
	"name: Maker of TPMs\n"                                                                    \
	"manufacturers: [\"id:00001014\"]\n"                                                       \
	"use: [ek]\n"                                                                              \
	"names: [Maker]\n"                                                                         \
	"firmware:\n"                                                                              \
	"  - from: \"%s\"\n"                                                                       \
	"    to: \"%s\"\n"                                                                         \
	"    reference: CVE-2017-15361\n"                                                          \
	"    note: \"" NOTE "\"\n"

/* The world's root as that of a vendor whose firmware from one version to another is known to be bad. */
static struct trust *vendor_trust(const struct world *world, const char *from, const char *to)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(mem_free) char *vendor = path_join(dir, "maker"), *yaml = NULL;
	const struct trust_source source = {
		.name = "bundle", .class = TRUST_MANUFACTURER, .vendors = dir};
	struct trust *trust = NULL;

	assert_int_equal(0, mkdir(vendor, 0700));
	assert_true(asprintf(&yaml, VENDOR, from, to) > 0);
	scratch_put(dir, "VERSION", view_str("2026.11.22\n"));
	scratch_put(vendor, "vendor.yaml", view_str(yaml));
	scratch_pem(vendor, "root.pem", world->roots);
	assert_ok(trust_load(&source, 1, NULL, NULL, &trust));
	return trust;
}

/* The world's leaf, "id:20191023", with its CA sent by the device. */
static enum err judge(const struct world *world, const char *from, const char *to,
	bool refuses_bad_firmware, struct identity **out)
{
	AUTO(trust_free) struct trust *trust = vendor_trust(world, from, to);
	AUTO(buf_free) struct buf leaf = BUF(8192), ca = BUF(8192);
	struct view chain[1];

	certificate_add(world->leaf, &leaf);
	certificate_add(world->ca, &ca);
	chain[0] = buf_view(&ca);
	return identity_judge(&(struct identity_rules){.trust = trust,
				      .now = NOW,
				      .takes_unproven = true,
				      .refuses_bad_firmware = refuses_bad_firmware},
		&(struct ek_evidence){.certificate = buf_view(&leaf), .chain = chain, .chain_n = 1},
		out);
}

static void bad_firmware_is_a_remark_or_a_refusal(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(identity_free) struct identity *remarked = NULL, *refused = NULL;

	(void)state;
	world_make(&world);
	assert_ok(judge(&world, "id:20191000", "id:20191023", false, &remarked));
	assert_int_equal(TRUST_MANUFACTURER, identity_trust(remarked)->class);
	assert_int_equal(REMARK_FIRMWARE, identity_trust(remarked)->remarks);
	assert_non_null(strstr(identity_trust(remarked)->remark, "CVE-2017-15361: " NOTE));
	assert_refused(judge(&world, "id:20191000", "id:20191023", true, &refused), ERR_REJECTED,
		"ek-firmware");
	assert_string_equal("policy: bad_firmware", why()->clause);
	assert_non_null(strstr(why()->sentence, "CVE-2017-15361"));
}

static void other_firmware_is_neither(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(identity_free) struct identity *identity = NULL;

	(void)state;
	world_make(&world);
	assert_ok(judge(&world, "id:20191000", "id:20191022", true, &identity));
	assert_int_equal(0, identity_trust(identity)->remarks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_firmware_is_a_remark_or_a_refusal),
		cmocka_unit_test(other_firmware_is_neither),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
