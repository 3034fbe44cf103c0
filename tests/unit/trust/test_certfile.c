#include "enroll/trust/certfile.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/trust/pki.h"

#include <openssl/pem.h>

static void a_certificate_is_read_whole(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(buf_free) struct buf der = BUF(8192);
	AUTO(x509_free) X509 *cert = NULL;

	(void)state;
	world_make(&world);
	certificate_add(world.leaf, &der);
	assert_ok(certificate_read(buf_view(&der), &cert));
	assert_int_equal(0, X509_cmp(cert, world.leaf));
}

/* `02 04 00 00 00 01` where the minimal form of a serial number is `02 01 01`. */
static const uint8_t odd_serial[] = {
	0x30, 0x0d, 0x30, 0x0b, 0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x04, 0x00, 0x00, 0x00, 0x01};

static void what_is_no_certificate_is_malformed(void **state)
{
	static const uint8_t sequence[] = {0x30, 0x00},
			     huge[] = {0x30, 0x84, 0xff, 0xff, 0xff, 0xff};
	const struct view rows[] = {{NULL, 0}, VIEW(sequence), VIEW(huge), VIEW(odd_serial),
		view_str("-----BEGIN CERTIFICATE-----\n")};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		X509 *cert = NULL;

		assert_refused(certificate_read(rows[i], &cert), ERR_MALFORMED, "ek-certificate");
		assert_string_equal("RFC 5280 4.1", why()->clause);
		assert_null(cert);
	}
}

static void no_part_and_no_more_than_a_certificate_is_read(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(buf_free) struct buf der = BUF(8192);
	X509 *cert = NULL;
	size_t n;

	(void)state;
	world_make(&world);
	certificate_add(world.leaf, &der);
	n = der.n;
	for (size_t cut = 0; cut < n; cut++)
		assert_refused(certificate_read((struct view){der.p, cut}, &cert), ERR_MALFORMED,
			"ek-certificate");
	buf_u8(&der, 0);
	assert_refused(certificate_read(buf_view(&der), &cert), ERR_MALFORMED, "ek-certificate");
	assert_null(cert);
}

struct seen {
	X509 *certificate[8];
	size_t n;
	size_t stop_at; /* refuse this one, counted from 1 */
};

static enum err see(void *ctx, X509 *cert)
{
	struct seen *seen = ctx;

	if (++seen->n == seen->stop_at)
		return refuse(ERR_CONFLICT, "enough", "a test", "that is enough");
	X509_up_ref(cert);
	seen->certificate[seen->n - 1] = cert;
	return OK;
}

static void seen_free(struct seen *seen)
{
	for (size_t i = 0; i < COUNT(seen->certificate); i++)
		X509_free(seen->certificate[i]);
}

static void add_pem(X509 *cert, struct buf *out)
{
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	uint8_t *pem;
	long n;

	assert_int_equal(1, PEM_write_bio_X509(bio, cert));
	n = BIO_get_mem_data(bio, &pem);
	buf_add(out, (struct view){pem, (size_t)n});
}

#define BROKEN "-----BEGIN CERTIFICATE-----\nMA0wC6ADAgECAgQAAAAB\n-----END CERTIFICATE-----\n"
#define NO_BASE64 "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"

/* Words around, and other things among, the certificates of a file. */
static void each_certificate_of_a_pem_text_is_seen_in_order(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(seen_free) struct seen seen = {0};
	AUTO(buf_free) struct buf text = BUF(1 << 16);

	(void)state;
	world_make(&world);
	buf_str(&text, "# the root\n");
	add_pem(world.root, &text);
	buf_str(&text, "Subject: somebody\n-----BEGIN PUBLIC KEY-----\nMA==\n"
		       "-----END PUBLIC KEY-----\nan intermediate:\n");
	add_pem(world.ca, &text);
	buf_str(&text, "end\n");
	assert_ok(certificate_each(buf_view(&text), see, &seen));
	assert_int_equal(2, seen.n);
	assert_int_equal(0, X509_cmp(world.root, seen.certificate[0]));
	assert_int_equal(0, X509_cmp(world.ca, seen.certificate[1]));
}

static void der_is_one_certificate(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(seen_free) struct seen seen = {0};
	AUTO(buf_free) struct buf der = BUF(1 << 16);

	(void)state;
	world_make(&world);
	certificate_add(world.root, &der);
	assert_ok(certificate_each(buf_view(&der), see, &seen));
	assert_int_equal(1, seen.n);
	certificate_add(world.ca, &der);
	assert_refused(
		certificate_each(buf_view(&der), see, &seen), ERR_MALFORMED, "ek-certificate");
	assert_int_equal(1, seen.n);
}

static void a_certificate_that_cannot_be_read_does_not_hide_the_others(void **state)
{
	static const char *const broken[] = {BROKEN, NO_BASE64};

	(void)state;
	for (size_t i = 0; i < COUNT(broken); i++) {
		AUTO(world_free) struct world world;
		AUTO(seen_free) struct seen seen = {0};
		AUTO(buf_free) struct buf text = BUF(1 << 16);

		world_make(&world);
		add_pem(world.root, &text);
		buf_str(&text, broken[i]);
		add_pem(world.ca, &text);
		assert_refused(certificate_each(buf_view(&text), see, &seen), ERR_MALFORMED,
			"certificate-file");
		assert_int_equal(2, seen.n);
		assert_int_equal(0, X509_cmp(world.ca, seen.certificate[1]));
	}
}

static void a_file_without_a_certificate_is_refused(void **state)
{
	static const char *const texts[] = {"", "hello\n", BROKEN, NO_BASE64,
		"-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nMA0w\n",
		"-----BEGIN PUBLIC KEY-----\nMA==\n-----END PUBLIC KEY-----\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(seen_free) struct seen seen = {0};

		assert_refused(certificate_each(view_str(texts[i]), see, &seen), ERR_MALFORMED,
			"certificate-file");
		assert_int_equal(0, seen.n);
	}
	assert_refused(certificate_each((struct view){NULL, 0}, see, NULL), ERR_MALFORMED,
		"certificate-file");
}

static void the_walk_ends_with_the_first_error(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(seen_free) struct seen seen = {.stop_at = 2};
	AUTO(buf_free) struct buf text = BUF(1 << 16);

	(void)state;
	world_make(&world);
	for (int i = 0; i < 4; i++)
		add_pem(world.root, &text);
	assert_refused(certificate_each(buf_view(&text), see, &seen), ERR_CONFLICT, "enough");
	assert_int_equal(2, seen.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_read_whole),
		cmocka_unit_test(what_is_no_certificate_is_malformed),
		cmocka_unit_test(no_part_and_no_more_than_a_certificate_is_read),
		cmocka_unit_test(each_certificate_of_a_pem_text_is_seen_in_order),
		cmocka_unit_test(der_is_one_certificate),
		cmocka_unit_test(a_certificate_that_cannot_be_read_does_not_hide_the_others),
		cmocka_unit_test(a_file_without_a_certificate_is_refused),
		cmocka_unit_test(the_walk_ends_with_the_first_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
