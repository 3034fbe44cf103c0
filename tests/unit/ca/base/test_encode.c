#include "ca/base/encode.h"
#include "tests/unit/check.h"

static void base64_is_that_of_rfc_4648_section_10(void **state)
{
	static const struct {
		const char *plain, *text;
	} rows[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf text = BUF(64), plain = BUF(64);

		base64_add(&text, view_str(rows[i].plain));
		assert_string_equal(rows[i].text, buf_text(&text));
		assert_ok(base64_read(view_str(rows[i].text), &plain));
		assert_string_equal(rows[i].plain, buf_text(&plain));
		buf_free(&plain);
	}
}

static void every_byte_in_every_place_comes_back(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 3; n++)
		for (unsigned v = 0; v < 256; v++) {
			AUTO(buf_free) struct buf text = BUF(4), back = BUF(3);
			const uint8_t bytes[3] = {(uint8_t)v, (uint8_t)(255 - v), (uint8_t)(v * 7)};

			base64_add(&text, (struct view){bytes, n});
			assert_ok(base64_read(buf_view(&text), &back));
			assert_view_equal(buf_view(&back), ((struct view){bytes, n}));
			buf_free(&back);
		}
}

static void only_canonical_base64_is_taken(void **state)
{
	static const struct {
		const char *name;
		struct view text;
		enum err err;
	} rows[] = {
		{"base case, two pads", {(const uint8_t *)"Zg==", 4}, OK},
		{"base case, one pad", {(const uint8_t *)"Zm8=", 4}, OK},
		{"alphabet", {(const uint8_t *)"+/+/", 4}, OK},
		{"no padding", {(const uint8_t *)"Zg", 2}, ERR_MALFORMED},
		{"padding too short", {(const uint8_t *)"Zg=", 3}, ERR_MALFORMED},
		{"one character", {(const uint8_t *)"Z", 1}, ERR_MALFORMED},
		{"five characters", {(const uint8_t *)"Zm9vY", 5}, ERR_MALFORMED},
		{"pad bits of one byte: lowest", {(const uint8_t *)"Zh==", 4}, ERR_MALFORMED},
		{"pad bits of one byte: highest", {(const uint8_t *)"Zo==", 4}, ERR_MALFORMED},
		{"pad bits of two bytes: lowest", {(const uint8_t *)"Zm9=", 4}, ERR_MALFORMED},
		{"pad bits of two bytes: highest", {(const uint8_t *)"Zm+=", 4}, ERR_MALFORMED},
		{"three pads", {(const uint8_t *)"Z===", 4}, ERR_MALFORMED},
		{"nothing but pads", {(const uint8_t *)"====", 4}, ERR_MALFORMED},
		{"a quantum of pads after all", {(const uint8_t *)"Zm9v====", 8}, ERR_MALFORMED},
		{"padding, then more", {(const uint8_t *)"Zg==Zm9v", 8}, ERR_MALFORMED},
		{"a pad within", {(const uint8_t *)"Z=8=", 4}, ERR_MALFORMED},
		{"a pad third only", {(const uint8_t *)"Zg=A", 4}, ERR_MALFORMED},
		{"a pad first", {(const uint8_t *)"=m9v", 4}, ERR_MALFORMED},
		{"line end after it", {(const uint8_t *)"Zg==\n", 5}, ERR_MALFORMED},
		{"line end within", {(const uint8_t *)"Zm9\n", 4}, ERR_MALFORMED},
		{"blank", {(const uint8_t *)"Zm 9", 4}, ERR_MALFORMED},
		{"url alphabet: -", {(const uint8_t *)"Zm9-", 4}, ERR_MALFORMED},
		{"url alphabet: _", {(const uint8_t *)"Zm9_", 4}, ERR_MALFORMED},
		{"NUL", {(const uint8_t *)"Zm9\0", 4}, ERR_MALFORMED},
		{"not ASCII", {(const uint8_t *)"Zm9\xe9", 4}, ERR_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf out = BUF(16);

		assert_refused_in(
			rows[i].name, base64_read(rows[i].text, &out), rows[i].err, "base64");
	}
}

static void every_character_outside_the_alphabet_is_refused(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t taken = 0;

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		AUTO(buf_free) struct buf out = BUF(16);
		const uint8_t text[4] = {'A', (uint8_t)c, 'A', 'A'};

		if (memchr(alphabet, (int)c, 64) != NULL) {
			assert_ok(base64_read(VIEW(text), &out));
			taken++;
		} else {
			assert_refused(base64_read(VIEW(text), &out), ERR_MALFORMED, "base64");
		}
	}
	assert_int_equal(64, taken);
}

static void decoded_bytes_stop_at_the_limit(void **state)
{
	AUTO(buf_free) struct buf exact = BUF(3), small = BUF(2);

	(void)state;
	assert_ok(base64_read(view_str("Zm9v"), &exact));
	assert_refused(base64_read(view_str("Zm9v"), &small), ERR_TOO_LARGE, "too-large");
}

static void hexadecimal_is_written_in_lower_case(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x09, 0x0a, 0xf0, 0xff, 0x7b};
	AUTO(buf_free) struct buf out = BUF(16);
	char text[13];

	(void)state;
	hex_write(VIEW(bytes), text);
	assert_string_equal("00090af0ff7b", text);
	hex_add(&out, VIEW(bytes));
	assert_string_equal("00090af0ff7b", buf_text(&out));
	hex_write((struct view){NULL, 0}, text);
	assert_string_equal("", text);
}

static void hexadecimal_is_read_at_its_exact_length(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		enum err err;
	} rows[] = {
		{"0aF9", 4, OK},
		{"0af", 3, ERR_MALFORMED},
		{"0af90", 5, ERR_MALFORMED},
		{"0af90a", 6, ERR_MALFORMED},
		{"", 0, ERR_MALFORMED},
		{"0ag9", 4, ERR_MALFORMED},
		{"g0f9", 4, ERR_MALFORMED},
		{"0a`9", 4, ERR_MALFORMED},
		{"0a@9", 4, ERR_MALFORMED},
		{"0a/9", 4, ERR_MALFORMED},
		{"0a:9", 4, ERR_MALFORMED},
		{"0a\x11"
		 "9",
			4, ERR_MALFORMED}, /* '1' without a bit that case folding sets */
		{"0a 9", 4, ERR_MALFORMED},
		{"0x0a", 4, ERR_MALFORMED},
		{"0a\0\0", 4, ERR_MALFORMED},
		{"0a9\n", 4, ERR_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct view text = {(const uint8_t *)rows[i].text, rows[i].length};
		uint8_t out[2];

		assert_refused_in(rows[i].text, hex_read(text, out, 2), rows[i].err, "hex");
		if (rows[i].err == OK)
			assert_memory_equal("\x0a\xf9", out, 2);
	}
}

static void no_hexadecimal_digits_are_no_bytes(void **state)
{
	uint8_t out[1] = {7};

	(void)state;
	assert_ok(hex_read((struct view){NULL, 0}, out, 0));
	assert_int_equal(7, out[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_is_that_of_rfc_4648_section_10),
		cmocka_unit_test(every_byte_in_every_place_comes_back),
		cmocka_unit_test(only_canonical_base64_is_taken),
		cmocka_unit_test(every_character_outside_the_alphabet_is_refused),
		cmocka_unit_test(decoded_bytes_stop_at_the_limit),
		cmocka_unit_test(hexadecimal_is_written_in_lower_case),
		cmocka_unit_test(hexadecimal_is_read_at_its_exact_length),
		cmocka_unit_test(no_hexadecimal_digits_are_no_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
