#include "ca/base/algorithm.h"

#include "tests/unit/check.h"

#include <pthread.h>

/* RFC 4231 4.3: "what do ya want for nothing?" with the key "Jefe". */
static const struct {
	const EVP_MD *(*md)(void);
	const char *name, *mac;
} rows[] = {
	{algorithm_sha256, "SHA2-256",
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	{algorithm_sha384, "SHA2-384",
		"af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
		"8e2240ca5e69e2c78b3239ecfab21649"},
	{algorithm_sha512, "SHA2-512",
		"164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
		"9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
};

static void hmac_is_that_of_rfc_4231_with_each_digest(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf wanted = BUF(64);
		uint8_t mac[EVP_MAX_MD_SIZE];
		size_t n = 0;

		add_hex(&wanted, rows[i].mac);
		assert_true(EVP_MD_is_a(rows[i].md(), rows[i].name));
		assert_ok(algorithm_hmac(rows[i].md(), view_str("Jefe"),
			(const struct view[]){view_str("what do ya want "), view_str(""),
				view_str("for nothing?")},
			3, mac, &n));
		assert_view_equal(buf_view(&wanted), ((struct view){mac, n}));
	}
}

/* RFC 5869 A.3 begins with one: the salt that nobody gave. */
static void an_empty_key_is_a_key(void **state)
{
	static const char wanted[] =
		"b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
	AUTO(buf_free) struct buf bytes = BUF(64);
	uint8_t mac[EVP_MAX_MD_SIZE];
	size_t n = 0;

	(void)state;
	add_hex(&bytes, wanted);
	assert_ok(algorithm_hmac(algorithm_sha256(), (struct view){NULL, 0}, NULL, 0, mac, &n));
	assert_view_equal(buf_view(&bytes), ((struct view){mac, n}));
}

static void another_digest_is_not_taken_for_one_of_these(void **state)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	size_t n = 0;

	(void)state;
	assert_refused(algorithm_hmac(EVP_sha1(), view_str("k"), NULL, 0, mac, &n), ERR_INTERNAL,
		"crypto");
}

static void the_ciphers_are_what_they_are_called(void **state)
{
	(void)state;
	assert_true(EVP_CIPHER_is_a(algorithm_aes_256_gcm(), "AES-256-GCM"));
	assert_true(EVP_CIPHER_is_a(algorithm_aes_128_cfb(), "AES-128-CFB"));
	assert_true(EVP_CIPHER_is_a(algorithm_aes_256_cfb(), "AES-256-CFB"));
}

static void *mac_of_thread(void *arg)
{
	uint8_t(*mac)[EVP_MAX_MD_SIZE] = arg;
	size_t n = 0;

	for (int i = 0; i < 50; i++)
		if (algorithm_hmac(algorithm_sha512(), view_str("k"), NULL, 0, *mac, &n) != OK)
			return NULL;
	return arg;
}

static void many_threads_have_the_same_ones(void **state)
{
	uint8_t macs[8][EVP_MAX_MD_SIZE] = {{0}};
	pthread_t threads[COUNT(macs)];

	(void)state;
	for (size_t i = 0; i < COUNT(macs); i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, mac_of_thread, &macs[i]));
	for (size_t i = 0; i < COUNT(macs); i++) {
		void *end = NULL;

		pthread_join(threads[i], &end);
		assert_non_null(end);
		assert_memory_equal(macs[0], macs[i], sizeof(macs[0]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First, so that the first use is everybody's at once. */
		cmocka_unit_test(many_threads_have_the_same_ones),
		cmocka_unit_test(hmac_is_that_of_rfc_4231_with_each_digest),
		cmocka_unit_test(an_empty_key_is_a_key),
		cmocka_unit_test(another_digest_is_not_taken_for_one_of_these),
		cmocka_unit_test(the_ciphers_are_what_they_are_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
