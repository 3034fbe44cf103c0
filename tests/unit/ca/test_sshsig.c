#include "ca/sshsig.h"

#include "ca/base/file.h"
#include "tests/unit/ca/program.h"
#include "tests/unit/ca/sshworld.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE "what is signed\n"

/* As an operator checks it; ssh-keygen reads the message from its standard input. */
static int verify_with_keygen(const char *dir, const char *namespace)
{
	AUTO(mem_free) char *allowed = path_join(dir, "allowed");
	AUTO(mem_free) char *signature = path_join(dir, "signature");
	AUTO(mem_free) char *message = path_join(dir, "message");
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int in = open(message, O_RDONLY);

		dup2(in, STDIN_FILENO);
		execlp("ssh-keygen", "ssh-keygen", "-q", "-Y", "verify", "-f", allowed, "-I", "ca",
			"-n", namespace, "-s", signature, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(pid, waitpid(pid, &status, 0));
	return WEXITSTATUS(status);
}

static void write_allowed(const char *dir, const struct ssh_ca *ca)
{
	AUTO(buf_free) struct buf line = BUF(8192);

	buf_str(&line, "ca ");
	assert_ok(sshkey_text(ssh_ca_public(ca), &line));
	buf_str(&line, "\n");
	scratch_put(dir, "allowed", buf_view(&line));
}

static void openssh_takes_the_signature_of_each_kind_of_ca(void **state)
{
	static const enum key_type types[] = {
		KEY_TYPE_P256, KEY_TYPE_P384, KEY_TYPE_RSA2048, KEY_TYPE_ED25519};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		AUTO(scratch_remove) char *dir = scratch_make();
		AUTO(ssh_ca_free) struct ssh_ca *ca = sshworld_ca(dir, types[i]);
		AUTO(buf_free) struct buf armored = BUF(SSHSIG_MAX);
		struct view key = ssh_ca_public(ca);

		assert_ok(sshsig_make(ca, SSHSIG_KRL, view_str(MESSAGE), &armored));
		assert_ok(
			sshsig_verify(buf_view(&armored), SSHSIG_KRL, view_str(MESSAGE), &key, 1));
		scratch_put(dir, "signature", buf_view(&armored));
		scratch_put(dir, "message", view_str(MESSAGE));
		write_allowed(dir, ca);
		assert_int_equal(0, verify_with_keygen(dir, SSHSIG_KRL));
		assert_int_not_equal(0, verify_with_keygen(dir, "file"));
	}
}

static void a_signature_of_ssh_keygen_is_taken(void **state)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(mem_free) char *key = path_join(dir, "key"), *message = path_join(dir, "message");
	AUTO(mem_free) char *path = path_join(dir, "message.sig");
	AUTO(buf_free) struct buf said = BUF(1 << 16), blob = BUF(SSHKEY_MAX);
	AUTO(buf_free) struct buf armored = BUF(SSHSIG_MAX);
	struct view keys[2];

	(void)state;
	sshworld_keygen(dir, "key", "ecdsa", "256", "");
	sshworld_read(dir, "key.pub", &blob);
	scratch_put(dir, "message", view_str(MESSAGE));
	assert_int_equal(0, PROGRAM_RUN(&said, "ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n",
				    SSHSIG_KRL, message));
	assert_ok(file_read(path, &armored));
	keys[0] = (struct view){NULL, 0};
	keys[1] = buf_view(&blob);
	assert_ok(sshsig_verify(buf_view(&armored), SSHSIG_KRL, view_str(MESSAGE), keys, 2));
}

/* Each is wrong in one thing. */
static void what_is_not_signed_by_the_key_for_this_is_refused(void **state)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(scratch_remove) char *other_dir = scratch_make();
	AUTO(ssh_ca_free) struct ssh_ca *ca = sshworld_ca(dir, KEY_TYPE_ED25519);
	AUTO(ssh_ca_free) struct ssh_ca *other = sshworld_ca(other_dir, KEY_TYPE_ED25519);
	AUTO(buf_free) struct buf armored = BUF(SSHSIG_MAX), longer = BUF(SSHSIG_MAX);
	const struct view key = ssh_ca_public(ca), other_key = ssh_ca_public(other);
	struct view view;

	(void)state;
	assert_ok(sshsig_make(ca, SSHSIG_KRL, view_str(MESSAGE), &armored));
	view = buf_view(&armored);
	assert_refused(sshsig_verify(view, SSHSIG_KRL, view_str(MESSAGE "more"), &key, 1),
		ERR_REJECTED, "ssh-signature");
	assert_refused(sshsig_verify(view, SSHSIG_KRL, view_str(MESSAGE), &other_key, 1),
		ERR_REJECTED, "sshsig-key");
	assert_refused(sshsig_verify(view, SSHSIG_KRL, view_str(MESSAGE), NULL, 0), ERR_REJECTED,
		"sshsig-key");
	assert_refused(sshsig_verify(view, "file", view_str(MESSAGE), &key, 1), ERR_REJECTED,
		"sshsig-namespace");
	assert_refused(sshsig_verify((struct view){view.p, view.n - 1}, SSHSIG_KRL,
			       view_str(MESSAGE), &key, 1),
		ERR_MALFORMED, "sshsig");
	assert_refused(sshsig_verify(view_str("-----BEGIN SSH SIGNATURE-----\n"
					      "not base64\n-----END SSH SIGNATURE-----\n"),
			       SSHSIG_KRL, view_str(MESSAGE), &key, 1),
		ERR_MALFORMED, "sshsig");
	buf_add(&longer, view);
	buf_str(&longer, "\n");
	assert_refused(sshsig_verify(buf_view(&longer), SSHSIG_KRL, view_str(MESSAGE), &key, 1),
		ERR_MALFORMED, "sshsig");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssh_takes_the_signature_of_each_kind_of_ca),
		cmocka_unit_test(a_signature_of_ssh_keygen_is_taken),
		cmocka_unit_test(what_is_not_signed_by_the_key_for_this_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
