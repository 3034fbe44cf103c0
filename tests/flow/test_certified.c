/* test_certified.c - faults of keys and of what is said of them: each the only one in an enrollment of four
 * certificates that otherwise succeeds, so none of the four is issued. */
#include "ca/base/file.h"
#include "ca/sshkey.h"
#include "enroll/tpm/certified.h"
#include "tests/flow/four.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#define HOST "web-1.example.test"

/* Where the key that the AK certified stands in the request, and the one that it did not. */
enum { AK, PROPERTY, TLS, SSH };

static struct world world;
static struct four_device device, stranger;

static const char policy[] =
	"rules:\n"
	"  - name: web\n"
	"    hosts:\n"
	"      - glob: \"web-*.example.test\"\n"
	"    templates: [ak, platform-property, tls-server, tls-client, ssh-host, rack]\n"
	"    names_per_device: 1\n";

static const char rack[] =
	"name: rack\nversion: 1\nkind: x509\nkey: ak\nlifetime: 30d\nbackdate: 5m\n"
	"subject:\n  - {type: 2.5.4.11, value: \"${label.rack}\"}\n"
	"subject_alt_name: {critical: false, names: [{dns_name: \"${host}\"}]}\n"
	"key_usage: [digitalSignature]\n"
	"extended_key_usage: "
	"[1.2.840.113556.1.8000.2554.11678.54212.13990.18118.39851.7049480.9573563.1.1]\n"
	"extended_key_usage_critical: true\n";

/* The shipped templates, and one that states what no device here has. */
static char *make_templates(void)
{
	AUTO(mem_free) char *shipped = world_source("templates");
	char *dir = text("%s/templates", supervise_dir());
	AUTO(mem_free) char *path = text("%s/rack.yaml", dir);

	MUST_RUN("cp", "-r", shipped, dir);
	write_file(path, 0644, view_str(rack));
	return dir;
}

static int make(void **state)
{
	AUTO(mem_free) char *templates = make_templates();

	(void)state;
	world_make(&(struct world_plan){.policy = policy, .templates = templates}, &world);
	four_device_make(&world, HOST, &device);
	four_device_make(&world, HOST, &stranger);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	four_device_free(&device);
	four_device_free(&stranger);
	world_free(&world);
	return 0;
}

static void qualifying(const struct soft_enrollment *x, uint8_t extra[static 32])
{
	must(certify_qualifying(buf_view(&x->challenge.ticket), extra) == OK, "%s", why()->code);
}

/* What `signer` says of `key`, for this ticket. */
static void testify(struct soft_enrollment *x, const struct soft_key *signer,
	const struct soft_key *key, struct request *request)
{
	uint8_t extra[32];

	qualifying(x, extra);
	must(soft_key_testify(signer, key, VIEW(extra), &request->keys[TLS]) == OK, "%s",
		why()->sentence);
}

/* A key that the AK certifies, made as `alter` has it. */
static void certify_altered(
	struct soft_enrollment *x, struct request *request, void (*alter)(TPMT_PUBLIC *area))
{
	struct soft_key key;
	TPMT_PUBLIC area;

	soft_tls_area(false, &area);
	alter(&area);
	must(soft_key_make(&area, NULL, &key), "no such key");
	testify(x, &device.device.ak, &key, request);
	soft_key_free(&key);
}

#define AREA_FAULT(function, ...)                                                                  \
	static void function##_area(TPMT_PUBLIC *area)                                             \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}                                                                                          \
	static void function(struct soft_enrollment *x, struct request *request)                   \
	{                                                                                          \
		certify_altered(x, request, function##_area);                                      \
	}

AREA_FAULT(software_key, area->objectAttributes &= ~TPMA_OBJECT_FIXEDTPM)
AREA_FAULT(duplicable, area->objectAttributes &= ~TPMA_OBJECT_FIXEDPARENT)
AREA_FAULT(derived, area->objectAttributes &= ~TPMA_OBJECT_SENSITIVEDATAORIGIN)
AREA_FAULT(signs_not, area->objectAttributes ^= TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_DECRYPT)
AREA_FAULT(decrypts, area->objectAttributes |= TPMA_OBJECT_DECRYPT)

static void restricted_area(TPMT_PUBLIC *area)
{
	area->objectAttributes |= TPMA_OBJECT_RESTRICTED;
	area->parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
	area->parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
}

static void restricted(struct soft_enrollment *x, struct request *request)
{
	certify_altered(x, request, restricted_area);
}

/* The public area says something else than what was certified, and its Name is right for that. */
static void alter_public(
	struct soft_enrollment *x, struct request *request, void (*alter)(TPMT_PUBLIC *area))
{
	struct soft_key key = device.tls;

	(void)x;
	alter(&key.public.publicArea);
	buf_free(&request->keys[TLS].public);
	must(soft_key_public(&key, &request->keys[TLS].public), "cannot be marshalled");
}

#define PUBLIC_FAULT(function, ...)                                                                \
	static void function##_public(TPMT_PUBLIC *area)                                           \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}                                                                                          \
	static void function(struct soft_enrollment *x, struct request *request)                   \
	{                                                                                          \
		alter_public(x, request, function##_public);                                       \
	}

PUBLIC_FAULT(namealg_sha1, area->nameAlg = TPM2_ALG_SHA1)
PUBLIC_FAULT(off_curve, area->unique.ecc.y.buffer[31] ^= 1)
PUBLIC_FAULT(scheme_ecdaa, area->parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDAA)
PUBLIC_FAULT(other_public, area->objectAttributes |= TPMA_OBJECT_NODA)

static void by_another_ak(struct soft_enrollment *x, struct request *request)
{
	testify(x, &stranger.device.ak, &device.tls, request);
}

/* A true statement about another key of this TPM, beside the public area that is asked for. */
static void of_another_key(struct soft_enrollment *x, struct request *request)
{
	testify(x, &device.device.ak, &stranger.tls, request);
	buf_free(&request->keys[TLS].public);
	must(soft_key_public(&device.tls, &request->keys[TLS].public), "cannot be marshalled");
}

static void for_another_ticket(struct soft_enrollment *x, struct request *request)
{
	uint8_t extra[32];

	qualifying(x, extra);
	extra[0] ^= 1;
	must(soft_key_testify(&device.device.ak, &device.tls, VIEW(extra), &request->keys[TLS]) ==
			OK,
		"%s", why()->sentence);
}

static void a_quote(struct soft_enrollment *x, struct request *request)
{
	struct soft_pcrs pcrs = {0};
	struct soft_attest made;
	uint8_t extra[32];

	qualifying(x, extra);
	must(soft_quote(&device.device.ak, &pcrs, 0xff, VIEW(extra), &soft_moment_now, &made),
		"no quote");
	must(soft_attest_put(&made, &request->keys[TLS]) == OK, "%s", why()->sentence);
}

/* What no TPM signs with a restricted key: a statement that does not begin as TPMs begin theirs. */
static void other_magic(struct soft_enrollment *x, struct request *request)
{
	struct soft_attest made;
	TPMS_ATTEST attest;
	uint8_t extra[32];
	size_t n = 0;

	qualifying(x, extra);
	must(soft_certify(&device.device.ak, &device.tls, VIEW(extra), &soft_moment_now, &made) &&
			Tss2_MU_TPMS_ATTEST_Unmarshal(made.attested.attestationData,
				made.attested.size, &n, &attest) == 0,
		"no statement");
	attest.magic ^= 1;
	must(soft_sign(&device.device.ak, &attest, &made), "no signature");
	must(soft_attest_put(&made, &request->keys[TLS]) == OK, "%s", why()->sentence);
}

static void cut(struct soft_enrollment *x, struct request *request)
{
	(void)x;
	request->keys[TLS].attest.n--;
}

static void public_cut(struct soft_enrollment *x, struct request *request)
{
	(void)x;
	request->keys[TLS].public.n--;
}

static void one_bit(struct soft_enrollment *x, struct request *request)
{
	(void)x;
	request->keys[TLS].signature.p[request->keys[TLS].signature.n - 1] ^= 1;
}

static void key_beside_the_ak(struct soft_enrollment *x, struct request *request)
{
	(void)x;
	buf_add(&request->keys[AK].ssh, buf_view(&device.ssh));
}

static void no_signature(struct soft_enrollment *x, struct request *request)
{
	(void)x;
	buf_free(&request->keys[TLS].signature);
}

static void uncertified(struct soft_enrollment *x, struct request *request)
{
	struct request_key *key = &request->keys[TLS];

	(void)x;
	buf_free(&key->public);
	buf_free(&key->attest);
	buf_free(&key->signature);
	buf_add(&key->ssh, buf_view(&device.ssh));
}

static void no_key(struct soft_enrollment *x, struct request *request)
{
	(void)x;
	buf_free(&request->keys[SSH].ssh);
}

static void two_keys(struct soft_enrollment *x, struct request *request)
{
	(void)x;
	buf_add(&request->keys[SSH].spki, buf_view(&device.ssh));
}

static void ssh_cut(struct soft_enrollment *x, struct request *request)
{
	(void)x;
	request->keys[SSH].ssh.n--;
}

static void ssh_exponent_3(struct soft_enrollment *x, struct request *request)
{
	static const uint8_t head[] = "\0\0\0\7ssh-rsa\0\0\0\1\3\0\0\1\1\0\xc0";
	struct buf *blob = &request->keys[SSH].ssh;

	(void)x;
	buf_free(blob);
	buf_add(blob, (struct view){head, sizeof(head) - 1});
	for (int i = 0; i < 255; i++)
		buf_u8(blob, 0x5b);
}

static void no_spki(struct soft_enrollment *x, struct request *request)
{
	two_keys(x, request);
	no_key(x, request);
}

static void rename_template(struct request_key *key, const char *name)
{
	snprintf(key->template, sizeof(key->template), "%s", name);
}

static void twice(struct soft_enrollment *x, struct request *request)
{
	(void)x;
	rename_template(&request->keys[PROPERTY], "ak");
}

static void not_in_the_rule(struct soft_enrollment *x, struct request *request)
{
	(void)x;
	rename_template(&request->keys[PROPERTY], "iak");
}

static void no_such_template(struct soft_enrollment *x, struct request *request)
{
	(void)x;
	rename_template(&request->keys[PROPERTY], "nobody");
}

static void label(struct soft_enrollment *x, struct request *request)
{
	(void)x;
	rename_template(&request->keys[PROPERTY], "rack");
}

/* The key of the TLS certificate twice, by two templates that name the AK's, and that one not asked for. */
static void without_ak_certificate(struct soft_enrollment *x, struct request *request)
{
	struct request_key *key = &request->keys[AK];

	(void)x;
	rename_template(key, "tls-client");
	buf_add(&key->public, buf_view(&request->keys[TLS].public));
	buf_add(&key->attest, buf_view(&request->keys[TLS].attest));
	buf_add(&key->signature, buf_view(&request->keys[TLS].signature));
}

static const struct {
	const char *name;
	void (*alter)(struct soft_enrollment *x, struct request *request);
	int status;
	const char *code;
} faults[] = {
	{"certify-software-key", software_key, 422, "key-attributes"},
	{"certify-duplicable", duplicable, 422, "key-attributes"},
	{"certify-derived", derived, 422, "key-attributes"},
	{"certify-restricted", restricted, 422, "key-attributes"},
	{"certify-sign-clear", signs_not, 422, "key-attributes"},
	{"certify-decrypts", decrypts, 422, "key-decrypts"},
	{"certify-namealg-sha1", namealg_sha1, 422, "key-name-algorithm"},
	{"certify-off-curve", off_curve, 422, "key-key"},
	{"certify-ecdaa", scheme_ecdaa, 422, "key-scheme"},
	{"certify-other-public", other_public, 422, "certify-name"},
	{"certify-other-name", of_another_key, 422, "certify-name"},
	{"certify-by-another-ak", by_another_ak, 422, "attest-signature"},
	{"certify-one-bit", one_bit, 422, "attest-signature"},
	{"certify-another-ticket", for_another_ticket, 422, "attest-qualifying-data"},
	{"certify-quote", a_quote, 422, "attest-type"},
	{"certify-magic", other_magic, 422, "attest-magic"},
	{"certify-cut", cut, 400, "attest"},
	{"certify-public-cut", public_cut, 400, "tpm-public"},
	{"key-beside-the-ak", key_beside_the_ak, 400, "request-key"},
	{"key-without-signature", no_signature, 400, "request-key"},
	{"key-uncertified", uncertified, 400, "request-key"},
	{"key-missing", no_key, 400, "request-key"},
	{"key-in-two-forms", two_keys, 400, "request-key"},
	{"ssh-key-cut", ssh_cut, 400, "ssh-key"},
	{"ssh-key-exponent-3", ssh_exponent_3, 400, "ssh-key"},
	{"spki-none", no_spki, 400, "spki"},
	{"template-twice", twice, 400, "request-keys"},
	{"template-not-in-the-rule", not_in_the_rule, 403, "template-not-allowed"},
	{"template-unknown", no_such_template, 403, "template-not-allowed"},
	{"template-label", label, 422, "template-needs-label"},
	{"template-ak-certificate", without_ak_certificate, 422, "template-needs-ak-certificate"},
};

static void assert_no_rows(const char *name)
{
	static const char *const tables[] = {"device", "host", "ek", "ak", "certificate", "ticket"};

	for (size_t i = 0; i < COUNT(tables); i++)
		if (world_rows(&world, tables[i]) != 0)
			fail_msg("%s: a row in \"%s\"", name, tables[i]);
}

static void one_fault_of_four_keys_and_nothing_is_issued(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct four four;

		four_init(&four, &world, &device);
		four.x.alter = faults[i].alter;
		four_run(&four, world.name);
		if (four.last.status != faults[i].status ||
			strcmp(four.problem.code, faults[i].code) != 0)
			fail_msg("%s: wanted %d %s, got %d %s: %s", faults[i].name,
				faults[i].status, faults[i].code, four.last.status,
				four.problem.code, four.problem.detail);
		assert_no_rows(faults[i].name);
		four_free(&four);
	}
	assert_true(world_rows_become(&world, "audit", COUNT(faults)));
}

static void a_refusal_says_which_of_the_keys_it_was(void **state)
{
	struct four four;

	(void)state;
	four_init(&four, &world, &device);
	four.x.alter = by_another_ak;
	four_run(&four, world.name);
	assert_non_null(strstr(four.problem.detail, "key 3, for \"tls-server\": "));
	four_free(&four);
}

static void and_the_name_is_still_free_for_all_four(void **state)
{
	struct four four;

	(void)state;
	four_init(&four, &world, &device);
	assert_int_equal(four_run(&four, world.name), 200);
	assert_int_equal(world_rows(&world, "certificate"), 4);
	four_free(&four);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(one_fault_of_four_keys_and_nothing_is_issued),
		cmocka_unit_test(a_refusal_says_which_of_the_keys_it_was),
		cmocka_unit_test(and_the_name_is_still_free_for_all_four),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
