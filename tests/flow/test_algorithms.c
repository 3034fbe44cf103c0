/* test_algorithms.c - every EK with every AK, in the TPM of the tests' own. */
#include "ca/base/ossl.h"
#include "tests/flow/cluster.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/supervise.h"
#include "tests/flow/verified.h"
#include "tests/flow/world.h"
#include "tests/softtpm/policy.h"

#include <cmocka.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world world;
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
	world_make(&(struct world_plan){.edge = true, .policy = world_any_name}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
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
	return is_verified(&world, path, issuing);
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

static void a_certificate_of_another_ek_brings_a_credential_that_does_not_open(void **state)
{
	AUTO(soft_device_free) struct soft_device device, other;
	AUTO(soft_outcome_free) struct soft_outcome outcome;

	(void)state;
	device_of(SOFT_H4, SOFT_P384, "stolen.example.test", &device);
	soft_device_make(&(struct soft_plan){.ek = SOFT_H4,
				 .ak = SOFT_P256,
				 .service = world.name,
				 .host = "other.example.test"},
		&world.maker, &other);
	buf_free(&device.ek_certificate);
	buf_add(&device.ek_certificate, buf_view(&other.ek_certificate));
	soft_enroll(&device, &world.services[0].peer, world.name, &outcome);
	assert_int_equal(outcome.status, 0);
	assert_true(outcome.has_ticket);
	assert_string_equal(outcome.code, "soft-activate");
	assert_int_equal(sql_number(world.conninfo, "SELECT count(*) FROM host WHERE name = '%s'",
				 "stolen.example.test"),
		0);
}

/* What a fleet of devices goes by when the service is away. */
static void an_outcome_tells_when_to_come_again(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_outcome_free) struct soft_outcome away, back;

	(void)state;
	device_of(SOFT_L2, SOFT_P521, "patient.example.test", &device);
	world_service_stop(&world, 0, SIGTERM);
	soft_enroll(&device, &world.front, world.name, &away);
	world_service_start(&world, 0);
	assert_int_equal(away.status, 503);
	assert_string_equal(away.code, "service-unavailable");
	assert_true(away.retry_after > 0);
	assert_false(away.has_ticket);
	soft_enroll(&device, &world.services[0].peer, world.name, &back);
	assert_int_equal(back.status, 200);
	assert_int_equal(back.retry_after, -1);
}

/* The rest of the matrix differs in nothing that a CA's key could know. */
static void each_ek_and_each_ak_get_a_certificate_of_a_ca_of_this_type(void **state)
{
	world_make(&(struct world_plan){.policy = world_any_name, .key_type = *state}, &world);
	for (enum soft_ek ek = 0; ek < SOFT_EKS; ek++)
		if (!cell(ek, (enum soft_ak)(ek % SOFT_AKS)))
			fail_msg("%s", soft_ek_text(ek));
	world_free(&world);
}

static int diagonals(void)
{
	/* P-256 is the matrix's own. */
	static char *const types[] = {"p384", "rsa2048", "rsa3072", "ed25519"};
	struct CMUnitTest all[COUNT(types)] = {0};

	for (size_t i = 0; i < COUNT(types); i++)
		all[i] = (struct CMUnitTest){.name = types[i],
			.test_func = each_ek_and_each_ak_get_a_certificate_of_a_ca_of_this_type,
			.initial_state = types[i]};
	return cmocka_run_group_tests_name("diagonals", all, NULL, NULL);
}

static int matrix(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(
			every_ek_with_every_ak_gets_a_certificate_that_openssl_and_gnutls_accept),
		cmocka_unit_test(devices_of_many_threads_enroll_at_once),
		cmocka_unit_test(a_sent_public_area_must_be_of_a_template_for_its_kind),
		cmocka_unit_test(
			a_certificate_of_another_ek_brings_a_credential_that_does_not_open),
		cmocka_unit_test(an_outcome_tells_when_to_come_again),
	};

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
