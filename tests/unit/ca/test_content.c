/* test_content.c - what of a grant stands in an X.509 certificate, read as others read it. */
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/hardware.h"
#include "ca/identifier.h"
#include "ca/issue.h"
#include "ca/key.h"
#include "ca/skae.h"
#include "tests/unit/ca/granted.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/ca/program.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <openssl/x509v3.h>

/* A CA, and a grant by the template that has everything. */
struct scene {
	struct issuer issuer;
	struct authority *authority;
	EVP_PKEY *key;
	struct granted granted;
};

static void scene_make(const char *names, struct scene *out)
{
	struct issuer_recipe recipe = issuer_good();

	*out = (struct scene){0};
	recipe.names = names;
	issuer_make(&recipe, &out->issuer);
	assert_ok(issuer_load(&out->issuer, &out->authority));
	assert_ok(key_generate(KEY_TYPE_ED25519, &out->key));
	granted_make_everything(out->key, &out->granted);
}

static void scene_free(struct scene *scene)
{
	granted_free(&scene->granted);
	EVP_PKEY_free(scene->key);
	authority_free(&scene->authority);
	issuer_free(&scene->issuer);
}

/* Issues, and reads what came out of it; judging says the same beforehand. */
static enum err issue(struct scene *scene, const struct template *tmpl, X509 **out)
{
	AUTO(issued_free) struct issued issued = {0};
	enum err judged = certificate_judge(scene->authority, tmpl, &scene->granted.grant);
	enum err made = certificate_issue(
		scene->authority, tmpl, &scene->granted.grant, clock_now(), &issued);
	const uint8_t *p = issued.der.p;

	assert_int_equal(judged, made);
	if (made != OK)
		return made;
	*out = d2i_X509(NULL, &p, (long)issued.der.n);
	assert_non_null(*out);
	assert_ptr_equal(issued.der.p + issued.der.n, p);
	return OK;
}

static const char *text_of(const ASN1_STRING *string)
{
	assert_int_equal(ASN1_STRING_length(string), strlen((const char *)string->data));
	return (const char *)ASN1_STRING_get0_data(string);
}

static const char *entry(const X509_NAME *name, int at)
{
	return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

static const GENERAL_NAME *name_at(const GENERAL_NAMES *names, int at, int type)
{
	const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, at);

	assert_int_equal(type, name->type);
	return name;
}

static void the_names_are_those_of_the_template(void **state)
{
	AUTO(scene_free) struct scene scene;
	AUTO(x509_free) X509 *cert = NULL;
	AUTO(general_names_free) GENERAL_NAMES *names = NULL;
	const X509_NAME *subject;
	int critical = -1;

	(void)state;
	scene_make(NULL, &scene);
	assert_ok(issue(&scene, scene.granted.tmpl, &cert));
	subject = X509_get_subject_name(cert);
	assert_int_equal(4, X509_NAME_entry_count(subject));
	assert_string_equal("Example", entry(subject, 0));
	assert_string_equal("k\xc3\xbchl, trocken", entry(subject, 1));
	assert_string_equal(scene.granted.grant.device_id, entry(subject, 2));
	assert_string_equal("web-01.example.org", entry(subject, 3));
	names = X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);
	assert_int_equal(0, critical);
	assert_int_equal(6, sk_GENERAL_NAME_num(names));
	assert_string_equal("web-01.example.org", text_of(name_at(names, 0, GEN_DNS)->d.dNSName));
	assert_string_equal(
		"api.web-01.example.org", text_of(name_at(names, 1, GEN_DNS)->d.dNSName));
	assert_string_equal("urn:ek:sha256:+//+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		text_of(name_at(names, 2, GEN_URI)->d.uniformResourceIdentifier));
	assert_true(
		identifier_says(name_at(names, 3, GEN_OTHERNAME), scene.granted.grant.device_id));
	assert_true(hardware_says(
		name_at(names, 4, GEN_OTHERNAME), "2.23.133.1.2", "id:00001014:00c0ffee"));
	assert_string_equal("swtpm", entry(name_at(names, 5, GEN_DIRNAME)->d.directoryName, 1));
}

/* As openssl and certtool print it. */
static void the_extensions_are_those_of_the_template(void **state)
{
	static const char *const openssl[] = {
		"X509v3 Extended Key Usage: critical\n                TLS Web Server "
		"Authentication, TLS Web Client Authentication\n",
		"Policy: 1.3.6.1.4.1.99999.1.1\n                Policy: 1.3.6.1.4.1.99999.1.2\n",
		"CA Issuers - URI:http://ca.example.org/ca.cer\n                OCSP - "
		"URI:http://ocsp.example.org/\n",
		"1.3.6.1.4.1.99999.2.2: \n                ..rack 7\n",
		"1.3.6.1.4.1.99999.2.3: \n                ..manufacturer@example.org\n",
		"1.3.6.1.4.1.99999.2.4: \n                ...\n", "Public Key Algorithm: ED25519\n",
		"2.23.133.6.1.1: \n"};
	static const char *const certtool[] = {"DNSname: api.web-01.example.org",
		"Key Purpose (critical)", "Unknown extension 1.3.6.1.4.1.99999.2.7 (not critical)",
		"Hexdump: 0500\n", "Hexdump: 0201f4\n", "Hexdump: 0101ff\n",
		"Hexdump: 06056781050803\n", "Hexdump: 0c0e6bc3bc686c2c2074726f636b656e\n",
		"EdDSA (Ed25519)"};
	AUTO(scene_free) struct scene scene;
	AUTO(x509_free) X509 *cert = NULL;
	AUTO(buf_free) struct buf text = BUF(1 << 16), other = BUF(1 << 16);
	AUTO(mem_free) char *path = NULL;
	STACK_OF(X509) *one = sk_X509_new_null();

	(void)state;
	scene_make(NULL, &scene);
	assert_ok(issue(&scene, scene.granted.tmpl, &cert));
	sk_X509_push(one, cert);
	scratch_pem(scene.issuer.dir, "leaf.pem", one);
	sk_X509_free(one);
	path = path_join(scene.issuer.dir, "leaf.pem");
	assert_int_equal(0, PROGRAM_RUN(&text, "openssl", "x509", "-noout", "-text", "-in", path));
	for (size_t i = 0; i < COUNT(openssl); i++)
		if (strstr(buf_text(&text), openssl[i]) == NULL)
			fail_msg("no %s in %s", openssl[i], buf_text(&text));
	assert_int_equal(
		0, PROGRAM_RUN(&other, "certtool", "--certificate-info", "--infile", path));
	for (size_t i = 0; i < COUNT(certtool); i++)
		if (strstr(buf_text(&other), certtool[i]) == NULL)
			fail_msg("no %s in %s", certtool[i], buf_text(&other));
	assert_verified(scene.issuer.certificate, scene.issuer.certificate, path);
}

static void what_the_ak_said_of_the_key_is_carried(void **state)
{
	AUTO(scene_free) struct scene scene;
	AUTO(x509_free) X509 *cert = NULL;
	AUTO(skae_free) struct skae skae;
	const struct grant_evidence *evidence;

	(void)state;
	skae_init(&skae);
	scene_make(NULL, &scene);
	assert_ok(issue(&scene, scene.granted.tmpl, &cert));
	assert_ok(skae_of(cert, &skae));
	evidence = scene.granted.grant.evidence;
	assert_view_equal(evidence->attest, buf_view(&skae.attest));
	assert_string_equal(evidence->ak_location, skae.ak_location);
}

static void a_template_with_skae_wants_evidence(void **state)
{
	AUTO(scene_free) struct scene scene;
	X509 *cert = NULL;

	(void)state;
	scene_make(NULL, &scene);
	scene.granted.grant.evidence = NULL;
	assert_refused(
		issue(&scene, scene.granted.tmpl, &cert), ERR_REJECTED, "template-needs-evidence");
}

/* Without subject_alt_name there is none, not an empty one. */
static void a_template_without_names_makes_a_certificate_without(void **state)
{
	AUTO(scene_free) struct scene scene;
	AUTO(x509_free) X509 *cert = NULL;
	struct template tmpl;

	(void)state;
	scene_make(NULL, &scene);
	tmpl = *scene.granted.tmpl;
	tmpl.san.names.n = tmpl.extensions.n = 0;
	tmpl.skae = false;
	assert_ok(issue(&scene, &tmpl, &cert));
	assert_int_equal(-1, X509_get_ext_by_NID(cert, NID_subject_alt_name, -1));
	assert_int_equal(4, X509_NAME_entry_count(X509_get_subject_name(cert)));
}

/* How many parts the certificate has: no value may change it. */
static void assert_shape(X509 *cert)
{
	AUTO(general_names_free)
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	const X509_NAME *subject = X509_get_subject_name(cert), *directory;

	assert_int_equal(16, X509_get_ext_count(cert));
	assert_int_equal(4, X509_NAME_entry_count(subject));
	for (int i = 0; i < 4; i++)
		assert_int_equal(i, X509_NAME_ENTRY_set(X509_NAME_get_entry(subject, i)));
	assert_int_equal(6, sk_GENERAL_NAME_num(names));
	directory = name_at(names, 5, GEN_DIRNAME)->d.directoryName;
	assert_int_equal(3, X509_NAME_entry_count(directory));
	assert_int_equal(0, X509_check_ca(cert));
}

static void assert_note(X509 *cert, const char *note)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.99999.2.1", 1);
	const int at = X509_get_ext_by_OBJ(cert, oid, -1);
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(cert, at));
	const uint8_t *p = ASN1_STRING_get0_data(value), *end = p + ASN1_STRING_length(value);
	ASN1_UTF8STRING *text = d2i_ASN1_UTF8STRING(NULL, &p, end - p);

	assert_string_equal(note, entry(X509_get_subject_name(cert), 1));
	assert_non_null(text);
	assert_ptr_equal(end, p);
	assert_string_equal(note, text_of(text));
	ASN1_UTF8STRING_free(text);
	ASN1_OBJECT_free(oid);
}

/* What a label says is refused, or stands there as it is, as the value that it is. */
static void a_label_is_a_value_and_never_syntax(void **state)
{
	static char huge[1 << 16];
	const struct {
		const char *note;
		bool is_taken;
	} rows[] = {{"a, CN=evil, b", true}, {"DNS:evil.example", true}, {"a+CN=b", true},
		{"critical,CA:TRUE", true}, {"DER:3000", true}, {"@section", true},
		{"${host}", true}, {"$ENV::PATH", true}, {"\xc3\xa4\xe6\xa0\xaa", true},
		{"#0c0141", true}, {"\\2C\\", true}, {"/CN=evil", true}, {" x ", true},
		{"a\nDNS:evil.example", false}, {"a\rb", false}, {"a\x1b[2J", false},
		{"\xe2\x80\xae"
		 "evil",
			false},
		{"\xff\xfe", false}, {huge, false}};
	AUTO(scene_free) struct scene scene;

	(void)state;
	memset(huge, 'a', sizeof(huge) - 1);
	scene_make(NULL, &scene);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(x509_free) X509 *cert = NULL;
		const struct grant_label labels[] = {
			{"floor", "1"}, {"note", rows[i].note}, {"rack", "7"}};

		scene.granted.grant.labels = labels;
		assert_refused_in(rows[i].note, issue(&scene, scene.granted.tmpl, &cert),
			rows[i].is_taken ? OK : ERR_REJECTED, "template-value");
		if (!rows[i].is_taken)
			continue;
		assert_shape(cert);
		assert_note(cert, rows[i].note);
	}
}

/* The same for what an EK's certificate says of its TPM. */
static void a_model_is_a_value_and_never_syntax(void **state)
{
	static char huge[1 << 16];
	const struct {
		const char *model;
		bool is_taken;
	} rows[] = {{"swtpm, CN=evil", true}, {"DNS:evil.example", true},
		{"x/2.23.133.2.3=id:1", true}, {"${host}", true}, {"a\nb", false},
		{"\xc3\xa4", false}, {huge, false}};
	AUTO(scene_free) struct scene scene;

	(void)state;
	memset(huge, 'a', sizeof(huge) - 1);
	scene_make(NULL, &scene);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(x509_free) X509 *cert = NULL;
		AUTO(general_names_free) GENERAL_NAMES *names = NULL;

		scene.granted.grant.tpm_model = rows[i].model;
		assert_refused_in(rows[i].model, issue(&scene, scene.granted.tmpl, &cert),
			rows[i].is_taken ? OK : ERR_REJECTED, "template-value");
		if (!rows[i].is_taken)
			continue;
		assert_shape(cert);
		names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
		assert_string_equal(
			rows[i].model, entry(name_at(names, 5, GEN_DIRNAME)->d.directoryName, 1));
	}
}

static void a_host_that_is_no_host_gets_nothing(void **state)
{
	static const char *const hosts[] = {"a.example.org,DNS:evil.example", "*.example.org",
		"a.example.org\nevil", "A.example.org", "a.example.org\xc3\xa4", "10.0.0.1", ""};
	AUTO(scene_free) struct scene scene;

	(void)state;
	scene_make(NULL, &scene);
	for (size_t i = 0; i < COUNT(hosts); i++) {
		X509 *cert = NULL;

		scene.granted.grant.host = hosts[i];
		assert_refused_in(hosts[i], issue(&scene, scene.granted.tmpl, &cert),
			hosts[i][0] == '\0' ? ERR_INTERNAL : ERR_REJECTED, "template-value");
	}
}

/* What its own certificate does not permit, a CA does not sign: nobody would believe it. */
static void the_names_that_the_ca_may_not_give_are_refused(void **state)
{
	static const struct {
		const char *constraints;
		bool is_permitted;
	} rows[] = {
		{"critical,permitted;DNS:example.org", true},
		{"critical,permitted;DNS:example.com", false},
		{"critical,permitted;DNS:api.web-01.example.org", false},
		{"critical,excluded;DNS:api.web-01.example.org", false},
		{"critical,excluded;DNS:web-02.example.org", true},
		{"critical,permitted;email:example.com", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(scene_free) struct scene scene;
		AUTO(x509_free) X509 *cert = NULL;
		struct template tmpl;

		scene_make(rows[i].constraints, &scene);
		tmpl = *scene.granted.tmpl;
		assert_refused_in(rows[i].constraints, issue(&scene, &tmpl, &cert),
			rows[i].is_permitted ? OK : ERR_REJECTED, "ca-name-constraints");
	}
}

/* Verifiers take a common name for a host's where no alternative name has one. */
static void a_common_name_is_judged_as_a_host_where_there_is_no_other(void **state)
{
	AUTO(scene_free) struct scene good, bad;
	AUTO(x509_free) X509 *cert = NULL;
	X509 *none = NULL;
	struct template tmpl;

	(void)state;
	scene_make("critical,permitted;DNS:example.org", &good);
	scene_make("critical,permitted;DNS:example.com", &bad);
	tmpl = *good.granted.tmpl;
	tmpl.san.names.n = 0;
	assert_ok(issue(&good, &tmpl, &cert));
	assert_refused(issue(&bad, &tmpl, &none), ERR_REJECTED, "ca-name-constraints");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_names_are_those_of_the_template),
		cmocka_unit_test(the_extensions_are_those_of_the_template),
		cmocka_unit_test(what_the_ak_said_of_the_key_is_carried),
		cmocka_unit_test(a_template_with_skae_wants_evidence),
		cmocka_unit_test(a_template_without_names_makes_a_certificate_without),
		cmocka_unit_test(a_label_is_a_value_and_never_syntax),
		cmocka_unit_test(a_model_is_a_value_and_never_syntax),
		cmocka_unit_test(a_host_that_is_no_host_gets_nothing),
		cmocka_unit_test(the_names_that_the_ca_may_not_give_are_refused),
		cmocka_unit_test(a_common_name_is_judged_as_a_host_where_there_is_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
