#include "tests/bench/endorse-bench/fleetfile.h"

#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "enroll/tpm/credential.h"
#include "enroll/tpm/ekcert.h"
#include "enroll/tpm/ekpublic.h"
#include "enroll/tpm/roca.h"
#include "tests/bench/endorse-bench/fleetmaker.h"
#include "tests/softtpm/activate.h"
#include "tests/unit/check.h"

#include <ftw.h>
#include <openssl/pem.h>
#include <unistd.h>

#define DEVICES 20
#define SERVICE "https://bench.example.test"

static char dir[] = "/tmp/endorse-fleetfile.XXXXXX";
static char path[64], roots[64];

static int make(void **state)
{
	struct fleet_plan plan = {.path = path,
		.roots = roots,
		.devices = DEVICES,
		.mix = {2, 1, 1},
		.domain = "example.test",
		.threads = 2};

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/fleet", dir);
	snprintf(roots, sizeof(roots), "%s/roots", dir);
	return fleet_make(&plan) == OK ? 0 : -1;
}

static int drop(const char *name, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(name);
}

static int unmake(void **state)
{
	(void)state;
	return nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static void the_mix_is_spread_evenly(void **state)
{
	const unsigned mix[FLEET_KINDS] = {70, 25, 5}, one[FLEET_KINDS] = {0, 3, 0};
	size_t n[FLEET_KINDS] = {0};

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		n[fleet_kind_of(mix, i)]++;
		assert_int_equal(FLEET_P256, fleet_kind_of(one, i));
	}
	assert_true(n[FLEET_RSA] == 70 && n[FLEET_P256] == 25 && n[FLEET_P384] == 5);
	n[FLEET_P256] = 0;
	for (size_t i = 0; i < 20; i++)
		n[FLEET_P256] += fleet_kind_of(mix, i) == FLEET_P256;
	assert_in_range(n[FLEET_P256], 4, 6);
}

static X509 *certificate_of(enum fleet_kind kind, const char *folder)
{
	AUTO(bio_free) BIO *bio = NULL;
	char name[128];

	snprintf(name, sizeof(name), "%s/%s/%s.pem", roots, folder, fleet_kinds[kind]);
	bio = BIO_new_file(name, "r");
	assert_non_null(bio);
	return PEM_read_bio_X509(bio, NULL, NULL, NULL);
}

/* The manufacturer's chain, and what the profile wants of the leaf. */
static void assert_certified(X509 *leaf, enum fleet_kind kind)
{
	AUTO(x509_free) X509 *root = certificate_of(kind, "roots");
	AUTO(x509_free) X509 *intermediate = certificate_of(kind, "intermediates");
	struct ek_attributes attributes = {0};

	assert_int_equal(1, X509_verify(leaf, X509_get0_pubkey(intermediate)));
	assert_int_equal(1, X509_verify(intermediate, X509_get0_pubkey(root)));
	assert_int_equal(1, X509_verify(root, X509_get0_pubkey(root)));
	assert_ok(ek_certificate_form(leaf, &attributes));
	assert_false(is_roca(X509_get0_pubkey(leaf)));
}

/* The service's side of a challenge, and then the device's. */
static void assert_activates(const struct soft_device *device, X509 *leaf)
{
	static const uint8_t secret[32] = "32 bytes of the session's secret";
	AUTO(buf_free) struct buf public = BUF(1024), blob = BUF(1024), wrapped = BUF(1024);
	struct tpm_name name = {.n = device->ak.name.size};
	const struct ek_template *tmpl = NULL;
	enum key_kind kind;
	TPM2B_DIGEST out;

	assert_ok(key_kind_of(X509_get0_pubkey(leaf), &kind));
	tmpl = ek_template_of(kind);
	assert_ok(ek_public_build(tmpl, X509_get0_pubkey(leaf), &public));
	memcpy(name.bytes, device->ak.name.name, name.n);
	assert_ok(credential_make(buf_view(&public), &name, VIEW(secret), &blob, &wrapped));
	assert_true(soft_activate(&device->ek, VIEW_2B(&device->ak.name, name), buf_view(&blob),
		buf_view(&wrapped), &out));
	assert_view_equal(VIEW(secret), VIEW_2B(&out, buffer));
	wrapped.p[wrapped.n - 1] ^= 1;
	assert_false(soft_activate(&device->ek, VIEW_2B(&device->ak.name, name), buf_view(&blob),
		buf_view(&wrapped), &out));
}

static void every_device_can_be_challenged_and_signs(void **state)
{
	AUTO(fleet_free) struct fleet *fleet = NULL;

	(void)state;
	assert_ok(fleet_open(path, SERVICE, NULL, &fleet));
	assert_int_equal(DEVICES, fleet_devices(fleet));
	for (uint32_t i = 0; i < DEVICES; i++) {
		AUTO(soft_device_free) struct soft_device device;
		AUTO(x509_free) X509 *leaf = NULL;
		TPMT_SIGNATURE signature;
		struct view der;

		assert_ok(fleet_device(fleet, i, i % 3, &device));
		assert_ok(ek_certificate_read(buf_view(&device.ek_certificate), &der, &leaf));
		assert_certified(leaf, fleet_kind_of((const unsigned[]){2, 1, 1}, i));
		assert_activates(&device, leaf);
		assert_ok(fleet_device_sign(fleet, i, i % 3, &device));
		assert_true(soft_hash_sign(&device.ak, VIEW("message"), &signature));
	}
}

/* The AK that signs is the one whose Name was told: of AK 0 in the file, and of others made from the seed. */
static void an_ak_and_its_private_half_belong_together(void **state)
{
	AUTO(fleet_free) struct fleet *fleet = NULL;

	(void)state;
	assert_ok(fleet_open(path, SERVICE, NULL, &fleet));
	for (uint32_t ak = 0; ak < 3; ak++) {
		AUTO(soft_device_free) struct soft_device device;
		AUTO(soft_key_free) struct soft_key same;

		assert_ok(fleet_device(fleet, 4, ak, &device));
		assert_ok(fleet_device_sign(fleet, 4, ak, &device));
		assert_true(soft_ak_make(SOFT_P256, SERVICE, device.ak.pkey, &same));
		assert_view_equal(VIEW_2B(&same.name, name), VIEW_2B(&device.ak.name, name));
		assert_string_equal("b-000005.example.test", device.host);
	}
}

static void what_enrolled_is_remembered(void **state)
{
	AUTO(fleet_free) struct fleet *fleet = NULL;
	uint32_t ak;

	(void)state;
	assert_ok(fleet_open(path, SERVICE, NULL, &fleet));
	assert_false(fleet_has_enrolled(fleet, 3, &ak));
	assert_int_equal(0, fleet_fresh_ak(fleet, 3));
	assert_int_equal(1, fleet_fresh_ak(fleet, 3));
	fleet_enrolled(fleet, 3, 1);
	fleet_enrolled(fleet, 7, 0);
	fleet_free(&fleet);
	assert_ok(fleet_open(path, SERVICE, NULL, &fleet));
	assert_true(fleet_has_enrolled(fleet, 3, &ak) && ak == 1);
	assert_true(fleet_has_enrolled(fleet, 7, &ak) && ak == 0);
	assert_int_equal(2, fleet_fresh_ak(fleet, 3));
	assert_int_equal(1, fleet_fresh_ak(fleet, 7));
	assert_false(fleet_has_enrolled(fleet, 8, &ak));
}

static void somebody_has_to_say_for_which_service(void **state)
{
	AUTO(fleet_free) struct fleet *fleet = NULL;

	(void)state;
	assert_refused(fleet_open(path, NULL, NULL, &fleet), ERR_MALFORMED, "usage");
	assert_ok(fleet_open(path, NULL, "https://url.example.test", &fleet));
	assert_string_equal("https://url.example.test", fleet_service(fleet));
}

static void assert_no_fleet(struct view bytes, const char *what)
{
	AUTO(fleet_free) struct fleet *fleet = NULL;
	char other[80];

	snprintf(other, sizeof(other), "%s/other", dir);
	assert_ok(file_replace(other, 0644, bytes));
	assert_refused_in(
		what, fleet_open(other, SERVICE, NULL, &fleet), ERR_INTERNAL, "fleet-file");
}

static void what_is_no_whole_fleet_is_refused(void **state)
{
	AUTO(buf_free) struct buf file = BUF(1 << 20);
	struct fleet_header *header;

	(void)state;
	assert_ok(file_read(path, &file));
	header = (struct fleet_header *)file.p;
	assert_no_fleet((struct view){file.p, file.n - 1}, "a byte is missing");
	assert_no_fleet((struct view){file.p, file.n - 2048}, "a device is missing");
	assert_no_fleet((struct view){file.p, FLEET_HEADER_SIZE}, "no device is there");
	header->magic[14] = '2';
	assert_no_fleet(buf_view(&file), "another version");
	header->magic[14] = '1';
	header->order = 0x0807060504030201;
	assert_no_fleet(buf_view(&file), "another byte order");
	header->order = FLEET_ORDER;
	header->record_size--;
	assert_no_fleet(buf_view(&file), "other records");
	header->record_size++;
	memset(header->domain, 'a', sizeof(header->domain));
	assert_no_fleet(buf_view(&file), "a domain without an end");
}

static void a_file_that_is_shorter_than_a_header_is_refused(void **state)
{
	AUTO(fleet_free) struct fleet *fleet = NULL;
	char other[80];

	(void)state;
	snprintf(other, sizeof(other), "%s/short", dir);
	assert_ok(file_replace(other, 0644, view_str(FLEET_MAGIC)));
	assert_refused(fleet_open(other, SERVICE, NULL, &fleet), ERR_INTERNAL, "file-read");
	snprintf(other, sizeof(other), "%s/missing", dir);
	assert_refused(fleet_open(other, SERVICE, NULL, &fleet), ERR_INTERNAL, "file-read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mix_is_spread_evenly),
		cmocka_unit_test(every_device_can_be_challenged_and_signs),
		cmocka_unit_test(an_ak_and_its_private_half_belong_together),
		cmocka_unit_test(what_enrolled_is_remembered),
		cmocka_unit_test(somebody_has_to_say_for_which_service),
		cmocka_unit_test(what_is_no_whole_fleet_is_refused),
		cmocka_unit_test(a_file_that_is_shorter_than_a_header_is_refused),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
