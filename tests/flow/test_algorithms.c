/* test_algorithms.c - every EK with every AK: by a TPM of the tests' own, and by swtpm where it can. */
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "tests/flow/device.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"
#include "tests/softtpm/policy.h"

#include <cmocka.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char policy[] = "rules:\n"
			     "  - name: any\n"
			     "    hosts: [{suffix: example.test}]\n"
			     "    templates: [ak]\n"
			     "    names_per_device: 100\n";

static struct world world;
static struct device tpms[2];
/* RSA takes its time: each key is made once, and then stands in several devices. */
static EVP_PKEY *ek_pkeys[SOFT_EKS], *ak_pkeys[SOFT_AKS];

static void make_keys(void)
{
	TPMT_PUBLIC area;

	for (enum soft_ek ek = 0; ek < SOFT_EKS; ek++) {
		soft_ek_area(ek, &area);
		ek_pkeys[ek] = soft_pkey(&area);
	}
	for (enum soft_ak ak = 0; ak < SOFT_AKS; ak++) {
		soft_ak_area(ak, "", &area);
		ak_pkeys[ak] = soft_pkey(&area);
	}
}

static void free_keys(void)
{
	for (enum soft_ek ek = 0; ek < SOFT_EKS; ek++)
		EVP_PKEY_free(ek_pkeys[ek]);
	for (enum soft_ak ak = 0; ak < SOFT_AKS; ak++)
		EVP_PKEY_free(ak_pkeys[ak]);
}

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.chips = 2, .edge = true, .policy = policy}, &world);
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

static void device_of(enum soft_ek ek, enum soft_ak ak, const char *host, struct soft_device *out)
{
	soft_device_make(&(struct soft_plan){.ek = ek,
				 .ek_pkey = ek_pkeys[ek],
				 .ak = ak,
				 .ak_pkey = ak_pkeys[ak],
				 .service = world.name,
				 .host = host},
		&world.maker, out);
}

static bool runs(const char *const argv[])
{
	AUTO(output_free) struct output output;

	process_run(&(struct program){.argv = argv}, &output);
	if (output.code != 0)
		fprintf(stderr, "%s: %s%s\n", argv[0], buf_text(&output.out),
			buf_text(&output.err));
	return output.code == 0;
}

/* Do OpenSSL and GnuTLS take a chain whose leaf and issuing certificate are in these files? */
static bool is_verified(const char *leaf, const char *issuing)
{
	AUTO(mem_free) char *both = text("%s/both.pem", world.dir);
	AUTO(buf_free) struct buf pem = BUF(1 << 16);

	must(file_read(leaf, &pem) == OK && file_read(issuing, &pem) == OK, "%s", why()->sentence);
	write_file(both, 0644, buf_view(&pem));
	return runs((const char *const[]){"openssl", "verify", "-x509_strict", "-purpose", "any",
		       "-CAfile", world.roots, "-untrusted", issuing, leaf, NULL}) &&
	       runs((const char *const[]){"certtool", "--verify", "--load-ca-certificate",
		       world.roots, "--infile", both, NULL});
}

static bool is_good(const struct soft_device *device, struct view der)
{
	AUTO(mem_free) char *path = text("%s/leaf.pem", world.dir);
	AUTO(mem_free) char *issuing = text("%s/issuing.pem", world.ca);
	const uint8_t *p = der.p;
	AUTO(x509_free) X509 *certificate = d2i_X509(NULL, &p, (long)der.n);
	AUTO(bio_free) BIO *bio = BIO_new_file(path, "w");

	if (certificate == NULL || EVP_PKEY_eq(X509_get0_pubkey(certificate), device->ak.pkey) != 1)
		return false;
	must(bio != NULL && PEM_write_bio_X509(bio, certificate) == 1, "%s", path);
	bio_free(&bio);
	return is_verified(path, issuing);
}

static bool enrolls(const struct soft_device *device)
{
	AUTO(soft_outcome_free) struct soft_outcome outcome;

	soft_enroll(device, &world.services[0].peer, world.name, &outcome);
	if (outcome.status != 200)
		fprintf(stderr, "%s: %d %s: %s\n", device->host, outcome.status, outcome.code,
			outcome.detail);
	return outcome.status == 200 && is_good(device, buf_view(&outcome.certificate));
}

static bool cell(enum soft_ek ek, enum soft_ak ak)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(mem_free) char *host = text("ek-%d-%s.example.test", (int)ek, soft_ak_text(ak));

	device_of(ek, ak, host, &device);
	return enrolls(&device);
}

/* AK by AK: the service lets four of a device live, and the EKs that share one are one device's. */
static void every_ek_with_every_ak_gets_a_certificate_that_openssl_and_gnutls_accept(void **state)
{
	bool good[SOFT_EKS][SOFT_AKS];
	size_t bad = 0;

	(void)state;
	for (enum soft_ak ak = 0; ak < SOFT_AKS; ak++)
		for (enum soft_ek ek = 0; ek < SOFT_EKS; ek++)
			bad += !(good[ek][ak] = cell(ek, ak));
	printf("%-5s", "EK");
	for (enum soft_ak ak = 0; ak < SOFT_AKS; ak++)
		printf(" %-10s", soft_ak_text(ak));
	for (enum soft_ek ek = 0; ek < SOFT_EKS; ek++) {
		printf("\n%-5s", soft_ek_text(ek));
		for (enum soft_ak ak = 0; ak < SOFT_AKS; ak++)
			printf(" %-10s", good[ek][ak] ? "ok" : "FAILED");
	}
	printf("\n");
	assert_int_equal(bad, 0);
	assert_int_equal(world_rows(&world, "ek"), SOFT_EKS);
	assert_int_equal(world_rows(&world, "certificate"), SOFT_EKS * SOFT_AKS);
}

#define THREADS 4
#define DEVICES 8 /* of a thread */

struct crowd {
	pthread_t thread;
	int number;
	size_t enrolled;
};

/* A thread's own devices, each with new keys; P-256 costs next to nothing. */
static void *come(void *arg)
{
	struct crowd *crowd = arg;

	for (int i = 0; i < DEVICES; i++) {
		AUTO(soft_device_free) struct soft_device device;
		AUTO(soft_outcome_free) struct soft_outcome outcome;
		AUTO(mem_free) char *host = text("crowd-%d-%d.example.test", crowd->number, i);

		soft_device_make(&(struct soft_plan){.ek = SOFT_L2,
					 .ak = SOFT_P256,
					 .service = world.name,
					 .host = host},
			&world.maker, &device);
		soft_enroll(&device, &world.front, world.name, &outcome);
		crowd->enrolled += outcome.status == 200;
	}
	return NULL;
}

static void devices_of_many_threads_enroll_at_once(void **state)
{
	struct crowd crowds[THREADS] = {0};
	long before = world_rows(&world, "device");

	(void)state;
	for (int i = 0; i < THREADS; i++) {
		crowds[i].number = i;
		must(pthread_create(&crowds[i].thread, NULL, come, &crowds[i]) == 0, "no thread");
	}
	for (int i = 0; i < THREADS; i++)
		must(pthread_join(crowds[i].thread, NULL) == 0, "no thread");
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(crowds[i].enrolled, DEVICES);
	assert_int_equal(world_rows(&world, "device"), before + THREADS * DEVICES);
}

static void nothing(TPMT_PUBLIC *area)
{
	(void)area;
}

static void other_bits(TPMT_PUBLIC *area)
{
	TPMT_SYM_DEF_OBJECT *symmetric = &area->parameters.asymDetail.symmetric;

	symmetric->keyBits.aes = symmetric->keyBits.aes == 128 ? 256 : 128;
}

static void policy_a(TPMT_PUBLIC *area)
{
	assert_true(soft_policy_a(area->nameAlg, &area->authPolicy));
}

static void policy_b(TPMT_PUBLIC *area)
{
	assert_true(soft_policy_b(area->nameAlg, &area->authPolicy));
}

static void policy_c(TPMT_PUBLIC *area)
{
	assert_true(soft_policy_c(area->nameAlg, &area->authPolicy));
}

static void other_auth(TPMT_PUBLIC *area)
{
	area->objectAttributes ^= TPMA_OBJECT_USERWITHAUTH;
}

/* An L area becomes the H one of its kind. */
static void high(TPMT_PUBLIC *area)
{
	policy_b(area);
	other_auth(area);
}

/* A byte of P-521's coordinates is one bit and seven zeros. */
static void longer_y(TPMT_PUBLIC *area)
{
	TPM2B_ECC_PARAMETER *y = &area->unique.ecc.y;

	memmove(y->buffer + 1, y->buffer, y->size);
	y->buffer[0] = 0;
	y->size++;
}

static void shorter_x(TPMT_PUBLIC *area)
{
	area->unique.ecc.x.size--;
}

static const struct {
	const char *name;
	enum soft_ek ek;
	void (*change)(TPMT_PUBLIC *area);
	int status;
	const char *code;
} sent[] = {
	{"own L-1", SOFT_L1, nothing, 200, ""},
	{"own L-2", SOFT_L2, nothing, 200, ""},
	{"own H-1", SOFT_H1, nothing, 200, ""},
	{"own H-2", SOFT_H2, nothing, 200, ""},
	{"own H-3", SOFT_H3, nothing, 200, ""},
	{"own H-4", SOFT_H4, nothing, 200, ""},
	{"own H-6", SOFT_H6, nothing, 200, ""},
	{"own H-7", SOFT_H7, nothing, 200, ""},
	{"L-1 as H-1", SOFT_L1, high, 200, ""},
	{"H-1 with policy A", SOFT_H1, policy_a, 422, "ek-template"},
	{"H-2 with policy C", SOFT_H2, policy_c, 422, "ek-template"},
	{"H-6 with policy A", SOFT_H6, policy_a, 422, "ek-template"},
	{"L-2 with policy B", SOFT_L2, policy_b, 422, "ek-template"},
	{"H-4 without auth", SOFT_H4, other_auth, 422, "ek-template"},
	{"L-2 with AES-256", SOFT_L2, other_bits, 422, "ek-template"},
	{"H-3 with AES-128", SOFT_H3, other_bits, 422, "ek-template"},
	{"H-4 with AES-128", SOFT_H4, other_bits, 422, "ek-template"},
	{"H-7 with AES-128", SOFT_H7, other_bits, 422, "ek-template"},
	{"H-4 with 67 bytes of y", SOFT_H4, longer_y, 422, "ek-mismatch"},
	{"H-4 with 65 bytes of x", SOFT_H4, shorter_x, 422, "ek-mismatch"},
};

static void a_sent_public_area_must_be_of_a_template_for_its_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sent); i++) {
		AUTO(soft_device_free) struct soft_device device;
		AUTO(soft_outcome_free) struct soft_outcome outcome;
		AUTO(mem_free) char *host = text("sent-%zu.example.test", i);
		struct soft_key altered;

		device_of(sent[i].ek, SOFT_P521, host, &device);
		altered = device.ek;
		sent[i].change(&altered.public.publicArea);
		must(soft_key_public(&altered, &device.ek_public), "%s", sent[i].name);
		soft_enroll(&device, &world.services[0].peer, world.name, &outcome);
		if (outcome.status != sent[i].status || strcmp(outcome.code, sent[i].code) != 0)
			fail_msg("%s: %d %s: %s", sent[i].name, outcome.status, outcome.code,
				outcome.detail);
		assert_int_equal(outcome.has_ticket, sent[i].status == 200);
	}
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

static void assert_nothing_left(const char *tcti)
{
	static const char *const kinds[] = {
		"handles-transient", "handles-loaded-session", "handles-saved-session"};

	for (size_t i = 0; i < COUNT(kinds); i++) {
		AUTO(output_free) struct output output;

		process_run(&(struct program){.argv = (const char *const[]){"tpm2_getcap", "-T",
						      tcti, kinds[i], NULL}},
			&output);
		assert_int_equal(output.code, 0);
		assert_string_equal(buf_text(&output.out), "");
	}
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
	assert_true(is_verified(leaf, chain));
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

/* The rest of the matrix differs in nothing that a CA's key could know. */
static void each_ek_and_each_ak_get_a_certificate_of_a_ca_of_this_type(void **state)
{
	world_make(&(struct world_plan){.policy = policy, .key_type = *state}, &world);
	for (enum soft_ek ek = 0; ek < SOFT_EKS; ek++)
		if (!cell(ek, (enum soft_ak)(ek % SOFT_AKS)))
			fail_msg("%s", soft_ek_text(ek));
	world_free(&world);
}

static int diagonals(void)
{
	static char *const types[] = {"p256", "p384", "rsa2048", "rsa3072", "ed25519"};
	struct CMUnitTest all[COUNT(types)] = {0};

	for (size_t i = 0; i < COUNT(types); i++)
		all[i] = (struct CMUnitTest){.name = types[i],
			.test_func = each_ek_and_each_ak_get_a_certificate_of_a_ca_of_this_type,
			.initial_state = types[i]};
	return cmocka_run_group_tests_name("diagonals", all, NULL, NULL);
}

static int matrix(void)
{
	struct CMUnitTest all[] = {
		cmocka_unit_test(
			every_ek_with_every_ak_gets_a_certificate_that_openssl_and_gnutls_accept),
		cmocka_unit_test(devices_of_many_threads_enroll_at_once),
		cmocka_unit_test(a_sent_public_area_must_be_of_a_template_for_its_kind),
		cmocka_unit_test(the_two_tpms_make_the_same_keys_and_names),
		cmocka_unit_test(the_tool_enrolls_with_each_template_that_swtpm_makes),
		cmocka_unit_test(the_tool_finds_the_high_templates_where_there_is_no_low_one),
		cmocka_unit_test(the_tool_says_which_ek_this_tpm_does_not_have),
	};

	for (size_t i = 0; i < COUNT(all); i++)
		all[i].setup_func = tidy;
	return cmocka_run_group_tests_name("matrix", all, make, unmake);
}

static int tests(void)
{
	int failed;

	make_keys();
	failed = matrix() + diagonals();
	free_keys();
	return failed;
}

int main(void)
{
	return supervise(tests);
}
