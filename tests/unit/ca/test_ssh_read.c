#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/sshwire.h"
#include "tests/unit/ca/program.h"
#include "tests/unit/ca/sshworld.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

/* A CA and a key of ssh-keygen's, and what ssh-keygen made of them. */
struct made {
	char *dir, *ca, *key;
	struct buf key_blob, ca_blob, certificate;
};

/* Arguments of ssh-keygen between the CA and the key, up to NULL; none: a host's, as ours. */
static void certify(struct made *made, const char *const *options)
{
	static const char *const usual[] = {"-I", "device", "-h", "-n",
		"web-01.example.org,web-01.example.test", "-V", "20260101:20360101", "-z", "42",
		NULL};
	const char *argv[24] = {"ssh-keygen", "-q", "-s", made->ca};
	AUTO(buf_free) struct buf said = BUF(1 << 16);
	size_t n = 4;

	for (options = options == NULL ? usual : options; *options != NULL; options++)
		argv[n++] = *options;
	argv[n] = made->key;
	if (program_run(argv, &said) != 0)
		fail_msg("ssh-keygen: %s", buf_text(&said));
	sshworld_read(made->dir, "key-cert.pub", &made->certificate);
}

static void make(const struct sshworld_kind *ca, const struct sshworld_kind *key, struct made *out)
{
	*out = (struct made){.dir = scratch_make(),
		.key_blob = BUF(SSHKEY_MAX),
		.ca_blob = BUF(SSHKEY_MAX),
		.certificate = BUF(SSH_CERTIFICATE_MAX)};
	sshworld_keygen(out->dir, "ca", ca->type, ca->bits, "");
	sshworld_keygen(out->dir, "key", key->type, key->bits, "");
	sshworld_read(out->dir, "ca.pub", &out->ca_blob);
	sshworld_read(out->dir, "key.pub", &out->key_blob);
	out->ca = path_join(out->dir, "ca");
	out->key = path_join(out->dir, "key.pub");
}

static void made_free(struct made *made)
{
	buf_free(&made->key_blob);
	buf_free(&made->ca_blob);
	buf_free(&made->certificate);
	free(made->ca);
	free(made->key);
	scratch_remove(&made->dir);
}

#define ECDSA (&sshworld_kinds[2])
#define ED25519 (&sshworld_kinds[5])

static void certificates_of_ssh_keygen_are_read_and_verified(void **state)
{
	(void)state;
	for (size_t i = 0; i < sshworld_kinds_n; i++) {
		AUTO(made_free) struct made made;
		struct ssh_certificate read;
		struct view rest, one;

		make(&sshworld_kinds[i], &sshworld_kinds[sshworld_kinds_n - 1 - i], &made);
		certify(&made, NULL);
		assert_ok(ssh_certificate_parse(buf_view(&made.certificate), &read));
		assert_ok(ssh_certificate_verify(&read));
		assert_true(ssh_certificate_is_for(&read, buf_view(&made.key_blob)));
		assert_false(ssh_certificate_is_for(&read, buf_view(&made.ca_blob)));
		assert_view_equal(buf_view(&made.ca_blob), read.signature_key);
		assert_int_equal(42, read.serial);
		assert_int_equal(SSH_HOST, read.type);
		assert_view_equal(view_str("device"), read.key_id);
		rest = read.principals;
		assert_true(ssh_string_next(&rest, &one));
		assert_view_equal(view_str("web-01.example.org"), one);
		assert_true(ssh_string_next(&rest, &one));
		assert_view_equal(view_str("web-01.example.test"), one);
		assert_false(ssh_string_next(&rest, &one));
	}
}

static void a_users_options_are_pairs(void **state)
{
	static const char *const options[] = {"-I", "id", "-n", "deploy", "-O", "clear", "-O",
		"permit-pty", "-O", "force-command=uptime", NULL};
	AUTO(made_free) struct made made;
	struct ssh_certificate read;
	struct view rest, name, data, value;

	(void)state;
	make(ECDSA, ED25519, &made);
	certify(&made, options);
	assert_ok(ssh_certificate_parse(buf_view(&made.certificate), &read));
	assert_int_equal(SSH_USER, read.type);
	rest = read.critical_options;
	assert_true(ssh_string_next(&rest, &name));
	assert_true(ssh_string_next(&rest, &data));
	assert_view_equal(view_str("force-command"), name);
	assert_true(ssh_string_next(&data, &value));
	assert_view_equal(view_str("uptime"), value);
	assert_int_equal(0, rest.n);
	rest = read.extensions;
	assert_true(ssh_string_next(&rest, &name));
	assert_true(ssh_string_next(&rest, &data));
	assert_view_equal(view_str("permit-pty"), name);
	assert_int_equal(0, data.n);
	assert_int_equal(0, rest.n);
}

static enum err judge(struct view blob)
{
	struct ssh_certificate read;

	TRY(ssh_certificate_parse(blob, &read));
	return ssh_certificate_verify(&read);
}

static void no_byte_of_a_certificate_can_be_another(void **state)
{
	AUTO(made_free) struct made made;

	(void)state;
	make(ECDSA, ED25519, &made);
	certify(&made, NULL);
	assert_ok(judge(buf_view(&made.certificate)));
	for (size_t i = 0; i < made.certificate.n; i++)
		for (uint8_t bit = 0x80; bit > 0; bit >>= 1) {
			made.certificate.p[i] ^= bit;
			if (judge(buf_view(&made.certificate)) == OK)
				fail_msg("byte %zu, bit %02x", i, bit);
			made.certificate.p[i] ^= bit;
		}
	for (size_t n = 0; n < made.certificate.n; n++)
		assert_refused(judge((struct view){made.certificate.p, n}), ERR_MALFORMED,
			"ssh-certificate");
	assert_ok(judge(buf_view(&made.certificate)));
	buf_u8(&made.certificate, 0);
	assert_refused(judge(buf_view(&made.certificate)), ERR_MALFORMED, "ssh-certificate");
}

static const struct {
	const char *name;
	const char *options[16];
	enum err err;
	const char *code;
} rows[] = {
	{"nobody's", {"-I", "id"}, ERR_MALFORMED, "ssh-certificate"},
	{"nobody's, a host's", {"-I", "id", "-h"}, ERR_MALFORMED, "ssh-certificate"},
	{"without a name", {"-I", "", "-n", "a"}, OK, ""},
	{"for ever", {"-I", "id", "-n", "a", "-V", "always:forever"}, OK, ""},
};

static void what_is_said_of_nobody_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(made_free) struct made made;

		make(ECDSA, ED25519, &made);
		certify(&made, rows[i].options);
		assert_refused_in(rows[i].name, judge(buf_view(&made.certificate)), rows[i].err,
			rows[i].code);
	}
}

/* SHA-256 and SHA-512 by RSA are good; ssh-keygen still signs with SHA-1 when it is told to. */
static void a_signature_by_rsa_with_sha1_is_refused(void **state)
{
	static const char *const algorithms[] = {"rsa-sha2-256", "rsa-sha2-512", "ssh-rsa"};
	static const struct sshworld_kind rsa = {"rsa", "2048", "ssh-rsa"};
	AUTO(made_free) struct made made;

	(void)state;
	make(&rsa, ED25519, &made);
	for (size_t i = 0; i < COUNT(algorithms); i++) {
		const char *const options[] = {"-t", algorithms[i], "-I", "id", "-n", "a", NULL};

		buf_free(&made.certificate);
		certify(&made, options);
		assert_refused_in(algorithms[i], judge(buf_view(&made.certificate)),
			i < 2 ? OK : ERR_REJECTED, "ssh-signature");
	}
}

/* A certificate by hand, signed by nobody, of which a test changes one thing. */
struct draft {
	const char *type;
	struct view fields;
	uint32_t kind;
	struct view principals, critical_options, extensions;
	uint64_t from, until;
};

static enum err parse_draft(const struct draft *draft)
{
	AUTO(buf_free) struct buf out = BUF(SSH_CERTIFICATE_MAX);
	struct ssh_certificate read;

	sshwire_add_string(&out, view_str(draft->type));
	sshwire_add_string(&out, view_str("nonce"));
	buf_add(&out, draft->fields);
	buf_be64(&out, 1);
	sshwire_add_u32(&out, draft->kind);
	sshwire_add_string(&out, view_str("id"));
	sshwire_add_string(&out, draft->principals);
	buf_be64(&out, draft->from);
	buf_be64(&out, draft->until);
	sshwire_add_string(&out, draft->critical_options);
	sshwire_add_string(&out, draft->extensions);
	for (int i = 0; i < 3;
		i++) /* reserved, and a key and a signature that nobody looks at yet */
		sshwire_add_string(&out, view_str(""));
	return ssh_certificate_parse(buf_view(&out), &read);
}

#define BYTES(literal) ((struct view){(const uint8_t *)(literal), sizeof(literal) - 1})
#define A "\0\0\0\1a"
#define B "\0\0\0\1b"
#define NONE "\0\0\0\0"

static void what_cannot_be_in_a_certificate_is_refused(void **state)
{
	struct draft good = {"ssh-ed25519-cert-v01@openssh.com", {NULL, 0}, SSH_USER, BYTES(A),
		BYTES(A A B NONE), BYTES(""), 1, 2};
	AUTO(made_free) struct made made;
	struct draft drafts[14];
	struct view type;

	(void)state;
	make(ECDSA, ED25519, &made);
	good.fields = buf_view(&made.key_blob);
	assert_true(sshwire_string(&good.fields, &type));
	assert_ok(parse_draft(&good));
	for (size_t i = 0; i < COUNT(drafts); i++)
		drafts[i] = good;
	drafts[0].type = "ssh-ed25519";
	drafts[1].type = "ssh-dss-cert-v01@openssh.com";
	drafts[2].type = "sk-ssh-ed25519-cert-v01@openssh.com";
	drafts[3].type = "-cert-v01@openssh.com";
	drafts[4].fields = BYTES("\0\0\0\4" NONE);
	drafts[5].kind = 0;
	drafts[6].kind = 3;
	drafts[7].principals = BYTES(A NONE);
	drafts[8].principals = BYTES(A "\0\0\0");
	drafts[9].critical_options = BYTES(B NONE A NONE);
	drafts[10].extensions = BYTES(A NONE A NONE);
	drafts[11].extensions = BYTES(A NONE B);
	drafts[12].extensions = BYTES(NONE NONE);
	drafts[13].from = 2;
	for (size_t i = 0; i < COUNT(drafts); i++) {
		char name[16];

		snprintf(name, sizeof(name), "draft %zu", i);
		assert_refused_in(name, parse_draft(&drafts[i]), ERR_MALFORMED, "ssh-certificate");
	}
}

/* The signature stays, and the key that is said to have made it is another. */
static void a_signature_by_another_key_is_refused(void **state)
{
	AUTO(made_free) struct made made, other;
	struct ssh_certificate read;

	(void)state;
	make(ECDSA, ED25519, &made);
	make(ECDSA, ED25519, &other);
	certify(&made, NULL);
	assert_ok(ssh_certificate_parse(buf_view(&made.certificate), &read));
	read.signature_key = buf_view(&other.ca_blob);
	assert_refused(ssh_certificate_verify(&read), ERR_REJECTED, "ssh-signature");
	read.signature_key = buf_view(&made.key_blob);
	assert_refused(ssh_certificate_verify(&read), ERR_REJECTED, "ssh-signature");
	read.signature_key = view_str("");
	assert_refused(ssh_certificate_verify(&read), ERR_REJECTED, "ssh-signature");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_of_ssh_keygen_are_read_and_verified),
		cmocka_unit_test(a_users_options_are_pairs),
		cmocka_unit_test(no_byte_of_a_certificate_can_be_another),
		cmocka_unit_test(what_is_said_of_nobody_is_refused),
		cmocka_unit_test(a_signature_by_rsa_with_sha1_is_refused),
		cmocka_unit_test(what_cannot_be_in_a_certificate_is_refused),
		cmocka_unit_test(a_signature_by_another_key_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
