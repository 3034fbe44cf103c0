#include "ca/skae.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"

#include <openssl/x509v3.h>

#define LOCATION "http://ca.example.org/v1/certificates/00"

static const uint8_t attest[] = {0xff, 0x54, 0x43, 0x47, 0x00};
static const uint8_t signature[] = {0x00, 0x18, 0x00, 0x0b, 0x00, 0x00};
static const uint8_t area[] = {0x00, 0x23, 0x00, 0x0b};

static struct grant_evidence evidence(const char *location)
{
	return (struct grant_evidence){.public = VIEW(area),
		.attest = VIEW(attest),
		.signature = VIEW(signature),
		.ak_location = location};
}

/* The parts of an extension's value in hexadecimal, by hand after the ASN.1 of PROTOCOL.md. */
struct parts {
	const char *version, *tag, *attest, *signature, *public, *access, *after;
};
#define CA_ISSUERS "06082b06010505073002"
static const struct parts good = {.version = "3006020102020100",
	.tag = "a0",
	.attest = "030600ff54434700",
	.signature = "0307000018000b0000",
	.public = "80040023000b",
	.access = "3000",
	.after = ""};

static void wrap(const char *tag, const struct buf *inside, struct buf *out)
{
	add_hex(out, tag);
	if (inside->n >= 128) {
		buf_u8(out, 0x82);
		buf_u8(out, (uint8_t)(inside->n >> 8));
	}
	buf_u8(out, (uint8_t)inside->n);
	buf_add(out, buf_view(inside));
}

static void build(const struct parts *parts, struct buf *out)
{
	AUTO(buf_free) struct buf certify = BUF(SKAE_MAX);
	AUTO(buf_free) struct buf access = BUF(SKAE_MAX);
	AUTO(buf_free) struct buf both = BUF(SKAE_MAX);
	AUTO(buf_free) struct buf chosen = BUF(SKAE_MAX);
	AUTO(buf_free) struct buf whole = BUF(SKAE_MAX);

	add_hex(&certify, parts->attest);
	add_hex(&certify, parts->signature);
	add_hex(&certify, parts->public);
	wrap("30", &certify, &both);
	add_hex(&access, parts->access);
	wrap("30", &access, &both);
	wrap("30", &both, &chosen);
	add_hex(&whole, parts->version);
	wrap(parts->tag, &chosen, &whole);
	wrap("30", &whole, out);
	add_hex(out, parts->after);
}

static void it_is_as_written_down(void **state)
{
	AUTO(buf_free) struct buf der = BUF(SKAE_MAX);
	AUTO(buf_free) struct buf wanted = BUF(SKAE_MAX);
	struct grant_evidence said = evidence(NULL);

	(void)state;
	build(&good, &wanted);
	assert_ok(skae_encode(&said, &der));
	assert_view_equal(buf_view(&wanted), buf_view(&der));
	said.ak_location = "";
	buf_free(&der);
	assert_ok(skae_encode(&said, &der));
	assert_view_equal(buf_view(&wanted), buf_view(&der));
}

static void a_location_is_a_ca_issuers_uri(void **state)
{
	static const char hex[] =
		"305f3006020102020100a05530533017030600ff544347000307000018000b0000"
		"80040023000b3038303630340608"
		"2b060105050730028628";
	AUTO(buf_free) struct buf der = BUF(SKAE_MAX);
	AUTO(buf_free) struct buf wanted = BUF(SKAE_MAX);
	struct grant_evidence said = evidence(LOCATION);

	(void)state;
	add_hex(&wanted, hex);
	buf_str(&wanted, LOCATION);
	assert_ok(skae_encode(&said, &der));
	assert_view_equal(buf_view(&wanted), buf_view(&der));
}

static void what_was_written_is_read(void **state)
{
	static const char *const locations[] = {NULL, LOCATION};

	(void)state;
	for (size_t i = 0; i < COUNT(locations); i++) {
		AUTO(buf_free) struct buf der = BUF(SKAE_MAX);
		AUTO(skae_free) struct skae skae;
		struct grant_evidence said = evidence(locations[i]);

		skae_init(&skae);
		assert_ok(skae_encode(&said, &der));
		assert_ok(skae_parse(buf_view(&der), &skae));
		assert_view_equal(VIEW(attest), buf_view(&skae.attest));
		assert_view_equal(VIEW(signature), buf_view(&skae.signature));
		assert_view_equal(VIEW(area), buf_view(&skae.public));
		assert_string_equal(locations[i] == NULL ? "" : locations[i], skae.ak_location);
	}
}

static enum err parse(const struct parts *parts, char location[static 512])
{
	AUTO(buf_free) struct buf der = BUF(SKAE_MAX);
	AUTO(skae_free) struct skae skae;
	enum err err;

	skae_init(&skae);
	build(parts, &der);
	err = skae_parse(buf_view(&der), &skae);
	snprintf(location, 512, "%s", err == OK ? skae.ak_location : "");
	return err;
}

#define ISSUER_AND_SERIAL "3012300d310b3009060355040313024341020101"
static void others_write_more(void **state)
{
	static const struct {
		const char *name, *access, *location;
	} rows[] = {
		{"issuer and serial", "3000" ISSUER_AND_SERIAL, ""},
		{"another method first",
			"3020"
			"300e"
			"06082b06010505073001"
			"86027831"
			"300e" CA_ISSUERS "86027832",
			"x2"},
		{"a name that is no URI",
			"3020"
			"300e" CA_ISSUERS "82027831"
			"300e" CA_ISSUERS "86027832",
			"x2"},
		{"the first of two",
			"3020"
			"300e" CA_ISSUERS "86027831"
			"300e" CA_ISSUERS "86027832",
			"x1"},
	};
	char location[512];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct parts parts = good;

		parts.access = rows[i].access;
		assert_refused_in(rows[i].name, parse(&parts, location), OK, "");
		assert_string_equal(rows[i].location, location);
	}
}

#define WITH(member, text) offsetof(struct parts, member), (text)
static void one_fault_is_enough(void **state)
{
	static const struct {
		const char *name;
		size_t part; /* its place among the parts */
		const char *text;
	} rows[] = {
		{"version 1.2", WITH(version, "3006020101020102")},
		{"version 2.1", WITH(version, "3006020102020101")},
		{"version 3.0", WITH(version, "3006020103020100")},
		{"no version", WITH(version, "")},
		{"a version of three", WITH(version, "3009020102020100020100")},
		{"a padded number", WITH(version, "300702020002020100")},
		{"enveloped", WITH(tag, "a1")},
		{"no choice", WITH(tag, "30")},
		{"bits that are no bytes", WITH(attest, "030604ff54434700")},
		{"a signature of bits", WITH(signature, "0307040018000b0000")},
		{"a statement in an OCTET STRING", WITH(attest, "0405ff54434700")},
		{"no public area", WITH(public, "")},
		{"a public area in pieces", WITH(public, "a00604040023000b")},
		{"another tag", WITH(public, "81040023000b")},
		{"a number after it", WITH(public, "80040023000b020100")},
		{"a long form of a length", WITH(public, "8081040023000b")},
		{"no list", WITH(access, "")},
		{"a blank in the location", WITH(access, "300f"
							 "300d" CA_ISSUERS "860120")},
		{"a NUL in the location", WITH(access, "3010"
						       "300e" CA_ISSUERS "86026100")},
		{"no ASCII", WITH(access, "300f"
					  "300d" CA_ISSUERS "8601e4")},
		{"an empty location", WITH(access, "300e"
						   "300c" CA_ISSUERS "8600")},
		{"one byte more", WITH(after, "00")},
	};
	char location[512];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct parts parts = good;

		memcpy((char *)&parts + rows[i].part, &rows[i].text, sizeof(rows[i].text));
		assert_refused_in(rows[i].name, parse(&parts, location), ERR_MALFORMED, "skae");
	}
}

static void what_is_too_long_is_refused(void **state)
{
	AUTO(buf_free) struct buf der = BUF(2 * SKAE_MAX);
	AUTO(buf_free) struct buf url = BUF(1024);
	AUTO(skae_free) struct skae skae;
	struct grant_evidence said;
	static uint8_t zeros[SKAE_MAX];

	(void)state;
	skae_init(&skae);
	for (int i = 0; i < 511; i++)
		buf_u8(&url, 'u');
	said = evidence(buf_text(&url));
	assert_ok(skae_encode(&said, &der));
	assert_ok(skae_parse(buf_view(&der), &skae));
	buf_u8(&url, 'u');
	said = evidence(buf_text(&url));
	buf_free(&der);
	assert_ok(skae_encode(&said, &der));
	assert_refused(skae_parse(buf_view(&der), &skae), ERR_MALFORMED, "skae");
	said = evidence(NULL);
	said.attest = (struct view){zeros, 2049};
	buf_free(&der);
	assert_ok(skae_encode(&said, &der));
	skae_free(&skae);
	assert_refused(skae_parse(buf_view(&der), &skae), ERR_MALFORMED, "skae");
	said.attest = VIEW(zeros);
	buf_free(&der);
	assert_ok(skae_encode(&said, &der));
	assert_refused(skae_parse(buf_view(&der), &skae), ERR_MALFORMED, "skae");
}

static void every_cut_is_refused(void **state)
{
	AUTO(buf_free) struct buf der = BUF(SKAE_MAX);
	struct grant_evidence said = evidence(LOCATION);

	(void)state;
	assert_ok(skae_encode(&said, &der));
	for (size_t n = 0; n < der.n; n++) {
		AUTO(skae_free) struct skae skae;

		skae_init(&skae);
		assert_refused(skae_parse((struct view){der.p, n}, &skae), ERR_MALFORMED, "skae");
	}
}

static void put(X509 *cert, const char *oid)
{
	AUTO(buf_free) struct buf der = BUF(SKAE_MAX);
	struct grant_evidence said = evidence(LOCATION);
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	assert_ok(skae_encode(&said, &der));
	assert_int_equal(1, ASN1_OCTET_STRING_set(value, der.p, (int)der.n));
	extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
	assert_int_equal(1, X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(object);
}

static void a_certificate_carries_it_not_critical(void **state)
{
	AUTO(x509_free) X509 *cert = X509_new();
	AUTO(skae_free) struct skae skae;
	struct grant_evidence said = evidence(LOCATION);
	char oid[64];

	(void)state;
	skae_init(&skae);
	assert_refused(skae_of(cert, &skae), ERR_NOT_FOUND, "skae-missing");
	assert_ok(skae_add(cert, &said));
	assert_int_equal(1, X509_get_ext_count(cert));
	assert_int_equal(0, X509_EXTENSION_get_critical(X509_get_ext(cert, 0)));
	OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(X509_get_ext(cert, 0)), 1);
	assert_string_equal("2.23.133.6.1.1", oid);
	assert_ok(skae_of(cert, &skae));
	assert_string_equal(LOCATION, skae.ak_location);
}

static void it_is_read_under_three_oids_and_only_once(void **state)
{
	static const char *const oids[] = {"2.23.133.6.1.1", "2.23.133.6.1.0", "2.23.133.6.1"};

	(void)state;
	for (size_t i = 0; i < COUNT(oids); i++) {
		AUTO(x509_free) X509 *cert = X509_new();
		AUTO(skae_free) struct skae skae;

		skae_init(&skae);
		put(cert, "2.23.133.6.1.2");
		assert_refused(skae_of(cert, &skae), ERR_NOT_FOUND, "skae-missing");
		put(cert, oids[i]);
		assert_ok(skae_of(cert, &skae));
		put(cert, oids[(i + 1) % COUNT(oids)]);
		assert_refused(skae_of(cert, &skae), ERR_MALFORMED, "skae");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_as_written_down),
		cmocka_unit_test(a_location_is_a_ca_issuers_uri),
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(others_write_more),
		cmocka_unit_test(one_fault_is_enough),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(a_certificate_carries_it_not_critical),
		cmocka_unit_test(it_is_read_under_three_oids_and_only_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
