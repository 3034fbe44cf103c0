#include "ca/hierarchy.h"

#include "ca/admin_ca.h"
#include "ca/authority.h"
#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/ssh.h"
#include "ca/sshkey.h"
#include "tests/unit/ca/program.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const ssh_files[] = {"ssh-host-ca.key", "ssh-host-ca.passphrase",
	"ssh-host-ca.pub", "ssh-user-ca.key", "ssh-user-ca.passphrase", "ssh-user-ca.pub"};

/* `dir`/ and a name, for free(). */
static char *text_path(const char *dir, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static char *text_path(const char *dir, const char *fmt, ...)
{
	char name[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	return path_join(dir, name);
}

/* A hierarchy in `dir`/ca. */
struct made {
	char *base, *dir;
};

static void make(struct made *out)
{
	out->base = scratch_make();
	out->dir = path_join(out->base, "ca");
	assert_ok(hierarchy_make(out->dir, "Unit tests", KEY_TYPE_P256));
}

static void made_free(struct made *made)
{
	free(made->dir);
	scratch_remove(&made->base);
}

static X509 *read_certificate(const char *dir, const char *name)
{
	AUTO(mem_free) char *path = path_join(dir, name);
	AUTO(bio_free) BIO *bio = BIO_new_file(path, "r");
	X509 *cert;

	assert_non_null(bio);
	cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_non_null(cert);
	return cert;
}

static void each_file_is_there_with_its_mode(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
	} rows[] = {{".", 0700}, {"root.pem", 0644}, {"issuing.pem", 0644}, {"edge-ca.pem", 0644},
		{"admin-ca.pem", 0644}, {"admin-ca.key", 0600}, {"admin-ca.passphrase", 0600},
		{"issuing.key", 0600}, {"issuing.passphrase", 0600}, {"edge-ca.key", 0600},
		{"edge-ca.passphrase", 0600}, {"offline", 0700}, {"offline/root.key", 0600},
		{"offline/root.passphrase", 0600}, {"ssh-host-ca.key", 0600},
		{"ssh-host-ca.passphrase", 0600}, {"ssh-host-ca.pub", 0644},
		{"ssh-user-ca.key", 0600}, {"ssh-user-ca.passphrase", 0600},
		{"ssh-user-ca.pub", 0644}};
	AUTO(made_free) struct made made;

	(void)state;
	make(&made);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(mem_free) char *path = path_join(made.dir, rows[i].name);
		AUTO(buf_free) struct buf text = BUF(8192);
		struct stat st;

		assert_int_equal(0, stat(path, &st));
		assert_int_equal(rows[i].mode, st.st_mode & 07777);
		if (strstr(rows[i].name, ".key") == NULL)
			continue;
		assert_ok(file_read(path, &text));
		assert_non_null(strstr(buf_text(&text), "BEGIN ENCRYPTED PRIVATE KEY"));
		assert_null(strstr(buf_text(&text), "BEGIN PRIVATE KEY"));
	}
}

static void the_root_signs_cas_and_these_sign_no_cas(void **state)
{
	static const struct {
		const char *name, *common_name;
		long path_length;
		int days;
		uint32_t usage;
	} rows[] = {{"root.pem", "Endorse Root CA", 1, 20 * 365, KU_KEY_CERT_SIGN | KU_CRL_SIGN},
		{"issuing.pem", "Endorse Issuing CA", 0, 10 * 365,
			KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE},
		{"edge-ca.pem", "Endorse Edge CA", 0, 10 * 365,
			KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE}};
	AUTO(made_free) struct made made;
	AUTO(x509_free) X509 *root = NULL;

	(void)state;
	make(&made);
	root = read_certificate(made.dir, "root.pem");
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(x509_free) X509 *cert = read_certificate(made.dir, rows[i].name);
		int days = 0, seconds = 0;
		char text[64];

		assert_int_equal(1, X509_check_ca(cert));
		assert_int_equal(rows[i].path_length, X509_get_pathlen(cert));
		assert_int_equal(rows[i].usage, X509_get_key_usage(cert));
		assert_int_equal(1, X509_verify(cert, X509_get0_pubkey(root)));
		X509_NAME_get_text_by_NID(
			X509_get_subject_name(cert), NID_commonName, text, sizeof(text));
		assert_string_equal(rows[i].common_name, text);
		X509_NAME_get_text_by_NID(
			X509_get_subject_name(cert), NID_organizationName, text, sizeof(text));
		assert_string_equal("Unit tests", text);
		assert_int_equal(1, ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(cert),
					    X509_get0_notAfter(cert)));
		assert_int_equal(rows[i].days, days);
		assert_int_equal(256, EVP_PKEY_get_bits(X509_get0_pubkey(cert)));
	}
}

static void each_ca_can_be_opened_and_the_keys_are_its_own(void **state)
{
	static const struct {
		const char *certificate, *key, *passphrase;
	} rows[] = {{"issuing.pem", "issuing.key", "issuing.passphrase"},
		{"edge-ca.pem", "edge-ca.key", "edge-ca.passphrase"},
		{"root.pem", "offline/root.key", "offline/root.passphrase"}};
	AUTO(made_free) struct made made;

	(void)state;
	make(&made);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(mem_free) char *certificate = path_join(made.dir, rows[i].certificate);
		AUTO(mem_free) char *key = path_join(made.dir, rows[i].key);
		AUTO(mem_free) char *passphrase = path_join(made.dir, rows[i].passphrase);
		AUTO(authority_free) struct authority *authority = NULL;

		assert_ok(authority_load(certificate, key, passphrase, &authority));
	}
}

static void nothing_is_ever_overwritten(void **state)
{
	AUTO(made_free) struct made made;
	AUTO(mem_free) char *path = NULL;
	AUTO(buf_free) struct buf before = BUF(8192), after = BUF(8192);

	(void)state;
	make(&made);
	path = path_join(made.dir, "issuing.key");
	assert_ok(file_read(path, &before));
	assert_refused(
		hierarchy_make(made.dir, "Unit tests", KEY_TYPE_P256), ERR_CONFLICT, "ca-exists");
	assert_ok(file_read(path, &after));
	assert_view_equal(buf_view(&before), buf_view(&after));
}

/* Made with the others, or after them; each public key is that of its private key. */
static void ssh_cas_of_each_type_can_come_alone(void **state)
{
	static const char *const stems[] = {"ssh-host-ca", "ssh-user-ca"};
	AUTO(scratch_remove) char *base = scratch_make();

	(void)state;
	for (int type = KEY_TYPE_P256; type <= KEY_TYPE_ED25519; type++) {
		AUTO(mem_free) char *dir = text_path(base, "%d", type);

		assert_ok(hierarchy_ssh(dir, (enum key_type)type));
		assert_refused(hierarchy_ssh(dir, (enum key_type)type), ERR_CONFLICT, "ca-exists");
		assert_refused(hierarchy_make(dir, "Unit tests", KEY_TYPE_P256), ERR_CONFLICT,
			"ca-exists");
		for (size_t i = 0; i < COUNT(stems); i++) {
			AUTO(mem_free) char *key = text_path(dir, "%s.key", stems[i]);
			AUTO(mem_free) char *passphrase = text_path(dir, "%s.passphrase", stems[i]);
			AUTO(mem_free) char *public = text_path(dir, "%s.pub", stems[i]);
			AUTO(buf_free) struct buf line = BUF(8192), blob = BUF(SSHKEY_MAX);
			AUTO(ssh_ca_free) struct ssh_ca *ca = NULL;

			assert_ok(ssh_ca_load(key, passphrase, &ca));
			assert_ok(file_read(public, &line));
			assert_ok(sshkey_line(buf_view(&line), &blob));
			assert_view_equal(buf_view(&blob), ssh_ca_public(ca));
			assert_non_null(strstr(buf_text(&line), stems[i]));
		}
	}
}

/* Also half of what is made is not written over. */
static void an_ssh_ca_that_is_there_is_never_overwritten(void **state)
{
	static const char *const there[] = {
		"ssh-host-ca.key", "ssh-host-ca.pub", "ssh-user-ca.key", "ssh-user-ca.pub"};

	(void)state;
	for (size_t i = 0; i < COUNT(there); i++) {
		AUTO(scratch_remove) char *dir = scratch_make();

		scratch_put(dir, there[i], view_str("x"));
		assert_refused(hierarchy_ssh(dir, KEY_TYPE_P256), ERR_CONFLICT, "ca-exists");
		assert_refused(hierarchy_make(dir, "Unit tests", KEY_TYPE_P256), ERR_CONFLICT,
			"ca-exists");
	}
}

static void an_older_ca_gets_them_later(void **state)
{
	AUTO(made_free) struct made made;

	(void)state;
	make(&made);
	for (size_t i = 0; i < COUNT(ssh_files); i++) {
		AUTO(mem_free) char *path = path_join(made.dir, ssh_files[i]);

		assert_int_equal(0, unlink(path));
	}
	assert_ok(hierarchy_ssh(made.dir, KEY_TYPE_P256));
}

static void a_place_or_a_name_that_cannot_be_is_an_error(void **state)
{
	AUTO(scratch_remove) char *base = scratch_make();
	AUTO(mem_free) char *below = path_join(base, "a/b"), *dir = path_join(base, "c");
	char name[66];

	(void)state;
	assert_refused(
		hierarchy_make(below, "Unit tests", KEY_TYPE_P256), ERR_INTERNAL, "file-write");
	memset(name, 'a', 65);
	name[65] = '\0';
	assert_refused(hierarchy_make(dir, name, KEY_TYPE_P256), ERR_INTERNAL, "crypto");
}

static const char *const names[] = {"ca.example.org", "localhost", "192.0.2.1", "2001:db8::1"};

static void the_edge_certificate_is_for_its_names_and_verifies_elsewhere(void **state)
{
	AUTO(made_free) struct made made;
	AUTO(mem_free) char *path = NULL, *root = NULL, *ca = NULL, *leaf = NULL;
	AUTO(x509_free) X509 *cert = NULL;
	STACK_OF(X509) *one = sk_X509_new_null();
	struct stat st;
	int days, seconds;

	(void)state;
	make(&made);
	path = path_join(made.dir, "edge.pem");
	assert_ok(hierarchy_edge(made.dir, names, COUNT(names), path));
	assert_int_equal(0, stat(path, &st));
	assert_int_equal(0600, st.st_mode & 07777);
	cert = read_certificate(made.dir, "edge.pem");
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(1, X509_check_host(cert, names[i], 0, 0, NULL));
		assert_int_equal(1, X509_check_ip_asc(cert, names[i + 2], 0));
	}
	assert_int_equal(0, X509_check_host(cert, "other.example.org", 0, 0, NULL));
	assert_int_equal(1, X509_check_purpose(cert, X509_PURPOSE_SSL_SERVER, 0));
	assert_int_equal(0, X509_check_purpose(cert, X509_PURPOSE_SSL_CLIENT, 0));
	assert_int_equal(1, ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(cert),
				    X509_get0_notAfter(cert)));
	assert_int_equal(397, days);
	sk_X509_push(one, cert);
	scratch_pem(made.dir, "leaf.pem", one);
	sk_X509_free(one);
	root = path_join(made.dir, "root.pem");
	ca = path_join(made.dir, "edge-ca.pem");
	leaf = path_join(made.dir, "leaf.pem");
	assert_verified(root, ca, leaf);
}

static void the_edge_file_holds_certificate_ca_and_key(void **state)
{
	AUTO(made_free) struct made made;
	AUTO(mem_free) char *path = NULL;
	AUTO(bio_free) BIO *bio = NULL;
	AUTO(x509_free) X509 *leaf = NULL, *ca = NULL, *wanted = NULL;
	AUTO(pkey_free) EVP_PKEY *key = NULL;

	(void)state;
	make(&made);
	path = path_join(made.dir, "edge.pem");
	assert_ok(hierarchy_edge(made.dir, names, COUNT(names), path));
	bio = BIO_new_file(path, "r");
	leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	wanted = read_certificate(made.dir, "edge-ca.pem");
	assert_int_equal(0, X509_cmp(wanted, ca));
	assert_int_equal(1, X509_check_private_key(leaf, key));
}

static void a_name_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {"", "Ca.example.org", "*.example.org", "ca example.org",
		"ca.example.org/", "192.0.2.1:443", "caf\xc3\xa9.example.org", "a_b.example.org"};
	AUTO(made_free) struct made made;
	AUTO(mem_free) char *path = NULL;

	(void)state;
	make(&made);
	path = path_join(made.dir, "edge.pem");
	for (size_t i = 0; i < COUNT(bad); i++) {
		const char *const two[] = {"ca.example.org", bad[i]};
		struct stat st;

		assert_refused_in(
			bad[i], hierarchy_edge(made.dir, two, 2, path), ERR_MALFORMED, "edge-name");
		assert_int_equal(-1, stat(path, &st));
	}
}

static void without_an_edge_ca_there_is_no_edge_certificate(void **state)
{
	AUTO(scratch_remove) char *base = scratch_make();
	AUTO(mem_free) char *path = path_join(base, "edge.pem");

	(void)state;
	assert_refused(hierarchy_edge(base, names, 1, path), ERR_NOT_FOUND, "file-missing");
}

static void the_admin_ca_stands_alone_and_is_for_clients(void **state)
{
	AUTO(made_free) struct made made;
	AUTO(x509_free) X509 *cert = NULL, *root = NULL;

	(void)state;
	make(&made);
	cert = read_certificate(made.dir, "admin-ca.pem");
	root = read_certificate(made.dir, "root.pem");
	assert_int_equal(1, X509_check_ca(cert));
	assert_int_equal(0, X509_get_pathlen(cert));
	assert_int_equal(XKU_SSL_CLIENT, X509_get_extended_key_usage(cert));
	assert_int_equal(1, X509_verify(cert, X509_get0_pubkey(cert)));
	assert_int_equal(0, X509_verify(cert, X509_get0_pubkey(root)));
}

static void an_operator_gets_a_certificate_that_lets_him_in(void **state)
{
	AUTO(made_free) struct made made;
	AUTO(mem_free) char *path = NULL, *pem = NULL;
	AUTO(admin_ca_free) struct admin_ca *ca = NULL;
	AUTO(x509_free) X509 *cert = NULL;
	AUTO(buf_free) struct buf der = BUF(8192);
	struct operator_certificate is;
	struct stat st;
	int days, seconds;

	(void)state;
	make(&made);
	path = path_join(made.dir, "alice.pem");
	pem = path_join(made.dir, "admin-ca.pem");
	assert_ok(hierarchy_operator(made.dir, "alice", 30, path));
	assert_int_equal(0, stat(path, &st));
	assert_int_equal(0600, st.st_mode & 07777);
	cert = read_certificate(made.dir, "alice.pem");
	assert_ok(cert_der_add(cert, &der));
	assert_ok(admin_ca_load(pem, &ca));
	assert_ok(admin_ca_judge(ca, buf_view(&der), clock_now(), &is));
	assert_string_equal("alice", is.name);
	assert_int_equal(1, ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(cert),
				    X509_get0_notAfter(cert)));
	assert_int_equal(30, days);
	/* Nobody's key is overwritten. */
	assert_refused(
		hierarchy_operator(made.dir, "alice", 30, path), ERR_CONFLICT, "file-exists");
}

static void what_an_operator_cannot_have_is_refused(void **state)
{
	AUTO(made_free) struct made made;
	AUTO(mem_free) char *path = NULL;
	struct stat st;

	(void)state;
	make(&made);
	path = path_join(made.dir, "alice.pem");
	assert_refused(
		hierarchy_operator(made.dir, "al ice", 30, path), ERR_MALFORMED, "operator-name");
	assert_refused(
		hierarchy_operator(made.dir, "alice", 0, path), ERR_MALFORMED, "operator-days");
	assert_refused(
		hierarchy_operator(made.dir, "alice", 826, path), ERR_MALFORMED, "operator-days");
	assert_int_equal(-1, stat(path, &st));
}

static void an_older_installation_gets_its_admin_ca_later(void **state)
{
	AUTO(scratch_remove) char *base = scratch_make();
	AUTO(mem_free) char *path = path_join(base, "alice.pem");

	(void)state;
	assert_refused(hierarchy_operator(base, "alice", 30, path), ERR_NOT_FOUND, "file-missing");
	assert_ok(hierarchy_admin(base, "Unit tests", KEY_TYPE_P256));
	assert_ok(hierarchy_operator(base, "alice", 30, path));
	assert_refused(
		hierarchy_admin(base, "Unit tests", KEY_TYPE_P256), ERR_CONFLICT, "ca-exists");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_file_is_there_with_its_mode),
		cmocka_unit_test(the_root_signs_cas_and_these_sign_no_cas),
		cmocka_unit_test(each_ca_can_be_opened_and_the_keys_are_its_own),
		cmocka_unit_test(nothing_is_ever_overwritten),
		cmocka_unit_test(ssh_cas_of_each_type_can_come_alone),
		cmocka_unit_test(an_ssh_ca_that_is_there_is_never_overwritten),
		cmocka_unit_test(an_older_ca_gets_them_later),
		cmocka_unit_test(a_place_or_a_name_that_cannot_be_is_an_error),
		cmocka_unit_test(the_edge_certificate_is_for_its_names_and_verifies_elsewhere),
		cmocka_unit_test(the_edge_file_holds_certificate_ca_and_key),
		cmocka_unit_test(a_name_that_is_none_is_refused),
		cmocka_unit_test(without_an_edge_ca_there_is_no_edge_certificate),
		cmocka_unit_test(the_admin_ca_stands_alone_and_is_for_clients),
		cmocka_unit_test(an_operator_gets_a_certificate_that_lets_him_in),
		cmocka_unit_test(what_an_operator_cannot_have_is_refused),
		cmocka_unit_test(an_older_installation_gets_its_admin_ca_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
