#include "tunnel.h"

#include "ca/base/cert.h"

#include <openssl/x509v3.h>
#include <string.h>

#define CLIENT_USAGE "clientAuth"

struct fault {
	const char *name;
	/* What the certificate is, but for its key and its names. */
	const char *usage;
	bool is_ca, is_strangers;
	long from, until;
	const char *code; /* NULL: it is good */
};

static X509 *certificate(struct scene *s, const struct fault *fault, EVP_PKEY *key, const char *dns)
{
	return scene_certificate(
		s, &(struct recipe){.name = "AK",
			   .dns = dns,
			   .usage = fault->usage,
			   .is_ca = fault->is_ca,
			   .key = key,
			   .issuer = fault->is_strangers ? s->stranger.intermediate : NULL,
			   .issuer_key = fault->is_strangers ? s->stranger.key : NULL,
			   .from = fault->from,
			   .until = fault->until});
}

static void assert_broken(struct scene *s, const struct fault *fault, enum link_part part)
{
	enum link_part broken;
	enum err err = link_judge(&s->question, &broken);

	if (fault->code == NULL && err == OK)
		return;
	if (fault->code == NULL || err == OK || broken != part ||
		strcmp(why()->code, fault->code) != 0)
		fail_msg("%s: part %d, \"%s\": %s", fault->name, (int)broken,
			err == OK ? "" : why()->code, err == OK ? "" : why()->sentence);
}

static void an_ak_certificate_is_the_cas_and_for_an_ak_alone(void **state)
{
	static const struct fault faults[] = {
		{"good", AK_USAGE, false, false, 0, 0, NULL},
		{"by a stranger", AK_USAGE, false, true, 0, 0, "link-chain"},
		{"ended", AK_USAGE, false, false, -7200, -3600, "link-chain"},
		{"not begun", AK_USAGE, false, false, 3600, 7200, "link-chain"},
		{"a CA's", AK_USAGE, true, false, 0, 0, "link-usage"},
		{"without a usage", NULL, false, false, 0, 0, "link-usage"},
		{"platform-property", PROPERTY_USAGE, false, false, 0, 0, "link-usage"},
		{"TLS", "serverAuth", false, false, 0, 0, "link-usage"},
		{"an EK's", "2.23.133.8.1", false, false, 0, 0, "link-usage"},
		{"both", AK_USAGE "," PROPERTY_USAGE, false, false, 0, 0, "link-usage"},
		{"any", "anyExtendedKeyUsage", false, false, 0, 0, "link-usage"},
		{"and any", AK_USAGE ",anyExtendedKeyUsage", false, false, 0, 0, "link-usage"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct scene s;

		scene_make(&s);
		s.question.ak = certificate(&s, &faults[i], s.victim.ak.pkey, NULL);
		assert_broken(&s, &faults[i], LINK_AK);
		scene_free(&s);
	}
}

static void a_platform_property_certificate_is_the_cas_and_for_that_alone(void **state)
{
	static const struct fault faults[] = {
		{"good", PROPERTY_USAGE, false, false, 0, 0, NULL},
		{"by a stranger", PROPERTY_USAGE, false, true, 0, 0, "link-chain"},
		{"ended", PROPERTY_USAGE, false, false, -7200, -3600, "link-chain"},
		{"not begun", PROPERTY_USAGE, false, false, 3600, 7200, "link-chain"},
		{"a CA's", PROPERTY_USAGE, true, false, 0, 0, "link-usage"},
		{"without a usage", NULL, false, false, 0, 0, "link-usage"},
		{"an AK's", AK_USAGE, false, false, 0, 0, "link-usage"},
		{"TLS", "serverAuth", false, false, 0, 0, "link-usage"},
		{"both", PROPERTY_USAGE "," AK_USAGE, false, false, 0, 0, "link-usage"},
		{"any", "anyExtendedKeyUsage", false, false, 0, 0, "link-usage"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct scene s;

		scene_make(&s);
		s.question.property = certificate(&s, &faults[i], s.victim.ak.pkey, s.victim.name);
		assert_broken(&s, &faults[i], LINK_PROPERTY);
		scene_free(&s);
	}
}

static void an_endpoints_certificate_is_in_time_for_tls_and_its_own_or_the_cas(void **state)
{
	static const struct fault faults[] = {
		{"by the CA", "serverAuth", false, false, 0, 0, NULL},
		{"by the CA, for anything", NULL, false, false, 0, 0, NULL},
		{"by a stranger", NULL, false, true, 0, 0, "link-signature"},
		{"ended", NULL, false, false, -7200, -3600, "certificate-dates"},
		{"not begun", NULL, false, false, 3600, 7200, "certificate-dates"},
		{"a client's", CLIENT_USAGE, false, false, 0, 0, "link-usage"},
		{"platform-property", PROPERTY_USAGE, false, false, 0, 0, "link-usage"},
		{"an AK's", AK_USAGE, false, false, 0, 0, "link-usage"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct scene s;

		scene_make(&s);
		s.question.endpoint = certificate(&s, &faults[i], s.victim.key, s.victim.name);
		assert_broken(&s, &faults[i], LINK_ENDPOINT);
		scene_free(&s);
	}
}

/* The same for one that signs itself, which the CA knows nothing of. */
static void a_self_signed_certificate_is_in_time_and_really_is(void **state)
{
	static const struct fault faults[] = {
		{"good", "serverAuth", false, false, -60, 3600, NULL},
		/* As `openssl req -x509` makes it. */
		{"a CA's", NULL, true, false, -60, 3600, NULL},
		{"ended", NULL, false, false, -7200, -3600, "certificate-dates"},
		{"not begun", NULL, false, false, 3600, 7200, "certificate-dates"},
		{"a client's", CLIENT_USAGE, false, false, -60, 3600, "link-usage"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct scene s;

		scene_make(&s);
		s.question.endpoint = scene_certificate(&s, &(struct recipe){.name = "endpoint",
								    .dns = s.victim.name,
								    .usage = faults[i].usage,
								    .is_ca = faults[i].is_ca,
								    .key = s.victim.key,
								    .issuer_key = s.victim.key,
								    .from = faults[i].from,
								    .until = faults[i].until});
		assert_broken(&s, &faults[i], LINK_ENDPOINT);
		scene_free(&s);
	}
}

static void an_altered_self_signature_is_refused(void **state)
{
	static const struct fault fault = {.name = "altered", .code = "link-signature"};
	AUTO(buf_free) struct buf der = BUF(CERTS_MAX);
	AUTO(x509_free) X509 *altered = NULL;
	struct scene s;

	(void)state;
	scene_make(&s);
	assert_int_equal(OK, cert_der_add(s.victim.endpoint, &der));
	der.p[der.n - 1] ^= 1;
	altered = cert_from_der(buf_view(&der));
	assert_non_null(altered);
	s.question.endpoint = altered;
	assert_broken(&s, &fault, LINK_ENDPOINT);
	scene_free(&s);
}

/* An EC key on no curve that OpenSSL knows is no key; two of them would be equal. */
static void a_certificate_whose_key_cannot_be_read_is_refused(void **state)
{
	static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	static const struct fault fault = {.name = "no key", .code = "link-key"};
	AUTO(buf_free) struct buf der = BUF(CERTS_MAX);
	AUTO(x509_free) X509 *odd = NULL;
	uint8_t *curve;
	struct scene s;

	(void)state;
	scene_make(&s);
	assert_int_equal(OK, cert_der_add(s.victim.endpoint, &der));
	curve = memmem(der.p, der.n, p256, sizeof(p256));
	assert_non_null(curve);
	curve[9] = 0x70;
	odd = cert_from_der(buf_view(&der));
	assert_non_null(odd);
	s.question.endpoint = odd;
	assert_broken(&s, &fault, LINK_ENDPOINT);
	scene_free(&s);
}

static void without_its_intermediate_no_certificate_leads_to_the_ca(void **state)
{
	static const struct fault fault = {.name = "no intermediate", .code = "link-chain"};
	struct scene s;

	(void)state;
	scene_make(&s);
	s.question.intermediates = NULL;
	assert_broken(&s, &fault, LINK_AK);
	scene_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ak_certificate_is_the_cas_and_for_an_ak_alone),
		cmocka_unit_test(a_platform_property_certificate_is_the_cas_and_for_that_alone),
		cmocka_unit_test(
			an_endpoints_certificate_is_in_time_for_tls_and_its_own_or_the_cas),
		cmocka_unit_test(a_self_signed_certificate_is_in_time_and_really_is),
		cmocka_unit_test(an_altered_self_signature_is_refused),
		cmocka_unit_test(a_certificate_whose_key_cannot_be_read_is_refused),
		cmocka_unit_test(without_its_intermediate_no_certificate_leads_to_the_ca),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
