#include "ca/ssh.h"

#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/key.h"
#include "ca/sshwire.h"
#include "tests/unit/ca/program.h"
#include "tests/unit/ca/sshworld.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#define NOW INT64_C(1800000000) /* 2027-01-15T08:00:00Z */
#define LIST(array) ((struct yaml_list){.item = (array), .n = COUNT(array)})

static char host[] = "${host}", login[] = "${label.login}", permit_pty[] = "permit-pty";
static char *hosts[] = {host}, *logins[] = {login};

/* What ssh-keygen -L says of a blob. */
static void describe(const char *dir, struct view blob, struct buf *said)
{
	AUTO(mem_free) char *path = path_join(dir, "a-cert.pub");

	sshworld_write(dir, "a-cert.pub", blob);
	if (PROGRAM_RUN(said, "ssh-keygen", "-L", "-f", path) != 0)
		fail_msg("ssh-keygen: %s", buf_text(said));
}

static void assert_says(const struct buf *said, const char *wanted)
{
	if (strstr(buf_text(said), wanted) == NULL)
		fail_msg("\"%s\" is missing in: %s", wanted, buf_text(said));
}

/* The keys of ssh-keygen, as grants have them. */
struct subject {
	struct buf blob, bits;
	struct grant_key key;
};

static void subject_make(const char *dir, const struct sshworld_kind *kind, struct subject *out)
{
	*out = (struct subject){.blob = BUF(SSHKEY_MAX), .bits = BUF(SSHKEY_MAX)};
	sshworld_keygen(dir, "subject", kind->type, kind->bits, "");
	sshworld_read(dir, "subject.pub", &out->blob);
	assert_ok(sshkey_parse(buf_view(&out->blob), &out->bits, &out->key));
}

static void subject_free(struct subject *subject)
{
	buf_free(&subject->blob);
	buf_free(&subject->bits);
}

static void assert_read_again(
	const struct issued *issued, const struct subject *subject, const struct ssh_ca *ca)
{
	struct ssh_certificate read;
	struct view rest, one;

	assert_ok(ssh_certificate_parse(buf_view(&issued->der), &read));
	assert_ok(ssh_certificate_verify(&read));
	assert_true(ssh_certificate_is_for(&read, buf_view(&subject->blob)));
	assert_false(ssh_certificate_is_for(&read, ssh_ca_public(ca)));
	assert_view_equal(ssh_ca_public(ca), read.signature_key);
	assert_int_equal(7, read.serial);
	assert_int_equal(NOW - 300, read.valid_after);
	assert_int_equal(NOW + 3600, read.valid_before);
	assert_view_equal(view_str("0123456789abcdef0123456789abcdef"), read.key_id);
	assert_int_equal(32, read.nonce.n);
	rest = read.principals;
	assert_true(ssh_string_next(&rest, &one));
	assert_view_equal(view_str("web-01.example.org"), one);
	assert_false(ssh_string_next(&rest, &one));
}

/* Which ssh-keygen does not only print: it verifies the signature first. */
static void assert_ssh_keygen_reads(const char *dir, const struct issued *issued,
	const struct sshworld_kind *kind, const char *signature)
{
	AUTO(buf_free) struct buf said = BUF(1 << 16), wanted = BUF(256);

	describe(dir, buf_view(&issued->der), &said);
	buf_fmt(&wanted, "Type: %s-cert-v01@openssh.com host certificate\n", kind->name);
	assert_says(&said, buf_text(&wanted));
	buf_free(&wanted);
	buf_fmt(&wanted, "(using %s)\n", signature);
	assert_says(&said, buf_text(&wanted));
	assert_says(&said, "Key ID: \"0123456789abcdef0123456789abcdef\"\n        Serial: 7\n"
			   "        Valid: from 2027-01-15T07:55:00 to 2027-01-15T09:00:00\n"
			   "        Principals: \n                web-01.example.org\n"
			   "        Critical Options: (none)\n        Extensions: (none)\n");
}

static const struct {
	const char *name, *signature;
} authorities[] = {
	[KEY_TYPE_P256] = {"p256", "ecdsa-sha2-nistp256"},
	[KEY_TYPE_P384] = {"p384", "ecdsa-sha2-nistp384"},
	[KEY_TYPE_RSA2048] = {"rsa2048", "rsa-sha2-512"},
	[KEY_TYPE_RSA3072] = {"rsa3072", "rsa-sha2-512"},
	[KEY_TYPE_ED25519] = {"ed25519", "ssh-ed25519"},
};

static void a_ca_of_each_type_certifies_each_key(void **state)
{
	struct template tmpl = sshworld_template("ssh-host");

	(void)state;
	tmpl.ssh.principals = LIST(hosts);
	for (size_t c = 0; c < COUNT(authorities); c++) {
		AUTO(scratch_remove) char *dir = scratch_make();
		AUTO(ssh_ca_free) struct ssh_ca *ca = sshworld_ca(dir, (enum key_type)c);

		assert_ok(ssh_ca_ready(ca));
		printf("%-10s %-24s", authorities[c].name, authorities[c].signature);
		for (size_t i = 0; i < sshworld_kinds_n; i++) {
			AUTO(scratch_remove) char *keys = scratch_make();
			AUTO(subject_free) struct subject subject;
			AUTO(issued_free) struct issued issued = {0};
			struct grant grant = sshworld_grant(&tmpl);

			subject_make(keys, &sshworld_kinds[i], &subject);
			grant.key = subject.key;
			assert_ok(ssh_judge(&tmpl, &grant));
			assert_ok(ssh_issue(ca, &tmpl, &grant, NOW, &issued));
			assert_int_equal(8, issued.serial_n);
			assert_memory_equal("\0\0\0\0\0\0\0\7", issued.serial, 8);
			assert_int_equal(NOW - 300, issued.not_before);
			assert_int_equal(NOW + 3600, issued.not_after);
			assert_read_again(&issued, &subject, ca);
			assert_ssh_keygen_reads(
				dir, &issued, &sshworld_kinds[i], authorities[c].signature);
			printf(" %s-%s", sshworld_kinds[i].type, sshworld_kinds[i].bits);
		}
		printf(" (ssh-keygen -L)\n");
	}
}

/* A CA, and a grant for a key, by templates that a test changes. */
struct bench {
	char *dir;
	struct ssh_ca *ca;
	struct subject subject;
	struct template tmpl;
	struct grant grant;
};

static void bench_make(const char *kind, struct bench *out)
{
	out->dir = scratch_make();
	out->ca = sshworld_ca(out->dir, KEY_TYPE_P256);
	subject_make(out->dir, &sshworld_kinds[sshworld_kinds_n - 1], &out->subject);
	out->tmpl = sshworld_template(kind);
	out->tmpl.ssh.principals = LIST(hosts);
	out->grant = sshworld_grant(&out->tmpl);
	out->grant.key = out->subject.key;
}

static void bench_free(struct bench *bench)
{
	ssh_ca_free(&bench->ca);
	subject_free(&bench->subject);
	scratch_remove(&bench->dir);
}

static void a_users_certificate_has_what_the_template_says_sorted(void **state)
{
	static char force_command[] = "force-command", source_address[] = "source-address";
	static char uptime[] = "/usr/bin/uptime -p", network[] = "192.0.2.0/24,2001:db8::/32";
	static char forwarding[] = "permit-agent-forwarding", x11[] = "permit-X11-forwarding";
	static char key_id[] = "${host} (${device.id})", auditor[] = "auditor";
	struct template_ssh_option critical[] = {{.name = source_address, .value = network},
		{.name = force_command, .value = uptime}};
	struct template_ssh_option extensions[] = {
		{.name = permit_pty}, {.name = forwarding}, {.name = x11}};
	char *principals[] = {login, auditor};
	AUTO(bench_free) struct bench bench;
	AUTO(issued_free) struct issued issued = {0};
	AUTO(buf_free) struct buf said = BUF(1 << 16);

	(void)state;
	bench_make("ssh-user", &bench);
	bench.tmpl.ssh.principals = LIST(principals);
	bench.tmpl.ssh.critical_options = LIST(critical);
	bench.tmpl.ssh.extensions = LIST(extensions);
	bench.tmpl.ssh.key_id = key_id;
	bench.grant.ssh_serial = UINT64_MAX;
	assert_ok(ssh_issue(bench.ca, &bench.tmpl, &bench.grant, NOW, &issued));
	describe(bench.dir, buf_view(&issued.der), &said);
	assert_says(&said, "-cert-v01@openssh.com user certificate\n");
	assert_says(&said, "Key ID: \"web-01.example.org (0123456789abcdef0123456789abcdef)\"\n"
			   "        Serial: 18446744073709551615\n");
	assert_says(&said, "        Principals: \n                deploy\n                auditor\n"
			   "        Critical Options: \n"
			   "                force-command /usr/bin/uptime -p\n"
			   "                source-address 192.0.2.0/24,2001:db8::/32\n"
			   "        Extensions: \n                permit-X11-forwarding\n"
			   "                permit-agent-forwarding\n                permit-pty\n");
}

static void two_certificates_of_one_grant_differ(void **state)
{
	AUTO(bench_free) struct bench bench;
	AUTO(issued_free) struct issued a = {0}, b = {0};
	struct ssh_certificate one, other;

	(void)state;
	bench_make("ssh-host", &bench);
	assert_ok(ssh_issue(bench.ca, &bench.tmpl, &bench.grant, NOW, &a));
	assert_ok(ssh_issue(bench.ca, &bench.tmpl, &bench.grant, NOW, &b));
	assert_ok(ssh_certificate_parse(buf_view(&a.der), &one));
	assert_ok(ssh_certificate_parse(buf_view(&b.der), &other));
	assert_false(view_equal(one.nonce, other.nonce));
}

static void no_principals(struct bench *bench)
{
	bench->tmpl.ssh.principals.n = 0;
}

static void missing_label(struct bench *bench)
{
	bench->tmpl.ssh.principals = LIST(logins);
	bench->grant.labels_n = 0;
}

/* A label that would be two principals, were they joined by commas anywhere. */
static void two_in_one(struct bench *bench)
{
	static const struct grant_label labels[] = {{"login", "deploy,root"}};

	bench->tmpl.ssh.principals = LIST(logins);
	bench->grant.labels = labels;
}

static void principal_of_nothing(struct bench *bench)
{
	static char empty[] = "";
	static char *principals[] = {host, empty};

	bench->tmpl.ssh.principals = LIST(principals);
}

static void key_id_with_a_newline(struct bench *bench)
{
	static const struct grant_label labels[] = {{"login", "a\nSerial: 1"}};

	bench->tmpl.ssh.key_id = login;
	bench->grant.labels = labels;
}

static void option_with_a_control_character(struct bench *bench)
{
	static char name[] = "force-command", value[] = "/bin/true\t";
	static struct template_ssh_option options[] = {{.name = name, .value = value}};

	bench->tmpl.ssh.critical_options = LIST(options);
}

static void option_twice(struct bench *bench)
{
	static struct template_ssh_option options[] = {{.name = permit_pty}, {.name = permit_pty}};

	bench->tmpl.ssh.extensions = LIST(options);
}

static void options_for_a_host(struct bench *bench)
{
	static struct template_ssh_option options[] = {{.name = permit_pty}};
	static char kind[] = "ssh-host";

	bench->tmpl.kind = kind;
	bench->tmpl.ssh.extensions = LIST(options);
}

static void x509(struct bench *bench)
{
	static char kind[] = "x509";

	bench->tmpl.kind = kind;
}

static const struct {
	const char *name;
	void (*change)(struct bench *bench);
	enum err err;
	const char *code;
} rows[] = {
	{"no principals", no_principals, ERR_REJECTED, "ssh-principals"},
	{"a label that is missing", missing_label, ERR_REJECTED, "template-needs-label"},
	{"two principals in one", two_in_one, ERR_REJECTED, "template-value"},
	{"an empty principal", principal_of_nothing, ERR_REJECTED, "template-value"},
	{"a key_id with a newline", key_id_with_a_newline, ERR_REJECTED, "template-value"},
	{"a control character", option_with_a_control_character, ERR_REJECTED, "template-value"},
	{"an option twice", option_twice, ERR_INTERNAL, "template-value"},
	{"options for a host", options_for_a_host, ERR_INTERNAL, "template-value"},
	{"a template of X.509", x509, ERR_INTERNAL, "template-value"},
};

static void what_a_certificate_must_not_say_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(bench_free) struct bench bench;
		AUTO(issued_free) struct issued issued = {0};

		bench_make("ssh-user", &bench);
		assert_ok(ssh_judge(&bench.tmpl, &bench.grant));
		rows[i].change(&bench);
		assert_refused_in(rows[i].name, ssh_judge(&bench.tmpl, &bench.grant), rows[i].err,
			rows[i].code);
		assert_refused_in(rows[i].name,
			ssh_issue(bench.ca, &bench.tmpl, &bench.grant, NOW, &issued), rows[i].err,
			rows[i].code);
	}
}

static void a_number_and_times_that_cannot_be_are_our_fault(void **state)
{
	AUTO(bench_free) struct bench bench;
	AUTO(issued_free) struct issued issued = {0};

	(void)state;
	bench_make("ssh-host", &bench);
	assert_refused(ssh_issue(bench.ca, &bench.tmpl, &bench.grant, 299, &issued), ERR_INTERNAL,
		"crypto");
	assert_refused(
		ssh_issue(bench.ca, &bench.tmpl, &bench.grant, INT64_C(253402297201), &issued),
		ERR_INTERNAL, "crypto");
	bench.grant.ssh_serial = 0;
	assert_refused(ssh_issue(bench.ca, &bench.tmpl, &bench.grant, NOW, &issued), ERR_INTERNAL,
		"ssh-serial");
}

static void a_key_that_openssh_does_not_have_is_refused(void **state)
{
	static const uint8_t point[65] = {4};
	AUTO(bench_free) struct bench bench;
	AUTO(issued_free) struct issued issued = {0};

	(void)state;
	bench_make("ssh-host", &bench);
	bench.grant.key = (struct grant_key){"secp256k1", VIEW(point)};
	assert_refused(ssh_issue(bench.ca, &bench.tmpl, &bench.grant, NOW, &issued), ERR_MALFORMED,
		"ssh-key");
}

static void a_ca_key_that_openssh_would_not_believe_is_refused(void **state)
{
	EVP_PKEY *keys[] = {
		EVP_EC_gen("secp256k1"), EVP_RSA_gen(1024), EVP_PKEY_Q_keygen(NULL, NULL, "ED448")};
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(mem_free) char *path = path_join(dir, "ca.key");
	AUTO(mem_free) char *passphrase = path_join(dir, "ca.passphrase");
	struct ssh_ca *ca = NULL;

	(void)state;
	assert_refused(ssh_ca_load(path, passphrase, &ca), ERR_NOT_FOUND, "file-missing");
	for (size_t i = 0; i < COUNT(keys); i++) {
		assert_ok(key_save(keys[i], path, passphrase));
		assert_refused(ssh_ca_load(path, passphrase, &ca), ERR_INTERNAL, "ca-key");
		EVP_PKEY_free(keys[i]);
	}
	assert_null(ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ca_of_each_type_certifies_each_key),
		cmocka_unit_test(a_users_certificate_has_what_the_template_says_sorted),
		cmocka_unit_test(two_certificates_of_one_grant_differ),
		cmocka_unit_test(what_a_certificate_must_not_say_is_refused),
		cmocka_unit_test(a_number_and_times_that_cannot_be_are_our_fault),
		cmocka_unit_test(a_key_that_openssh_does_not_have_is_refused),
		cmocka_unit_test(a_ca_key_that_openssh_would_not_believe_is_refused),
	};

	setenv("TZ", "UTC", 1); /* of what ssh-keygen prints */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
