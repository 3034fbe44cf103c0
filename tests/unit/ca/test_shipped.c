/* test_shipped.c - what each shipped template makes: as it was once read, and as other programs judge it. */
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/hierarchy.h"
#include "ca/issue.h"
#include "ca/ssh.h"
#include "ca/sshkey.h"
#include "tests/unit/ca/granted.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/ca/program.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define NOW 1800000000 /* 2027-01-15T08:00:00Z; the CA of the fixture was made in 2026 */
#define HOST "web-01.example.org"
#define DEVICE "0123456789abcdef0123456789abcdef"

/* For what a TLS stack takes it; of no other template it takes any. */
static const struct {
	const char *template;
	bool is_server, is_client;
} for_tls[] = {
	{"tls-server", true, false},
	{"tls-client", false, true},
	{"tls-peer", true, true},
	{"ldevid", false, true},
};

static bool is_for(const char *template, bool server)
{
	for (size_t i = 0; i < COUNT(for_tls); i++)
		if (strcmp(for_tls[i].template, template) == 0)
			return server ? for_tls[i].is_server : for_tls[i].is_client;
	return false;
}

/* Everything that any of the templates speaks of. */
struct whole {
	struct granted granted;
	uint8_t digest[32], blob[160];
	struct grant_evidence evidence;
};

static void whole_make(EVP_PKEY *key, struct whole *out)
{
	struct grant *grant = &out->granted.grant;

	granted_make(key, &out->granted);
	for (size_t i = 0; i < sizeof(out->blob); i++)
		out->blob[i] = (uint8_t)i;
	memcpy(out->digest, out->blob, sizeof(out->digest));
	grant->organization = "Only for tests";
	grant->ek_digest = out->digest;
	grant->ek_serial = "0a0b";
	grant->ssh_serial = 7;
	grant->publication = (struct grant_publication){
		.crl = "http://endorse.example.org/crl/0123456789abcdef-7.crl",
		.ocsp = "http://endorse.example.org/ocsp",
		.issuer = "http://endorse.example.org/ca/0123456789abcdef.cer"};
	out->evidence = (struct grant_evidence){.name = {out->blob, 34},
		.public = {out->blob, 88},
		.attest = {out->blob, 145},
		.signature = {out->blob, 72},
		.ak_location = "https://endorse.example.org/v1/certificates/00"};
}

static void whole_free(struct whole *whole)
{
	granted_free(&whole->granted);
}

/* The next grant, by the template at a place; false beyond the last. */
static bool whole_turn(struct whole *whole, size_t index)
{
	const struct template *tmpl = template_at(whole->granted.templates, index);
	struct grant *grant = &whole->granted.grant;

	if (tmpl == NULL)
		return false;
	whole->granted.tmpl = tmpl;
	grant->template = tmpl->name;
	grant->template_version = (unsigned)tmpl->version;
	grant->evidence = template_key(tmpl) == TEMPLATE_KEY_CERTIFIED ? &whole->evidence : NULL;
	return true;
}

static EVP_PKEY *fixture_key(void)
{
	AUTO(mem_free) char *path = source_path("tests/data/ak-only-for-tests.pem");
	AUTO(bio_free) BIO *bio = BIO_new_file(path, "r");
	EVP_PKEY *key;

	assert_non_null(bio);
	key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	assert_non_null(key);
	return key;
}

static X509 *parse(const struct issued *issued)
{
	const uint8_t *p = issued->der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)issued->der.n);

	assert_non_null(cert);
	return cert;
}

/* What OpenSSL prints, without serial number and signature, and the bytes of the names it cannot
 * print. */
static void describe_x509(const struct issued *issued, struct buf *out)
{
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	AUTO(x509_free) X509 *cert = parse(issued);
	int at = X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);
	const ASN1_OCTET_STRING *san = X509_EXTENSION_get_data(X509_get_ext(cert, at));
	uint8_t *text;
	long n;

	assert_int_equal(1, X509_print_ex(bio, cert, XN_FLAG_RFC2253,
				    X509_FLAG_NO_SERIAL | X509_FLAG_NO_SIGDUMP));
	BIO_printf(bio, "\nSubject alternative name:\n");
	assert_int_equal(
		1, ASN1_parse_dump(bio, ASN1_STRING_get0_data(san), ASN1_STRING_length(san), 1, 0));
	n = BIO_get_mem_data(bio, &text);
	buf_add(out, (struct view){text, (size_t)n});
}

static void put_ssh(const struct issued *issued, const char *dir)
{
	AUTO(buf_free) struct buf line = BUF(1 << 16);

	assert_ok(sshkey_text(buf_view(&issued->der), &line));
	buf_str(&line, "\n");
	scratch_put(dir, "leaf-cert.pub", buf_view(&line));
}

/* What ssh-keygen -L makes of it, without the file's name. It reads no certificate whose signature is wrong. */
static void describe_ssh(const struct issued *issued, struct buf *out)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(mem_free) char *path = path_join(dir, "leaf-cert.pub");
	AUTO(buf_free) struct buf said = BUF(1 << 16);
	const char *line;

	put_ssh(issued, dir);
	if (PROGRAM_RUN(&said, "ssh-keygen", "-L", "-f", path) != 0)
		fail_msg("ssh-keygen: %s", buf_text(&said));
	line = strchr(buf_text(&said), '\n');
	assert_non_null(line);
	buf_str(out, line + 1);
}

static struct ssh_ca *ssh_ca_make(EVP_PKEY *key)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(mem_free) char *path = path_join(dir, "ssh.key");
	AUTO(mem_free) char *passphrase = path_join(dir, "ssh.passphrase");
	struct ssh_ca *ca = NULL;

	assert_ok(key_save(key, path, passphrase));
	assert_ok(ssh_ca_load(path, passphrase, &ca));
	return ca;
}

/* Both, with the key of one. */
struct both {
	struct authority *authority;
	struct ssh_ca *ssh;
};

static void issue(const struct both *ca, const struct whole *whole, int64_t now, struct issued *out)
{
	const struct template *tmpl = whole->granted.tmpl;

	if (template_kind(tmpl) == TEMPLATE_X509)
		assert_ok(certificate_issue(ca->authority, tmpl, &whole->granted.grant, now, out));
	else
		assert_ok(ssh_issue(ca->ssh, tmpl, &whole->granted.grant, now, out));
}

static void both_free(struct both *both)
{
	authority_free(&both->authority);
	ssh_ca_free(&both->ssh);
}

/*
 * Certificates of the shipped templates, of fixed key, CA and time, are those in tests/golden. After a wanted
 * change of a template: ENDORSE_REWRITE_GOLDEN=1 ctest -R unit/ca/shipped, and look at what git diff says.
 */
static void what_each_template_makes_is_the_golden_one(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = fixture_key();
	AUTO(both_free) struct both ca = {issuer_of_fixture(), NULL};
	AUTO(whole_free) struct whole whole;

	(void)state;
	ca.ssh = ssh_ca_make(authority_key(ca.authority));
	whole_make(key, &whole);
	for (size_t i = 0; whole_turn(&whole, i); i++) {
		AUTO(issued_free) struct issued issued = {0};
		AUTO(buf_free) struct buf text = BUF(1 << 16), golden = BUF(1 << 16);
		AUTO(buf_free) struct buf name = BUF(256);
		AUTO(mem_free) char *path = NULL;

		buf_fmt(&name, "tests/golden/%s.txt", whole.granted.grant.template);
		path = source_path(buf_text(&name));
		issue(&ca, &whole, NOW, &issued);
		if (template_kind(whole.granted.tmpl) == TEMPLATE_X509)
			describe_x509(&issued, &text);
		else
			describe_ssh(&issued, &text);
		if (getenv("ENDORSE_REWRITE_GOLDEN") != NULL)
			assert_ok(file_replace(path, 0644, buf_view(&text)));
		assert_ok(file_read(path, &golden));
		assert_string_equal(buf_text(&golden), buf_text(&text));
	}
}

/* As a TLS server's, or a client's, certificate; openssl looks at the purpose of the whole chain. */
static bool openssl_takes(const char *purpose, const char *root, const char *ca, const char *leaf)
{
	AUTO(buf_free) struct buf said = BUF(1 << 16);

	return PROGRAM_RUN(&said, "openssl", "verify", "-x509_strict", "-purpose", purpose,
		       "-CAfile", root, "-untrusted", ca, leaf) == 0;
}

/* The same of GnuTLS, which wants the chain in one file. */
static bool gnutls_takes(const char *purpose, const char *root, const char *dir)
{
	AUTO(mem_free) char *ca = path_join(dir, "issuing.pem");
	AUTO(mem_free) char *leaf = path_join(dir, "leaf.pem");
	AUTO(mem_free) char *chain = path_join(dir, "chain.pem");
	AUTO(buf_free) struct buf pem = BUF(1 << 16), said = BUF(1 << 16);

	assert_ok(file_read(leaf, &pem));
	assert_ok(file_read(ca, &pem));
	scratch_put(dir, "chain.pem", buf_view(&pem));
	return PROGRAM_RUN(&said, "certtool", "--verify", "--verify-purpose", purpose,
		       "--load-ca-certificate", root, "--infile", chain) == 0;
}

static void assert_x509(const struct issued *issued, const char *template, const char *dir)
{
	AUTO(mem_free) char *root = path_join(dir, "root.pem");
	AUTO(mem_free) char *ca = path_join(dir, "issuing.pem");
	AUTO(mem_free) char *leaf = path_join(dir, "leaf.pem");
	AUTO(x509_free) X509 *cert = parse(issued);
	AUTO(buf_free) struct buf said = BUF(1 << 16);
	STACK_OF(X509) *one = sk_X509_new_null();

	sk_X509_push(one, cert);
	scratch_pem(dir, "leaf.pem", one);
	sk_X509_free(one);
	assert_verified(root, ca, leaf);
	assert_int_equal(0, PROGRAM_RUN(&said, "certtool", "-i", "--infile", leaf));
	if (strstr(buf_text(&said), "error") != NULL)
		fail_msg("%s: %s", template, buf_text(&said));
	if (openssl_takes("sslserver", root, ca, leaf) != is_for(template, true) ||
		openssl_takes("sslclient", root, ca, leaf) != is_for(template, false) ||
		gnutls_takes("1.3.6.1.5.5.7.3.1", root, dir) != is_for(template, true) ||
		gnutls_takes("1.3.6.1.5.5.7.3.2", root, dir) != is_for(template, false))
		fail_msg("%s: taken for TLS, or not", template);
}

/* ssh-keygen has verified the signature; whom it names is what a relying party looks at. */
static void assert_ssh(const struct issued *issued, const char *template)
{
	AUTO(buf_free) struct buf said = BUF(1 << 16);

	describe_ssh(issued, &said);
	assert_non_null(strstr(buf_text(&said),
		strcmp(template, "ssh-host") == 0 ? " host certificate\n" : " user certificate\n"));
	assert_non_null(strstr(
		buf_text(&said), "Principals: \n                " HOST "\n        Critical"));
	assert_non_null(strstr(buf_text(&said), "Key ID: \"" DEVICE "\"\n"));
	assert_non_null(strstr(buf_text(&said), "Serial: 7\n"));
}

static void judge_all(const struct both *ca, EVP_PKEY *key, const char *type, const char *dir)
{
	AUTO(whole_free) struct whole whole;

	whole_make(key, &whole);
	printf("%-8s", type);
	for (size_t i = 0; whole_turn(&whole, i); i++) {
		AUTO(issued_free) struct issued issued = {0};
		const char *name = whole.granted.grant.template;

		issue(ca, &whole, clock_now(), &issued);
		if (template_kind(whole.granted.tmpl) == TEMPLATE_X509)
			assert_x509(&issued, name, dir);
		else
			assert_ssh(&issued, name);
		printf(" %s", name);
		fflush(stdout);
	}
	printf("\n");
}

static void other_programs_take_what_each_template_makes_of_each_kind_of_ca(void **state)
{
	static const char *const types[] = {"p256", "p384", "rsa2048", "rsa3072", "ed25519"};
	AUTO(pkey_free) EVP_PKEY *key = EVP_EC_gen("P-256");

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		AUTO(scratch_remove) char *dir = scratch_make();
		AUTO(mem_free) char *certificate = path_join(dir, "issuing.pem");
		AUTO(mem_free) char *path = path_join(dir, "issuing.key");
		AUTO(mem_free) char *passphrase = path_join(dir, "issuing.passphrase");
		AUTO(both_free) struct both ca = {0};
		enum key_type type;

		assert_true(key_type_read(types[i], &type));
		assert_ok(hierarchy_make(dir, "Unit tests", type));
		assert_ok(authority_load(certificate, path, passphrase, &ca.authority));
		ca.ssh = ssh_ca_make(authority_key(ca.authority));
		judge_all(&ca, key, types[i], dir);
	}
}

/* How one device's private certificate differs from another's: in key, serial number, time and signature. */
static void private_certificates_of_two_devices_say_the_same(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = fixture_key();
	AUTO(authority_free) struct authority *authority = issuer_of_fixture();
	AUTO(buf_free) struct buf first = BUF(1 << 16), second = BUF(1 << 16);
	AUTO(issued_free) struct issued one = {0}, other = {0};
	AUTO(whole_free) struct whole whole;
	struct grant *grant = &whole.granted.grant;
	size_t i = 0;

	(void)state;
	whole_make(key, &whole);
	while (whole_turn(&whole, i) && strcmp(grant->template, "ak-private") != 0)
		i++;
	assert_string_equal("ak-private", grant->template);
	assert_ok(certificate_issue(authority, whole.granted.tmpl, grant, NOW, &one));
	grant->host = "db-02.elsewhere.example";
	grant->device_id = "ffffffffffffffffffffffffffffffff";
	grant->ek_serial = "0c0d";
	memset(whole.digest, 0xff, sizeof(whole.digest));
	assert_ok(certificate_issue(authority, whole.granted.tmpl, grant, NOW, &other));
	describe_x509(&one, &first);
	describe_x509(&other, &second);
	assert_string_equal(buf_text(&first), buf_text(&second));
}

/* The only purpose it has is its own, and critical: not even who looks at no purpose takes it for an AK's. */
static void a_platform_property_certificate_is_for_nothing_else(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = fixture_key();
	AUTO(authority_free) struct authority *authority = issuer_of_fixture();
	AUTO(issued_free) struct issued issued = {0};
	AUTO(x509_free) X509 *cert = NULL;
	AUTO(whole_free) struct whole whole;
	EXTENDED_KEY_USAGE *purposes;
	int critical = 0;
	char oid[80];
	size_t i = 0;

	(void)state;
	whole_make(key, &whole);
	while (whole_turn(&whole, i) &&
		strcmp(whole.granted.grant.template, "platform-property") != 0)
		i++;
	assert_ok(certificate_issue(
		authority, whole.granted.tmpl, &whole.granted.grant, NOW, &issued));
	cert = parse(&issued);
	purposes = X509_get_ext_d2i(cert, NID_ext_key_usage, &critical, NULL);
	assert_int_equal(1, critical);
	assert_int_equal(1, sk_ASN1_OBJECT_num(purposes));
	OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(purposes, 0), 1);
	EXTENDED_KEY_USAGE_free(purposes);
	assert_string_equal(
		"1.2.840.113556.1.8000.2554.11678.54212.13990.18118.39851.7049480.9573563.1.1",
		oid);
	for (int purpose = X509_PURPOSE_MIN; purpose <= X509_PURPOSE_MAX; purpose++)
		if (purpose != X509_PURPOSE_ANY && purpose != X509_PURPOSE_OCSP_HELPER)
			assert_int_equal(0, X509_check_purpose(cert, purpose, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_each_template_makes_is_the_golden_one),
		cmocka_unit_test(private_certificates_of_two_devices_say_the_same),
		cmocka_unit_test(a_platform_property_certificate_is_for_nothing_else),
		cmocka_unit_test(other_programs_take_what_each_template_makes_of_each_kind_of_ca),
	};

	/* ssh-keygen shows local time. */
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
