#include "tests/softtpm/activate.h"

#include "enroll/tpm/credential.h"
#include "tests/unit/check.h"

#include <openssl/evp.h>

static const uint8_t secret[32] = "32 bytes of the session's secret";
static const struct tpm_name ak_a = {.bytes = {0x00, 0x0b, 1, 2, 3}, .n = 34};
static const struct tpm_name ak_b = {.bytes = {0x00, 0x0b, 1, 2, 4}, .n = 34};

/* RSA takes its time: each EK is made once. */
static struct soft_key eks[SOFT_EKS];

static int make(void **state)
{
	(void)state;
	for (enum soft_ek ek = 0; ek < SOFT_EKS; ek++) {
		EVP_PKEY *same = ek == SOFT_H1 ? eks[SOFT_L1].pkey : NULL;

		assert_true(soft_ek_make(ek, same, &eks[ek]));
	}
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	for (enum soft_ek ek = 0; ek < SOFT_EKS; ek++)
		soft_key_free(&eks[ek]);
	return 0;
}

struct credential {
	struct buf blob, wrapped;
};

static void credential_free(struct credential *credential)
{
	buf_free(&credential->blob);
	buf_free(&credential->wrapped);
}

/* The service's side. */
static void wrap(enum soft_ek ek, struct credential *out)
{
	AUTO(buf_free) struct buf public = BUF(1024);

	*out = (struct credential){.blob = BUF(1024), .wrapped = BUF(1024)};
	assert_true(soft_key_public(&eks[ek], &public));
	assert_ok(
		credential_make(buf_view(&public), &ak_a, VIEW(secret), &out->blob, &out->wrapped));
}

static bool activates(
	enum soft_ek ek, const struct tpm_name *name, const struct credential *credential)
{
	TPM2B_DIGEST out;

	if (!soft_activate(&eks[ek], (struct view){name->bytes, name->n},
		    buf_view(&credential->blob), buf_view(&credential->wrapped), &out))
		return false;
	assert_view_equal(VIEW(secret), VIEW_2B(&out, buffer));
	return true;
}

static void every_ek_opens_what_the_service_wraps_and_only_for_its_name(void **state)
{
	(void)state;
	for (enum soft_ek ek = 0; ek < SOFT_EKS; ek++) {
		AUTO(credential_free) struct credential credential;

		wrap(ek, &credential);
		if (!activates(ek, &ak_a, &credential))
			fail_msg("%s does not open it", soft_ek_text(ek));
		if (activates(ek, &ak_b, &credential))
			fail_msg("%s opens it for another Name", soft_ek_text(ek));
	}
}

/* What the service may rebuild for either: nothing in a credential depends on policy or attributes. */
static void a_credential_for_the_low_template_is_one_for_the_high_one(void **state)
{
	AUTO(credential_free) struct credential credential;

	(void)state;
	wrap(SOFT_L1, &credential);
	assert_true(activates(SOFT_H1, &ak_a, &credential));
	assert_true(eks[SOFT_L1].name.size == eks[SOFT_H1].name.size);
	assert_memory_not_equal(
		eks[SOFT_L1].name.name, eks[SOFT_H1].name.name, eks[SOFT_L1].name.size);
}

static void another_ek_does_not_open_it(void **state)
{
	AUTO(credential_free) struct credential credential, rsa;

	(void)state;
	wrap(SOFT_L2, &credential);
	assert_false(activates(SOFT_H2, &ak_a, &credential));
	assert_false(activates(SOFT_H4, &ak_a, &credential));
	assert_false(activates(SOFT_L1, &ak_a, &credential));
	wrap(SOFT_H6, &rsa);
	assert_false(activates(SOFT_H7, &ak_a, &rsa));
	assert_false(activates(SOFT_H3, &ak_a, &rsa));
}

static void a_flipped_byte_is_found(void **state)
{
	static const enum soft_ek rows[] = {SOFT_L2, SOFT_H4};

	(void)state;
	for (size_t row = 0; row < COUNT(rows); row++) {
		AUTO(credential_free) struct credential credential;

		wrap(rows[row], &credential);
		for (size_t i = 0; i < credential.blob.n + credential.wrapped.n; i++) {
			uint8_t *byte = i < credential.blob.n
						? &credential.blob.p[i]
						: &credential.wrapped.p[i - credential.blob.n];

			*byte ^= 1;
			assert_false(activates(rows[row], &ak_a, &credential));
			*byte ^= 1;
		}
		assert_true(activates(rows[row], &ak_a, &credential));
	}
}

static void a_byte_too_many_is_refused(void **state)
{
	AUTO(credential_free) struct credential credential;

	(void)state;
	wrap(SOFT_L2, &credential);
	buf_u8(&credential.blob, 0);
	assert_false(activates(SOFT_L2, &ak_a, &credential));
	credential.blob.n--;
	buf_u8(&credential.wrapped, 0);
	assert_false(activates(SOFT_L2, &ak_a, &credential));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ek_opens_what_the_service_wraps_and_only_for_its_name),
		cmocka_unit_test(a_credential_for_the_low_template_is_one_for_the_high_one),
		cmocka_unit_test(another_ek_does_not_open_it),
		cmocka_unit_test(a_flipped_byte_is_found),
		cmocka_unit_test(a_byte_too_many_is_refused),
	};

	setenv("TSS2_LOG", "all+none", 0); /* what tss2-mu says of bad bytes */
	return cmocka_run_group_tests(tests, make, unmake);
}
