#include "ca/sshkey.h"

#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/edwards.h"
#include "ca/sshwire.h"
#include "tests/unit/ca/program.h"
#include "tests/unit/ca/sshworld.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <openssl/pem.h>

static enum err parse(struct view blob)
{
	AUTO(buf_free) struct buf bits = BUF(SSHKEY_MAX);
	struct grant_key key;

	return sshkey_parse(blob, &bits, &key);
}

static enum err line(struct view text)
{
	AUTO(buf_free) struct buf blob = BUF(SSHKEY_MAX);

	return sshkey_line(text, &blob);
}

/* The first two words of a file, as they were written. */
static void read_words(const char *dir, const char *name, struct buf *out)
{
	AUTO(mem_free) char *path = path_join(dir, name);
	AUTO(buf_free) struct buf text = BUF(1 << 16);
	const char *space;

	assert_ok(file_read(path, &text));
	space = strchr(strchr(buf_text(&text), ' ') + 1, ' ');
	assert_non_null(space);
	buf_add(out, (struct view){text.p, (size_t)(space - buf_text(&text))});
}

static void assert_fingerprint(const char *dir, const char *name, struct view blob)
{
	AUTO(mem_free) char *path = path_join(dir, name);
	AUTO(buf_free) struct buf said = BUF(1 << 16), ours = BUF(128);

	assert_int_equal(0, PROGRAM_RUN(&said, "ssh-keygen", "-l", "-f", path));
	assert_ok(sshkey_fingerprint(blob, &ours));
	buf_str(&ours, " ");
	assert_non_null(strstr(buf_text(&said), buf_text(&ours)));
}

/* What is read of `dir`/key.pub is written as it was. */
static void assert_same_again(const char *dir, struct view text)
{
	AUTO(buf_free) struct buf words = BUF(1 << 16), written = BUF(1 << 16);
	AUTO(buf_free) struct buf blob = BUF(SSHKEY_MAX), bits = BUF(SSHKEY_MAX);
	AUTO(buf_free) struct buf again = BUF(SSHKEY_MAX), of = BUF(SSHKEY_MAX);
	AUTO(pkey_free) EVP_PKEY *public = NULL;
	struct grant_key key;

	assert_ok(sshkey_line(text, &blob));
	assert_ok(sshkey_parse(buf_view(&blob), &bits, &key));
	assert_ok(sshkey_blob(&key, &again));
	assert_view_equal(buf_view(&blob), buf_view(&again));
	assert_ok(sshkey_public(buf_view(&blob), &public));
	assert_ok(sshkey_blob_of(public, &of));
	assert_view_equal(buf_view(&blob), buf_view(&of));
	read_words(dir, "key.pub", &words);
	assert_ok(sshkey_text(buf_view(&blob), &written));
	assert_string_equal(buf_text(&words), buf_text(&written));
	assert_fingerprint(dir, "key.pub", buf_view(&blob));
}

static void keys_of_ssh_keygen_are_read_and_written_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < sshworld_kinds_n; i++) {
		AUTO(scratch_remove) char *dir = scratch_make();
		AUTO(mem_free) char *path = path_join(dir, "key.pub");
		AUTO(buf_free) struct buf text = BUF(1 << 16);

		sshworld_keygen(dir, "key", sshworld_kinds[i].type, sshworld_kinds[i].bits,
			"somebody of somewhere");
		assert_ok(file_read(path, &text));
		assert_same_again(dir, buf_view(&text));
	}
}

/* As ssh-keygen converts it for others. */
static void a_key_is_the_one_that_openssl_sees(void **state)
{
	static const char *const kinds[][2] = {{"rsa", "2048"}, {"ecdsa", "256"}, {"ecdsa", "521"}};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		AUTO(scratch_remove) char *dir = scratch_make();
		AUTO(mem_free) char *path = path_join(dir, "key");
		AUTO(buf_free) struct buf said = BUF(1 << 16), blob = BUF(SSHKEY_MAX);
		AUTO(buf_free) struct buf of = BUF(SSHKEY_MAX);
		AUTO(pkey_free) EVP_PKEY *key = NULL;
		AUTO(bio_free) BIO *bio = NULL;

		sshworld_keygen(dir, "key", kinds[i][0], kinds[i][1], "");
		assert_int_equal(
			0, PROGRAM_RUN(&said, "ssh-keygen", "-e", "-m", "PKCS8", "-f", path));
		bio = BIO_new_mem_buf(said.p, (int)said.n);
		assert_non_null(key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL));
		assert_ok(sshkey_blob_of(key, &of));
		sshworld_read(dir, "key.pub", &blob);
		assert_view_equal(buf_view(&blob), buf_view(&of));
	}
}

/* What a key is made of in the rows below; numbers in hexadecimal. */
struct pieces {
	const char *name;
	const char *type, *curve; /* strings; NULL: none */
	const char *fields[3]; /* the same */
};

static void assemble(const struct pieces *pieces, struct buf *out)
{
	sshwire_add_string(out, view_str(pieces->type));
	if (pieces->curve != NULL)
		sshwire_add_string(out, view_str(pieces->curve));
	for (size_t i = 0; i < COUNT(pieces->fields) && pieces->fields[i] != NULL; i++) {
		AUTO(buf_free) struct buf field = BUF(SSHKEY_MAX);

		add_hex(&field, pieces->fields[i]);
		sshwire_add_string(out, buf_view(&field));
	}
}

#define ED "ssh-ed25519"
#define P256 "ecdsa-sha2-nistp256"
/* RFC 8032 7.1, TEST 1, and P-256's generator (SEC 2 2.4.2). */
#define ED_KEY "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define GX "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define GY "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
/* The same with one bit of Y turned. */
#define GY_OFF "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f4"
#define ZERO32 "0000000000000000000000000000000000000000000000000000000000000000"

static const struct pieces good[] = {
	{"Ed25519", ED, NULL, {ED_KEY}},
	{"P-256", P256, "nistp256", {"04" GX GY}},
};

static const struct pieces bad[] = {
	{"another curve", P256, "nistp384", {"04" GX GY}},
	{"a type of another curve", "ecdsa-sha2-nistp384", "nistp384", {"04" GX GY}},
	{"a point that is short", P256, "nistp256", {"03" GX}},
	{"a point in the hybrid form", P256, "nistp256", {"07" GX GY}},
	{"a point off the curve", P256, "nistp256", {"04" GX GY_OFF}},
	{"a point of zeros", P256, "nistp256", {"04" ZERO32 ZERO32}},
	{"the point at infinity", P256, "nistp256", {"00"}},
	{"a point that is cut", P256, "nistp256", {"04" GX}},
	{"a point with more behind", P256, "nistp256", {"04" GX GY "00"}},
	{"no point", P256, "nistp256", {""}},
	{"31 bytes", ED, NULL, {"5a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"}},
	{"33 bytes", ED, NULL, {ED_KEY "00"}},
	{"no point of the curve", ED, NULL,
		{"0200000000000000000000000000000000000000000000000000000000000000"}},
	{"a number beyond the field", ED, NULL,
		{"f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}},
	{"order 1", ED, NULL, {"0100000000000000000000000000000000000000000000000000000000000000"}},
	{"order 2", ED, NULL, {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}},
	{"order 4", ED, NULL, {ZERO32}},
	{"order 4, x odd", ED, NULL,
		{"0000000000000000000000000000000000000000000000000000000000000080"}},
	{"order 8", ED, NULL, {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"}},
	{"order 8, x odd", ED, NULL,
		{"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"}},
	{"the other of order 8", ED, NULL,
		{"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"}},
	{"a second field", ED, NULL, {ED_KEY, ""}},
	{"a FIDO token's Ed25519", "sk-ssh-ed25519@openssh.com", NULL, {ED_KEY, "7373683a"}},
	{"a FIDO token's ECDSA", "sk-ecdsa-sha2-nistp256@openssh.com", "nistp256",
		{"04" GX GY, "7373683a"}},
	{"Ed448", "ssh-ed448", NULL, {ED_KEY}},
	{"DSA", "ssh-dss", NULL, {"11", "07"}},
	{"a type that cannot be printed", "ssh-\033[31m", NULL, {ED_KEY}},
	{"no type", "", NULL, {ED_KEY}},
	{"no fields", "ssh-rsa", NULL, {NULL}},
};

static void a_key_that_is_not_whole_of_its_type_and_a_good_one_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		AUTO(buf_free) struct buf blob = BUF(SSHKEY_MAX);

		assemble(&good[i], &blob);
		assert_ok(parse(buf_view(&blob)));
		for (size_t n = 0; n < blob.n; n++)
			assert_refused(parse((struct view){blob.p, n}), ERR_MALFORMED, "ssh-key");
		buf_u8(&blob, 0);
		assert_refused(parse(buf_view(&blob)), ERR_MALFORMED, "ssh-key");
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		AUTO(buf_free) struct buf blob = BUF(SSHKEY_MAX);

		assemble(&bad[i], &blob);
		assert_refused_in(bad[i].name, parse(buf_view(&blob)), ERR_MALFORMED, "ssh-key");
	}
	assert_refused(parse((struct view){NULL, 0}), ERR_MALFORMED, "ssh-key");
}

/* An RSA key of so many bits, the highest and the lowest of them set, and an exponent. */
static void rsa(struct buf *out, size_t bits, const char *exponent, uint8_t lowest)
{
	AUTO(buf_free) struct buf number = BUF(SSHKEY_MAX), e = BUF(64);
	size_t n = (bits + 7) / 8;

	if (bits % 8 == 0)
		buf_u8(&number, 0);
	buf_u8(&number, (uint8_t)(1 << (bits - 1) % 8));
	for (size_t i = 2; i < n; i++)
		buf_u8(&number, 0x5a);
	buf_u8(&number, lowest);
	add_hex(&e, exponent);
	sshwire_add_string(out, view_str("ssh-rsa"));
	sshwire_add_string(out, buf_view(&e));
	sshwire_add_string(out, buf_view(&number));
}

static const struct {
	const char *name;
	size_t bits;
	const char *exponent;
	uint8_t lowest;
	enum err err;
} rsas[] = {
	{"2048 bits", 2048, "010001", 1, OK},
	{"4096 bits", 4096, "010001", 1, OK},
	{"a large exponent", 3072,
		"0080000000000000000000000000000000000000000000000000000000000000"
		"01",
		1, OK},
	{"1024 bits", 1024, "010001", 1, ERR_MALFORMED},
	{"2047 bits", 2047, "010001", 1, ERR_MALFORMED},
	{"4097 bits", 4097, "010001", 1, ERR_MALFORMED},
	{"8192 bits", 8192, "010001", 1, ERR_MALFORMED},
	{"an even modulus", 2048, "010001", 2, ERR_MALFORMED},
	{"exponent 1", 2048, "01", 1, ERR_MALFORMED},
	{"exponent 3", 2048, "03", 1, ERR_MALFORMED},
	{"exponent 35", 2048, "23", 1, ERR_MALFORMED},
	{"an even exponent", 2048, "010002", 1, ERR_MALFORMED},
	{"an exponent of 257 bits", 2048,
		"010000000000000000000000000000000000000000000000000000000000000001", 1,
		ERR_MALFORMED},
	{"exponent 0", 2048, "", 1, ERR_MALFORMED},
	{"a negative exponent", 2048, "810001", 1, ERR_MALFORMED},
	{"an exponent with a zero in front", 2048, "00010001", 1, ERR_MALFORMED},
};

static void of_rsa_only_good_sizes_and_exponents_are_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rsas); i++) {
		AUTO(buf_free) struct buf blob = BUF(SSHKEY_MAX);

		rsa(&blob, rsas[i].bits, rsas[i].exponent, rsas[i].lowest);
		assert_refused_in(rsas[i].name, parse(buf_view(&blob)), rsas[i].err, "ssh-key");
	}
}

#define ED_BASE64 "AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"

static const struct {
	const char *text;
	enum err err;
} lines[] = {
	{ED " " ED_BASE64, OK},
	{ED " " ED_BASE64 "\n", OK},
	{ED " " ED_BASE64 "\r\n", OK},
	{ED " " ED_BASE64 " a comment, with \"quotes\"\n", OK},
	{ED "\t" ED_BASE64 "  two blanks", OK},
	{"", ERR_MALFORMED},
	{"\n", ERR_MALFORMED},
	{ED, ERR_MALFORMED},
	{ED " ", ERR_MALFORMED},
	{ED " AAAA\n", ERR_MALFORMED},
	{" " ED " " ED_BASE64, ERR_MALFORMED},
	{ED " " ED_BASE64 "\n\n", ERR_MALFORMED},
	{ED " " ED_BASE64 "\n" ED " " ED_BASE64 "\n", ERR_MALFORMED},
	{ED " " ED_BASE64 "=", ERR_MALFORMED},
	{"restrict " ED " " ED_BASE64, ERR_MALFORMED},
	{"@cert-authority * " ED " " ED_BASE64, ERR_MALFORMED},
	{"ssh-rsa " ED_BASE64, ERR_MALFORMED},
	{"-----BEGIN PUBLIC KEY-----", ERR_MALFORMED},
};

static void a_line_is_a_type_its_key_and_a_comment(void **state)
{
	static const char nul[] = ED " " ED_BASE64 " a\0b";

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_refused_in(
			lines[i].text, line(view_str(lines[i].text)), lines[i].err, "ssh-key");
	assert_refused(line((struct view){(const uint8_t *)nul, sizeof(nul) - 1}), ERR_MALFORMED,
		"ssh-key");
}

/* Others of OpenSSH's own making. */
static void certificates_and_short_keys_of_ssh_keygen_are_refused(void **state)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(mem_free) char *ca = path_join(dir, "ca"), *key = path_join(dir, "key.pub");
	AUTO(buf_free) struct buf said = BUF(1 << 16), certificate = BUF(1 << 16);
	AUTO(buf_free) struct buf weak = BUF(SSHKEY_MAX), text = BUF(1 << 16);

	(void)state;
	sshworld_keygen(dir, "ca", "ecdsa", "256", "");
	sshworld_keygen(dir, "key", "ed25519", "256", "");
	sshworld_keygen(dir, "weak", "rsa", "1024", "");
	assert_int_equal(0, PROGRAM_RUN(&said, "ssh-keygen", "-q", "-s", ca, "-I", "id", "-h", "-n",
				    "a.example.org", key));
	sshworld_read(dir, "key-cert.pub", &certificate);
	assert_refused(parse(buf_view(&certificate)), ERR_MALFORMED, "ssh-key");
	assert_non_null(strstr(why()->sentence, "without -cert"));
	assert_ok(sshkey_text(buf_view(&certificate), &text));
	assert_refused(line(buf_view(&text)), ERR_MALFORMED, "ssh-key");
	sshworld_read(dir, "weak.pub", &weak);
	assert_refused(parse(buf_view(&weak)), ERR_MALFORMED, "ssh-key");
}

static enum err blob_of(const char *curve, struct view bits)
{
	AUTO(buf_free) struct buf blob = BUF(SSHKEY_MAX);

	return sshkey_blob(&(struct grant_key){curve, bits}, &blob);
}

static void a_grants_key_that_openssh_does_not_have_is_refused(void **state)
{
	AUTO(pkey_free) EVP_PKEY *small = EVP_RSA_gen(1024), *point = EVP_EC_gen("brainpoolP256r1");
	AUTO(buf_free) struct buf bits = BUF(SSHKEY_MAX), blob = BUF(SSHKEY_MAX);
	AUTO(buf_free) struct buf tail = BUF(SSHKEY_MAX);
	struct grant_key key;

	(void)state;
	assert_ok(key_public(small, &bits, &key));
	assert_refused(blob_of(NULL, key.bits), ERR_MALFORMED, "ssh-key");
	assert_refused(blob_of(NULL, view_str("0")), ERR_MALFORMED, "ssh-key");
	assert_refused(blob_of("secp256k1", key.bits), ERR_MALFORMED, "ssh-key");
	assert_refused(blob_of("prime256v1", key.bits), ERR_MALFORMED, "ssh-key");
	assert_refused(sshkey_blob_of(point, &blob), ERR_REJECTED, "key-kind");
	EVP_PKEY_free(small);
	small = EVP_RSA_gen(2048);
	buf_free(&bits);
	assert_ok(key_public(small, &bits, &key));
	assert_ok(blob_of(NULL, key.bits));
	buf_add(&tail, key.bits);
	buf_u8(&tail, 0);
	assert_refused(blob_of(NULL, buf_view(&tail)), ERR_MALFORMED, "ssh-key");
}

static void a_text_is_made_of_what_can_be_printed(void **state)
{
	static const uint8_t blob[] = {0, 0, 0, 2, 'a', '\n'}, none[] = {0, 0, 0, 0};
	AUTO(buf_free) struct buf text = BUF(1024);

	(void)state;
	assert_refused(sshkey_text(VIEW(blob), &text), ERR_MALFORMED, "ssh-key");
	assert_refused(sshkey_text(VIEW(none), &text), ERR_MALFORMED, "ssh-key");
}

/* Every key that OpenSSL makes is one; of all other bytes about half are points. */
static void a_point_is_told_from_bytes(void **state)
{
	size_t points = 0;

	(void)state;
	for (size_t i = 0; i < 32; i++) {
		AUTO(pkey_free) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		uint8_t bytes[EDWARDS_SIZE], count[EDWARDS_SIZE] = {2};
		size_t n = sizeof(bytes);

		assert_int_equal(1, EVP_PKEY_get_raw_public_key(key, bytes, &n));
		assert_true(edwards_is_key(VIEW(bytes)));
		count[1] = (uint8_t)i;
		points += edwards_is_key(VIEW(count)) ? 1 : 0;
	}
	assert_in_range(points, 4, 28);
	assert_false(edwards_is_key((struct view){NULL, 0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_ssh_keygen_are_read_and_written_again),
		cmocka_unit_test(a_key_is_the_one_that_openssl_sees),
		cmocka_unit_test(a_key_that_is_not_whole_of_its_type_and_a_good_one_is_refused),
		cmocka_unit_test(of_rsa_only_good_sizes_and_exponents_are_taken),
		cmocka_unit_test(a_line_is_a_type_its_key_and_a_comment),
		cmocka_unit_test(certificates_and_short_keys_of_ssh_keygen_are_refused),
		cmocka_unit_test(a_grants_key_that_openssh_does_not_have_is_refused),
		cmocka_unit_test(a_text_is_made_of_what_can_be_printed),
		cmocka_unit_test(a_point_is_told_from_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
