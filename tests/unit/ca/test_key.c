#include "ca/key.h"

#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <openssl/pem.h>
#include <sys/stat.h>

/* A saved key and where it is. */
struct saved {
	char *dir, *path, *passphrase;
	EVP_PKEY *key;
};

static void save(struct saved *out)
{
	*out = (struct saved){.dir = scratch_make()};
	out->path = path_join(out->dir, "a.key");
	out->passphrase = path_join(out->dir, "a.passphrase");
	assert_ok(key_generate(KEY_TYPE_P256, &out->key));
	assert_ok(key_save(out->key, out->path, out->passphrase));
}

static void saved_free(struct saved *saved)
{
	EVP_PKEY_free(saved->key);
	free(saved->path);
	free(saved->passphrase);
	scratch_remove(&saved->dir);
}

static enum err load(const struct saved *saved)
{
	AUTO(pkey_free) EVP_PKEY *key = NULL;

	TRY(key_load(saved->path, saved->passphrase, &key));
	assert_int_equal(1, EVP_PKEY_eq(saved->key, key));
	return OK;
}

static void a_saved_key_is_encrypted_closed_and_comes_back(void **state)
{
	AUTO(saved_free) struct saved saved, other;
	AUTO(buf_free) struct buf text = BUF(8192), a = BUF(1024), b = BUF(1024);
	struct stat st;

	(void)state;
	save(&saved);
	save(&other);
	assert_true(EVP_PKEY_is_a(saved.key, "EC"));
	assert_int_equal(256, EVP_PKEY_get_bits(saved.key));
	assert_ok(load(&saved));
	assert_ok(file_read(saved.path, &text));
	assert_ptr_equal(
		text.p, strstr(buf_text(&text), "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
	assert_int_equal(0, stat(saved.path, &st));
	assert_int_equal(0600, st.st_mode & 07777);
	assert_int_equal(0, stat(saved.passphrase, &st));
	assert_int_equal(0600, st.st_mode & 07777);
	assert_ok(file_read(saved.passphrase, &a));
	assert_ok(file_read(other.passphrase, &b));
	assert_true(a.n > 40);
	assert_false(view_equal(buf_view(&a), buf_view(&b)));
}

static void a_type_is_read_by_its_name_and_made(void **state)
{
	static const struct {
		const char *name, *algorithm;
		int bits, digest;
	} types[] = {
		[KEY_TYPE_P256] = {"p256", "EC", 256, NID_sha256},
		[KEY_TYPE_P384] = {"p384", "EC", 384, NID_sha384},
		[KEY_TYPE_RSA2048] = {"rsa2048", "RSA", 2048, NID_sha256},
		[KEY_TYPE_RSA3072] = {"rsa3072", "RSA", 3072, NID_sha256},
		[KEY_TYPE_ED25519] = {"ed25519", "ED25519", 256, NID_undef},
	};
	static const char *const bad[] = {"", "P256", "p-256", "rsa", "rsa4096", "ed25519 "};
	enum key_type type;

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		AUTO(pkey_free) EVP_PKEY *key = NULL;
		const EVP_MD *digest;

		assert_true(key_type_read(types[i].name, &type));
		assert_int_equal(i, type);
		assert_ok(key_generate(type, &key));
		assert_true(EVP_PKEY_is_a(key, types[i].algorithm));
		assert_int_equal(types[i].bits, EVP_PKEY_get_bits(key));
		assert_true(key_signs_with(key, &digest));
		assert_int_equal(types[i].digest, digest == NULL ? NID_undef : EVP_MD_type(digest));
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(key_type_read(bad[i], &type));
}

static void open_to_all(struct saved *saved)
{
	assert_int_equal(0, chmod(saved->path, 0644));
}

static void passphrase_open_to_all(struct saved *saved)
{
	assert_int_equal(0, chmod(saved->passphrase, 0604));
}

static void open_to_group(struct saved *saved)
{
	assert_int_equal(0, chmod(saved->path, 0640));
	assert_int_equal(0, chmod(saved->passphrase, 0440));
}

static void missing(struct saved *saved)
{
	assert_int_equal(0, unlink(saved->path));
}

static void put(const char *path, const char *text)
{
	assert_ok(file_replace(path, 0600, view_str(text)));
}

static void other_passphrase(struct saved *saved)
{
	put(saved->passphrase, "guess\n");
}

static void no_passphrase(struct saved *saved)
{
	put(saved->passphrase, "");
}

static void long_passphrase(struct saved *saved)
{
	char text[2000];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	put(saved->passphrase, text);
}

static void garbage(struct saved *saved)
{
	put(saved->path, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n"
			 "-----END ENCRYPTED PRIVATE KEY-----\n");
}

static void empty(struct saved *saved)
{
	put(saved->path, "");
}

static void in_the_clear(struct saved *saved)
{
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	uint8_t *pem;
	long n;

	PEM_write_bio_PrivateKey(bio, saved->key, NULL, NULL, 0, NULL, NULL);
	n = BIO_get_mem_data(bio, &pem);
	assert_ok(file_replace(saved->path, 0600, (struct view){pem, (size_t)n}));
}

static const struct {
	const char *name;
	void (*change)(struct saved *saved);
	enum err err;
	const char *code;
} rows[] = {
	{"open to group", open_to_group, OK, ""},
	{"open to all", open_to_all, ERR_INTERNAL, "file-permissions"},
	{"passphrase open to all", passphrase_open_to_all, ERR_INTERNAL, "file-permissions"},
	{"missing", missing, ERR_NOT_FOUND, "file-missing"},
	{"another passphrase", other_passphrase, ERR_INTERNAL, "ca-key"},
	{"no passphrase", no_passphrase, ERR_INTERNAL, "ca-key"},
	{"a passphrase too long", long_passphrase, ERR_TOO_LARGE, "file-too-large"},
	{"garbage", garbage, ERR_INTERNAL, "ca-key"},
	{"empty", empty, ERR_INTERNAL, "ca-key"},
	{"in the clear", in_the_clear, ERR_INTERNAL, "ca-key"},
};

static void a_key_that_is_not_as_it_was_saved_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(saved_free) struct saved saved;

		save(&saved);
		assert_ok(load(&saved));
		rows[i].change(&saved);
		assert_refused_in(rows[i].name, load(&saved), rows[i].err, rows[i].code);
	}
}

static void a_key_that_cannot_be_written_is_an_error(void **state)
{
	AUTO(saved_free) struct saved saved;

	(void)state;
	save(&saved);
	assert_refused(
		key_save(saved.key, saved.path, "/nowhere/at/all"), ERR_INTERNAL, "file-write");
}

static void a_public_half_is_the_point_the_raw_key_or_the_rsa_public_key(void **state)
{
	static const struct {
		const char *group, *curve;
		size_t n;
	} rows_ec[] = {{"P-256", "prime256v1", 65}, {"P-384", "secp384r1", 97},
		{"P-521", "secp521r1", 133}};
	AUTO(pkey_free) EVP_PKEY *rsa = EVP_RSA_gen(2048), *again = NULL;
	AUTO(pkey_free) EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), *raw = NULL;
	AUTO(buf_free) struct buf bits = BUF(1024), bytes = BUF(1024);
	struct grant_key out;
	const uint8_t *p;

	(void)state;
	for (size_t i = 0; i < COUNT(rows_ec); i++) {
		AUTO(pkey_free) EVP_PKEY *key = EVP_EC_gen(rows_ec[i].group);
		AUTO(buf_free) struct buf point = BUF(1024);

		assert_ok(key_public(key, &point, &out));
		assert_string_equal(rows_ec[i].curve, out.curve);
		assert_int_equal(rows_ec[i].n, out.bits.n);
		assert_int_equal(4, out.bits.p[0]);
	}
	assert_ok(key_public(ed25519, &bytes, &out));
	assert_string_equal("ED25519", out.curve);
	raw = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, out.bits.p, out.bits.n);
	assert_int_equal(1, EVP_PKEY_eq(ed25519, raw));
	assert_ok(key_public(rsa, &bits, &out));
	assert_null(out.curve);
	p = out.bits.p;
	again = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)out.bits.n);
	assert_int_equal(1, EVP_PKEY_eq(rsa, again));
}

static void a_public_half_of_another_kind_is_refused(void **state)
{
	EVP_PKEY *keys[] = {EVP_EC_gen("secp256k1"), EVP_EC_gen("P-224"),
		EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), EVP_PKEY_Q_keygen(NULL, NULL, "X25519")};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		AUTO(buf_free) struct buf bits = BUF(1024);
		struct grant_key out;

		assert_refused(key_public(keys[i], &bits, &out), ERR_REJECTED, "key-kind");
		EVP_PKEY_free(keys[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_saved_key_is_encrypted_closed_and_comes_back),
		cmocka_unit_test(a_type_is_read_by_its_name_and_made),
		cmocka_unit_test(a_key_that_is_not_as_it_was_saved_is_refused),
		cmocka_unit_test(a_key_that_cannot_be_written_is_an_error),
		cmocka_unit_test(a_public_half_is_the_point_the_raw_key_or_the_rsa_public_key),
		cmocka_unit_test(a_public_half_of_another_kind_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
