#include "enroll/tpm/identity.h"

#include "ca/base/cert.h"
#include "ca/base/file.h"
#include "tests/unit/check.h"
#include "tests/unit/trust/pki.h"

#define FIXTURES ENDORSE_SOURCE_DIR "/tests/fixtures/ek"

static struct trust *trust;

static void pass_over(void *ctx, const char *path, const char *reason)
{
	(void)ctx, (void)path, (void)reason;
}

static int open_trust(void **state)
{
	static const struct trust_source source = {.name = "quirks",
		.class = TRUST_OPERATOR_IMPORT,
		.roots = FIXTURES "/roots",
		.intermediates = FIXTURES "/intermediates",
		.crls = FIXTURES "/crls"};

	(void)state;
	assert_ok(trust_load(&source, 1, pass_over, NULL, &trust));
	return 0;
}

static int close_trust(void **state)
{
	(void)state;
	trust_free(&trust);
	return 0;
}

static enum err judge(struct view certificate, bool takes_unproven, struct identity **out)
{
	return identity_judge(&(struct identity_rules){.trust = trust,
				      .now = NOW,
				      .takes_unproven = takes_unproven,
				      .takes_expired = takes_unproven},
		&(struct ek_evidence){.certificate = certificate}, out);
}

/* Of an RSA key by an RSA CA, of P-384 by an ECC CA, and one in an encoding that is not DER. */
static const char *const good[] = {"good-rsa.der", "good-p384.der", "set-of.der"};

static void read_leaf(const char *name, struct buf *out)
{
	AUTO(mem_free) char *path = NULL;

	assert_true(asprintf(&path, FIXTURES "/leaves/%s", name) > 0);
	assert_ok(file_read(path, out));
}

/* Bytes of the certificate: from where until where. */
struct stretch {
	size_t from, until;
};

static struct stretch find(struct view der, struct view part)
{
	const uint8_t *at = memmem(der.p, der.n, part.p, part.n);

	assert_non_null(at);
	return (struct stretch){(size_t)(at - der.p), (size_t)(at - der.p) + part.n};
}

static bool is_in(struct stretch stretch, size_t at)
{
	return at >= stretch.from && at < stretch.until;
}

/* What says who signed it: the issuer's name, and the identifier of its key. */
static void find_issuer(struct view der, struct stretch out[static 2])
{
	AUTO(x509_free) X509 *cert = cert_from_der(der);
	const ASN1_OCTET_STRING *id = X509_get0_authority_key_id(cert);
	AUTO(ossl_free) uint8_t *name = NULL;
	int n = i2d_X509_NAME(X509_get_issuer_name(cert), &name);

	out[0] = find(der, (struct view){name, (size_t)n});
	out[1] =
		find(der, (struct view){ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)});
}

/* One that was altered is refused; with an issuer whom nobody knows it may be held, and no more. */
static void judge_flipped(
	const char *name, struct view der, size_t at, bool takes_unproven, bool may_be_held)
{
	AUTO(identity_free) struct identity *taken = NULL;

	if (judge(der, takes_unproven, &taken) != OK)
		return;
	if (!takes_unproven || !may_be_held || identity_trust(taken)->class != TRUST_UNPROVEN ||
		strcmp(identity_doubt(taken)->code, "ek-untrusted") != 0)
		fail_msg("%s: byte %zu (%02x) was taken", name, at, der.p[at]);
}

/* Every bit; where unproven ones are taken, one of each byte: it is the same code up to there. */
static void flip(const char *name, struct buf *der, const struct stretch issuer[static 2])
{
	for (size_t at = 0; at < der->n; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			bool may_be_held = is_in(issuer[0], at) || is_in(issuer[1], at);

			der->p[at] ^= (uint8_t)(1u << bit);
			judge_flipped(name, buf_view(der), at, false, may_be_held);
			if (bit == at % 8)
				judge_flipped(name, buf_view(der), at, true, may_be_held);
			der->p[at] ^= (uint8_t)(1u << bit);
		}
}

static void no_flipped_bit_is_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		AUTO(buf_free) struct buf der = BUF(8192);
		AUTO(identity_free) struct identity *identity = NULL;
		struct stretch issuer[2];

		read_leaf(good[i], &der);
		find_issuer(buf_view(&der), issuer);
		assert_ok(judge(buf_view(&der), false, &identity));
		flip(good[i], &der, issuer);
	}
}

/* A copy of its own in exact size, so that a sanitizer sees a byte read beyond it. */
static void no_truncation_is_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		AUTO(buf_free) struct buf der = BUF(8192);

		read_leaf(good[i], &der);
		for (size_t n = 1; n < der.n; n++) {
			AUTO(mem_free) uint8_t *copy = malloc(n);
			AUTO(identity_free) struct identity *identity = NULL;

			memcpy(copy, der.p, n);
			for (int takes_unproven = 0; takes_unproven < 2; takes_unproven++)
				assert_refused(
					judge((struct view){copy, n}, takes_unproven, &identity),
					ERR_MALFORMED, "ek-certificate");
		}
	}
}

/* What is around a certificate may be anything that can be cut off; the certificate stays what it is. */
static void a_flip_around_a_certificate_alters_nothing(void **state)
{
	static const char *const images[] = {"nv-ff.der", "nv-tpm12-header.der"};
	AUTO(buf_free) struct buf bare = BUF(8192);

	(void)state;
	read_leaf("good-rsa.der", &bare);
	for (size_t i = 0; i < COUNT(images); i++) {
		AUTO(buf_free) struct buf image = BUF(8192);

		read_leaf(images[i], &image);
		for (size_t at = 0; at < image.n; at++) {
			AUTO(identity_free) struct identity *identity = NULL;

			image.p[at] ^= 0x10;
			if (judge(buf_view(&image), false, &identity) == OK)
				assert_view_equal(buf_view(&bare), identity_certificate(identity));
			image.p[at] ^= 0x10;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_flipped_bit_is_accepted),
		cmocka_unit_test(no_truncation_is_accepted),
		cmocka_unit_test(a_flip_around_a_certificate_alters_nothing),
	};

	return cmocka_run_group_tests(tests, open_trust, close_trust);
}
