#include "enroll/agent/endpoint.h"

#include "ca/base/file.h"
#include "maker.h"
#include "tests/unit/check.h"

#include <openssl/pem.h>

static void an_address_is_a_host_and_a_port(void **state)
{
	static const struct {
		const char *address, *host; /* NULL: no address */
	} rows[] = {
		{"web-01.example.org:443", "web-01.example.org"},
		{"127.0.0.1:8443", "127.0.0.1"},
		{"[::1]:443", "::1"},
		{"web-01.example.org", NULL},
		{"web-01.example.org:", NULL},
		{"web-01.example.org:https", NULL},
		{"web-01.example.org:443443", NULL},
		{"web-01.example.org:443/", NULL},
		{":443", NULL},
		{"[]:443", NULL},
		{"::1:443", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char host[64] = "";

		assert_int_equal(
			rows[i].host != NULL, endpoint_host(rows[i].address, host, sizeof(host)));
		if (rows[i].host != NULL)
			assert_string_equal(rows[i].host, host);
	}
}

static void a_key_is_read_from_its_public_half_alone(void **state)
{
	AUTO(mem_free) char *dir = made_directory();
	AUTO(mem_free) char *path = path_join(dir, "key.pem");
	AUTO(pkey_free) EVP_PKEY *key = made_key();
	AUTO(pkey_free) EVP_PKEY *read = NULL;
	AUTO(pkey_free) EVP_PKEY *none = NULL;
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	assert_int_equal(1, PEM_write_PUBKEY(file, key));
	fclose(file);
	assert_ok(endpoint_read_key(path, &read));
	assert_int_equal(1, EVP_PKEY_eq(key, read));
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(1, PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
	fclose(file);
	assert_refused(endpoint_read_key(path, &none), ERR_INTERNAL, "pem-file");
	directory_remove(dir);
}

static void where_nobody_listens_the_endpoint_is_away(void **state)
{
	X509 *shown = NULL;

	(void)state;
	assert_refused(endpoint_connect("127.0.0.1:1", "web-01.example.org", &shown), ERR_BUSY,
		"endpoint-away");
	assert_refused(
		endpoint_connect("nowhere", "web-01.example.org", &shown), ERR_MALFORMED, "usage");
	assert_null(shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_a_host_and_a_port),
		cmocka_unit_test(a_key_is_read_from_its_public_half_alone),
		cmocka_unit_test(where_nobody_listens_the_endpoint_is_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
