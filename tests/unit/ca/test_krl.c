#include "ca/base/file.h"
#include "ca/krl.h"
#include "ca/sshwire.h"
#include "tests/unit/ca/program.h"
#include "tests/unit/ca/sshworld.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#define AT 1800000000 /* 2027-01-15 */

/* A CA of ssh-keygen's. */
struct made {
	char *dir, *krl;
	struct buf ca;
};

static int setup(void **state)
{
	struct made *made = calloc(1, sizeof(*made));

	assert_non_null(made);
	made->dir = scratch_make();
	made->krl = path_join(made->dir, "krl");
	made->ca = BUF(SSHKEY_MAX);
	sshworld_keygen(made->dir, "ca", "ed25519", "256", "");
	sshworld_read(made->dir, "ca.pub", &made->ca);
	*state = made;
	return 0;
}

static int teardown(void **state)
{
	struct made *made = *state;

	scratch_remove(&made->dir);
	buf_free(&made->ca);
	free(made->krl);
	free(made);
	return 0;
}

static void write_krl(const struct made *made, const struct krl_content *content)
{
	AUTO(buf_free) struct buf bytes = BUF(KRL_MAX);

	assert_ok(krl_build(content, &bytes));
	scratch_put(made->dir, "krl", buf_view(&bytes));
}

static void write_serials(const struct made *made, struct view serials)
{
	const struct krl_section section = {.ca = buf_view(&made->ca), .serials = serials};

	write_krl(made, &(struct krl_content){7, AT, &section, 1, NULL, 0});
}

/* What ssh-keygen reads out of it. */
static void list(const struct made *made, struct buf *said)
{
	if (PROGRAM_RUN(said, "ssh-keygen", "-Q", "-l", "-f", made->krl) != 0)
		fail_msg("ssh-keygen: %s", buf_text(said));
}

static void assert_says(const struct buf *said, const char *words)
{
	if (strstr(buf_text(said), words) == NULL)
		fail_msg("no \"%s\" in:\n%s", words, buf_text(said));
}

/* The lines that ssh-keygen makes of them. */
static void expect(const uint64_t *serials, size_t n, struct buf *lines)
{
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && serials[k] == serials[k - 1] + 1;)
			k++;
		if (k == i + 1)
			buf_fmt(lines, "serial: %llu\n", (unsigned long long)serials[i]);
		else
			buf_fmt(lines, "serial: %llu-%llu\n", (unsigned long long)serials[i],
				(unsigned long long)serials[k - 1]);
	}
}

static void assert_reads_back(const struct made *made, const uint64_t *serials, size_t n)
{
	AUTO(buf_free) struct buf packed = BUF(1 << 22), said = BUF(1 << 24), lines = BUF(1 << 24);
	AUTO(buf_free) struct buf bytes = BUF(KRL_MAX);
	const struct krl_section section = {.ca = buf_view(&made->ca)};
	struct krl_section full = section;
	struct krl read;

	for (size_t i = 0; i < n; i++)
		buf_be64(&packed, serials[i]);
	full.serials = buf_view(&packed);
	assert_ok(krl_build(&(struct krl_content){7, AT, &full, 1, NULL, 0}, &bytes));
	scratch_put(made->dir, "krl", buf_view(&bytes));
	list(made, &said);
	expect(serials, n, &lines);
	assert_says(&said, buf_text(&lines));
	assert_ok(krl_parse(buf_view(&bytes), &read));
	assert_int_equal(n, read.serials);
}

static void openssh_reads_the_serials_that_were_written(void **state)
{
	static const struct {
		uint64_t step, n, every; /* each `every`-th is left out; 0: none is */
	} rows[] = {{1, 1, 0}, {1, 5000, 0}, {2, 9000, 0}, {1, 20000, 3}, {1000, 300, 0},
		{71, 1000, 5}, {8191, 20, 0}, {8192, 20, 0}, {1, 8192, 0}};
	static uint64_t serials[20000];

	for (size_t row = 0; row < COUNT(rows); row++) {
		uint64_t serial = 41;
		size_t n = 0;

		for (uint64_t i = 0; i < rows[row].n; i++, serial += rows[row].step)
			if (rows[row].every == 0 || i % rows[row].every != 0)
				serials[n++] = serial;
		assert_reads_back(*state, serials, n);
	}
	/* The edges of what there can be. */
	assert_reads_back(*state, (const uint64_t[]){1, 3, UINT64_MAX - 1, UINT64_MAX}, 4);
}

static void openssh_reads_serials_without_any_order_in_them(void **state)
{
	static uint64_t serials[4000];
	uint64_t serial = 0, random = 88172645463325252U;

	for (size_t i = 0; i < COUNT(serials); i++) {
		/* Gaps of all sizes: xorshift, so that it is the same each time. */
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		serial += 1 + random % (1U << (random >> 60));
		serials[i] = serial;
	}
	assert_reads_back(*state, serials, COUNT(serials));
}

static size_t size_of(uint64_t step, size_t n)
{
	AUTO(buf_free) struct buf packed = BUF(1 << 24), out = BUF(KRL_MAX);

	for (uint64_t i = 0; i < n; i++)
		buf_be64(&packed, 1 + i * step);
	assert_ok(krl_serials_add(buf_view(&packed), &out));
	return out.n;
}

static void each_density_has_the_form_that_is_smallest_for_it(void **state)
{
	(void)state;
	/* A range has 21 bytes, a list 5 and 8 for each, a bitmap a bit for each place. */
	assert_int_equal(21, size_of(1, 100000));
	assert_int_equal(13, size_of(1, 1));
	assert_int_equal(5 + 8 * 100, size_of(1000, 100));
	assert_in_range(size_of(10, 100000), 1000000 / 8, 1000000 / 8 * 103 / 100);
	assert_in_range(size_of(2, 100000), 200000 / 8, 200000 / 8 * 103 / 100);
}

static void devices_are_named_for_all_cas(void **state)
{
	const struct made *made = *state;
	AUTO(buf_free) struct buf ids = BUF(1024), said = BUF(1 << 16), bytes = BUF(KRL_MAX);
	struct krl_section section;
	struct krl read;

	sshwire_add_string(&ids, view_str("0123456789abcdef0123456789abcdef"));
	sshwire_add_string(&ids, view_str("fedcba9876543210fedcba9876543210"));
	section = (struct krl_section){.key_ids = buf_view(&ids)};
	write_krl(made, &(struct krl_content){7, AT, &section, 1, NULL, 0});
	list(made, &said);
	assert_says(&said, "# Wildcard CA\n");
	assert_says(&said, "id: 0123456789abcdef0123456789abcdef\n");
	assert_says(&said, "id: fedcba9876543210fedcba9876543210\n");
	assert_ok(krl_build(&(struct krl_content){7, AT, &section, 1, NULL, 0}, &bytes));
	assert_ok(krl_parse(buf_view(&bytes), &read));
	assert_int_equal(2, read.key_ids);
}

/* Certifies `dir`/user.pub by the CA, as ssh-keygen does. */
static void certify(const struct made *made, const char *serial, const char *key_id)
{
	AUTO(mem_free)
	char *ca = path_join(made->dir, "ca"), *pub = path_join(made->dir, "user.pub");
	AUTO(buf_free) struct buf said = BUF(1 << 16);

	if (PROGRAM_RUN(&said, "ssh-keygen", "-q", "-s", ca, "-I", key_id, "-n", "root", "-z",
		    serial, pub) != 0)
		fail_msg("ssh-keygen: %s", buf_text(&said));
}

static bool is_revoked(const struct made *made)
{
	AUTO(mem_free) char *cert = path_join(made->dir, "user-cert.pub");
	AUTO(buf_free) struct buf said = BUF(1 << 16);
	int code = PROGRAM_RUN(&said, "ssh-keygen", "-Q", "-f", made->krl, cert);

	if (strstr(buf_text(&said), code == 0 ? ": ok" : ": REVOKED") == NULL)
		fail_msg("ssh-keygen: %d: %s", code, buf_text(&said));
	return code != 0;
}

/* By its number, by its device, and by its CA: each alone. */
static void a_certificate_is_revoked_in_three_ways(void **state)
{
	const struct made *made = *state;
	AUTO(buf_free) struct buf serials = BUF(64), ids = BUF(64);
	struct krl_section by_serial, by_id;
	const struct view ca = buf_view(&made->ca);

	sshworld_keygen(made->dir, "user", "ed25519", "256", "");
	buf_be64(&serials, 42);
	sshwire_add_string(&ids, view_str("stolen"));
	by_serial = (struct krl_section){.ca = ca, .serials = buf_view(&serials)};
	by_id = (struct krl_section){.key_ids = buf_view(&ids)};
	certify(made, "42", "stolen");
	write_krl(made, &(struct krl_content){7, AT, NULL, 0, NULL, 0});
	assert_false(is_revoked(made));
	write_krl(made, &(struct krl_content){7, AT, &by_serial, 1, NULL, 0});
	assert_true(is_revoked(made));
	write_krl(made, &(struct krl_content){7, AT, &by_id, 1, NULL, 0});
	assert_true(is_revoked(made));
	write_krl(made, &(struct krl_content){7, AT, NULL, 0, &ca, 1});
	assert_true(is_revoked(made));
	certify(made, "43", "found");
	write_krl(made, &(struct krl_content){7, AT, &by_serial, 1, NULL, 0});
	assert_false(is_revoked(made));
	write_krl(made, &(struct krl_content){7, AT, &by_id, 1, NULL, 0});
	assert_false(is_revoked(made));
}

static void the_same_number_of_another_ca_is_good(void **state)
{
	const struct made *made = *state;
	AUTO(buf_free) struct buf serials = BUF(64), other = BUF(SSHKEY_MAX);
	struct krl_section section;

	sshworld_keygen(made->dir, "user", "ed25519", "256", "");
	sshworld_keygen(made->dir, "other", "ecdsa", "256", "");
	sshworld_read(made->dir, "other.pub", &other);
	certify(made, "42", "device");
	buf_be64(&serials, 42);
	section = (struct krl_section){.ca = buf_view(&other), .serials = buf_view(&serials)};
	write_krl(made, &(struct krl_content){7, AT, &section, 1, NULL, 0});
	assert_false(is_revoked(made));
}

static void the_bytes_are_those_of_the_specification(void **state)
{
	static const char wanted[] = "5353484b524c0a00" /* magic */
				     "00000001" /* format */
				     "0000000000000007" /* version */
				     "000000006b49d200" /* date */
				     "0000000000000000" /* flags */
				     "00000000" /* reserved */
				     "00000007656e646f727365" /* comment */
				     "01" /* certificates */
				     "0000001f"
				     "00000002" /* of the CA "ca" */
				     "6361"
				     "00000000" /* reserved */
				     "20" /* a list */
				     "00000010"
				     "0000000000000001"
				     "0000000000100000";
	AUTO(buf_free) struct buf serials = BUF(64), bytes = BUF(KRL_MAX), expected = BUF(1024);
	struct krl_section section;

	(void)state;
	buf_be64(&serials, 1);
	buf_be64(&serials, 0x100000);
	section = (struct krl_section){.ca = view_str("ca"), .serials = buf_view(&serials)};
	assert_ok(krl_build(&(struct krl_content){7, AT, &section, 1, NULL, 0}, &bytes));
	add_hex(&expected, wanted);
	assert_view_equal(buf_view(&expected), buf_view(&bytes));
}

static void serials_out_of_order_are_refused(void **state)
{
	static const uint64_t rows[][2] = {{0, 1}, {5, 5}, {6, 5}};
	AUTO(buf_free) struct buf out = BUF(1024);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf serials = BUF(64);

		buf_be64(&serials, rows[i][0]);
		buf_be64(&serials, rows[i][1]);
		assert_refused(
			krl_serials_add(buf_view(&serials), &out), ERR_INTERNAL, "krl-serials");
	}
	assert_refused(krl_serials_add(view_str("seven b"), &out), ERR_INTERNAL, "krl-serials");
}

#define HEAD                                                                                       \
	"5353484b524c0a00000000010000000000000007000000006b49d2000000000000000000"                 \
	"0000000000000007656e646f727365"
#define OF_ANY                                                                                     \
	"00000000"                                                                                 \
	"00000000"

/* Each is wrong in one thing. */
static void what_a_service_does_not_write_is_refused(void **state)
{
	static const struct {
		const char *name, *hex;
		enum err err;
	} rows[] = {
		{"nothing", "", ERR_MALFORMED},
		{"good, and empty", HEAD, OK},
		{"another magic", "5353484b524c0a010000000100", ERR_MALFORMED},
		{"cut within its head", "5353484b524c0a0000000001000000", ERR_MALFORMED},
		{"a byte behind it", HEAD "00", ERR_MALFORMED},
		{"a section without a length", HEAD "01", ERR_MALFORMED},
		{"a signature", HEAD "0400000000", ERR_MALFORMED},
		{"fingerprints", HEAD "0300000000", ERR_MALFORMED},
		{"good: a list", HEAD "0100000015" OF_ANY "20000000080000000000000001", OK},
		{"an empty list", HEAD "010000000d" OF_ANY "2000000000", ERR_MALFORMED},
		{"serial 0", HEAD "0100000015" OF_ANY "20000000080000000000000000", ERR_MALFORMED},
		{"a list that is cut", HEAD "0100000014" OF_ANY "200000000700000000000001",
			ERR_MALFORMED},
		{"good: a range",
			HEAD "010000001d" OF_ANY "210000001000000000000000010000000000000002", OK},
		{"a range backwards",
			HEAD "010000001d" OF_ANY "210000001000000000000000020000000000000001",
			ERR_MALFORMED},
		{"good: a bitmap", HEAD "010000001a" OF_ANY "220000000d00000000000000010000000101",
			OK},
		{"a bitmap of nothing",
			HEAD "0100000019" OF_ANY "220000000c000000000000000100000000",
			ERR_MALFORMED},
		{"an extension", HEAD "010000000d" OF_ANY "3900000000", ERR_MALFORMED},
		{"good: a key ID", HEAD "0100000012" OF_ANY "23000000050000000161", OK},
		{"an empty key ID", HEAD "0100000011" OF_ANY "230000000400000000", ERR_MALFORMED},
		{"a key that is none", HEAD "02000000050000000161", ERR_MALFORMED},
	};
	struct krl read;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf bytes = BUF(1024);

		add_hex(&bytes, rows[i].hex);
		assert_refused_in(
			rows[i].name, krl_parse(buf_view(&bytes), &read), rows[i].err, "krl");
	}
}

/* A mass revocation: what a host has to fetch. */
static void a_hundred_thousand_of_a_million_fit_into_a_few_bytes_each(void **state)
{
	const struct made *made = *state;
	AUTO(buf_free) struct buf packed = BUF(1 << 20), said = BUF(1 << 24);

	for (uint64_t serial = 1; serial <= 1000000; serial++)
		if (serial % 10 == 3 || serial == 77)
			buf_be64(&packed, serial);
	write_serials(made, buf_view(&packed));
	list(made, &said);
	assert_says(&said, "serial: 77\n");
	assert_says(&said, "serial: 999993\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(openssh_reads_the_serials_that_were_written),
		TEST(openssh_reads_serials_without_any_order_in_them),
		TEST(devices_are_named_for_all_cas),
		TEST(a_certificate_is_revoked_in_three_ways),
		TEST(the_same_number_of_another_ca_is_good),
		TEST(a_hundred_thousand_of_a_million_fit_into_a_few_bytes_each),
		cmocka_unit_test(each_density_has_the_form_that_is_smallest_for_it),
		cmocka_unit_test(the_bytes_are_those_of_the_specification),
		cmocka_unit_test(serials_out_of_order_are_refused),
		cmocka_unit_test(what_a_service_does_not_write_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
