#include "ca/base/crypt.h"
#include "tests/unit/check.h"

static void sha256_is_that_of_fips_180_4(void **state)
{
	static const struct {
		const char *text, *digest;
	} rows[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf wanted = BUF(64);
		uint8_t digest[SHA256_SIZE];

		add_hex(&wanted, rows[i].digest);
		assert_ok(SHA256_OF(digest, view_str(rows[i].text)));
		assert_view_equal(buf_view(&wanted), VIEW(digest));
	}
}

static void what_is_drawn_on_one_day_begins_alike_and_is_never_the_same(void **state)
{
	uint8_t a[16], b[16], later[16];

	(void)state;
	assert_ok(random_of_day(INT64_C(20000) * 86400, a, sizeof(a)));
	assert_ok(random_of_day(INT64_C(20001) * 86400 - 1, b, sizeof(b)));
	assert_ok(random_of_day(INT64_C(20001) * 86400, later, sizeof(later)));
	assert_memory_equal("\x4e\x20", a, 2);
	assert_memory_equal("\x4e\x20", b, 2);
	assert_memory_equal("\x4e\x21", later, 2);
	assert_memory_not_equal(a + 2, b + 2, 14);
}

static void pieces_are_digested_as_if_they_were_one(void **state)
{
	uint8_t whole[SHA256_SIZE], parts[SHA256_SIZE];

	(void)state;
	assert_ok(SHA256_OF(whole, view_str("abc")));
	assert_ok(SHA256_OF(parts, view_str("a"), view_str(""), view_str(NULL), view_str("bc")));
	assert_memory_equal(whole, parts, SHA256_SIZE);
	assert_ok(sha256(NULL, 0, parts));
	assert_ok(SHA256_OF(whole, view_str("")));
	assert_memory_equal(whole, parts, SHA256_SIZE);
}

/* HMAC pads keys with zeros to the block, and hashes longer ones to 32 bytes: so all fit. */
static void hmac_is_that_of_rfc_4231(void **state)
{
	static const struct {
		const char *key, *data, *mac;
	} rows[] = {
		{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
			"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			"dddddddddddddddddddddddddddddddddddddddddddddddddd"
			"dddddddddddddddddddddddddddddddddddddddddddddddddd",
			"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		{"0102030405060708090a0b0c0d0e0f10111213141516171819",
			"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
			"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
			"82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
		{"45ad4b37c6e2fc0a2cfcc1b5da524132ec707615c2cae1dbbc43c97aa521db81",
			"54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a6520"
			"4b6579202d2048617368204b6579204669727374",
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf key = BUF(32), data = BUF(256), wanted = BUF(32);
		struct secret_key padded = {{0}};
		uint8_t mac[SHA256_SIZE];
		struct view text;

		add_hex(&key, rows[i].key);
		add_hex(&data, rows[i].data);
		add_hex(&wanted, rows[i].mac);
		memcpy(padded.bytes, key.p, key.n);
		text = buf_view(&data);
		assert_ok(hmac_sha256(padded.bytes,
			(const struct view[]){{text.p, 5}, {NULL, 0}, {text.p + 5, text.n - 5}}, 3,
			mac));
		assert_view_equal(buf_view(&wanted), VIEW(mac));
	}
}

/* Their first 32 bytes: the vectors ask for 42 and 82. */
static void hkdf_is_that_of_rfc_5869(void **state)
{
	static const struct {
		const char *secret, *salt, *info, *key;
	} rows[] = {
		{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
			"f0f1f2f3f4f5f6f7f8f9",
			"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"},
		{"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
		 "28292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
			"606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
			"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
			"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
			"b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
			"d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
			"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
			"b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"},
		{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
			"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf secret = BUF(128), salt = BUF(128), info = BUF(128);
		AUTO(buf_free) struct buf wanted = BUF(32);
		uint8_t key[32];

		add_hex(&secret, rows[i].secret);
		add_hex(&salt, rows[i].salt);
		add_hex(&info, rows[i].info);
		add_hex(&wanted, rows[i].key);
		assert_ok(hkdf_sha256(buf_view(&secret), buf_view(&salt), buf_view(&info), key));
		assert_view_equal(buf_view(&wanted), VIEW(key));
	}
}

/* Test cases 13 to 16 of the GCM submission to NIST (McGrew and Viega). */
#define KEY_16 "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define PLAIN_16                                                                                   \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"                         \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define SEALED_16                                                                                  \
	"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"                         \
	"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
static const struct gcm_row {
	const char *key, *nonce, *aad, *plain, *sealed;
} gcm_rows[] = {
	{"0000000000000000000000000000000000000000000000000000000000000000",
		"000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
	{"0000000000000000000000000000000000000000000000000000000000000000",
		"000000000000000000000000", "", "00000000000000000000000000000000",
		"cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
	{KEY_16, "cafebabefacedbaddecaf888", "", PLAIN_16 "1aafd255",
		SEALED_16 "898015adb094dac5d93471bdec1a502270e3cc6c"},
	{KEY_16, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2", PLAIN_16,
		SEALED_16 "76fc6ece0f4e1768cddf8853bb2d551b"},
};

/* A row as bytes. */
struct gcm {
	struct buf key, nonce, aad, plain, sealed;
};

static void gcm_open(struct gcm *gcm, const struct gcm_row *row)
{
	*gcm = (struct gcm){BUF(32), BUF(12), BUF(64), BUF(128), BUF(128)};
	add_hex(&gcm->key, row->key);
	add_hex(&gcm->nonce, row->nonce);
	add_hex(&gcm->aad, row->aad);
	add_hex(&gcm->plain, row->plain);
	add_hex(&gcm->sealed, row->sealed);
}

static void gcm_close(struct gcm *gcm)
{
	buf_free(&gcm->key);
	buf_free(&gcm->nonce);
	buf_free(&gcm->aad);
	buf_free(&gcm->plain);
	buf_free(&gcm->sealed);
}

static enum err open_sealed(const struct gcm *gcm, struct buf *out)
{
	return aead_open(
		gcm->key.p, gcm->nonce.p, buf_view(&gcm->aad), buf_view(&gcm->sealed), out);
}

static void sealing_is_that_of_the_gcm_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(gcm_rows); i++) {
		AUTO(gcm_close) struct gcm gcm;
		AUTO(buf_free) struct buf sealed = BUF(128), plain = BUF(128);

		gcm_open(&gcm, &gcm_rows[i]);
		assert_ok(aead_seal(
			gcm.key.p, gcm.nonce.p, buf_view(&gcm.aad), buf_view(&gcm.plain), &sealed));
		assert_view_equal(buf_view(&gcm.sealed), buf_view(&sealed));
		assert_ok(open_sealed(&gcm, &plain));
		assert_view_equal(buf_view(&gcm.plain), buf_view(&plain));
	}
}

static void no_bit_of_what_is_sealed_may_change(void **state)
{
	AUTO(gcm_close) struct gcm gcm;
	AUTO(buf_free) struct buf plain = BUF(128);

	(void)state;
	gcm_open(&gcm, &gcm_rows[3]);
	struct buf *const parts[] = {&gcm.key, &gcm.nonce, &gcm.aad, &gcm.sealed};

	for (size_t part = 0; part < COUNT(parts); part++)
		for (size_t bit = 0; bit < 8 * parts[part]->n; bit++) {
			parts[part]->p[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_refused(open_sealed(&gcm, &plain), ERR_UNPROVEN, "seal");
			parts[part]->p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	assert_int_equal(0, plain.n);
	assert_ok(open_sealed(&gcm, &plain));
}

static void what_is_sealed_is_neither_cut_nor_lengthened(void **state)
{
	AUTO(gcm_close) struct gcm gcm;
	AUTO(buf_free) struct buf plain = BUF(128);
	struct view whole;

	(void)state;
	gcm_open(&gcm, &gcm_rows[3]);
	whole = buf_view(&gcm.sealed);
	for (size_t n = 0; n < whole.n; n++)
		assert_refused(aead_open(gcm.key.p, gcm.nonce.p, buf_view(&gcm.aad),
				       (struct view){whole.p, n}, &plain),
			ERR_UNPROVEN, "seal");
	buf_u8(&gcm.sealed, 0);
	assert_refused(open_sealed(&gcm, &plain), ERR_UNPROVEN, "seal");
	assert_int_equal(0, plain.n);
}

static void sealing_and_opening_stop_at_the_limit(void **state)
{
	AUTO(gcm_close) struct gcm gcm;
	AUTO(buf_free) struct buf exact = BUF(76), small = BUF(75), plain = BUF(59);

	(void)state;
	gcm_open(&gcm, &gcm_rows[3]);
	assert_ok(aead_seal(
		gcm.key.p, gcm.nonce.p, buf_view(&gcm.aad), buf_view(&gcm.plain), &exact));
	assert_refused(
		aead_seal(gcm.key.p, gcm.nonce.p, buf_view(&gcm.aad), buf_view(&gcm.plain), &small),
		ERR_TOO_LARGE, "too-large");
	assert_refused(open_sealed(&gcm, &plain), ERR_TOO_LARGE, "too-large");
	assert_int_equal(0, plain.n);
}

static void random_bytes_differ_each_time(void **state)
{
	uint8_t a[32], b[32];

	(void)state;
	assert_ok(random_bytes(a, sizeof(a)));
	assert_ok(random_bytes(b, sizeof(b)));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_ok(random_bytes(a, 0));
}

static void more_random_bytes_than_openssl_counts_are_refused(void **state)
{
	uint8_t a[1];

	(void)state;
	assert_refused(random_bytes(a, (size_t)INT32_MAX + 1), ERR_INTERNAL, "random");
}

static void a_wiped_key_is_zero(void **state)
{
	const struct secret_key zero = {{0}};
	struct secret_key key;

	(void)state;
	memset(key.bytes, 0xa5, sizeof(key.bytes));
	key_wipe(&key);
	assert_memory_equal(zero.bytes, key.bytes, sizeof(key.bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_drawn_on_one_day_begins_alike_and_is_never_the_same),
		cmocka_unit_test(sha256_is_that_of_fips_180_4),
		cmocka_unit_test(pieces_are_digested_as_if_they_were_one),
		cmocka_unit_test(hmac_is_that_of_rfc_4231),
		cmocka_unit_test(hkdf_is_that_of_rfc_5869),
		cmocka_unit_test(sealing_is_that_of_the_gcm_vectors),
		cmocka_unit_test(no_bit_of_what_is_sealed_may_change),
		cmocka_unit_test(what_is_sealed_is_neither_cut_nor_lengthened),
		cmocka_unit_test(sealing_and_opening_stop_at_the_limit),
		cmocka_unit_test(random_bytes_differ_each_time),
		cmocka_unit_test(more_random_bytes_than_openssl_counts_are_refused),
		cmocka_unit_test(a_wiped_key_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
