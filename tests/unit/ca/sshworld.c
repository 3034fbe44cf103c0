#include "tests/unit/ca/sshworld.h"

#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "tests/unit/ca/program.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

const struct sshworld_kind sshworld_kinds[] = {
	{"rsa", "2048", "ssh-rsa"},
	{"rsa", "3072", "ssh-rsa"},
	{"ecdsa", "256", "ecdsa-sha2-nistp256"},
	{"ecdsa", "384", "ecdsa-sha2-nistp384"},
	{"ecdsa", "521", "ecdsa-sha2-nistp521"},
	{"ed25519", "256", "ssh-ed25519"},
};
const size_t sshworld_kinds_n = COUNT(sshworld_kinds);

void sshworld_keygen(
	const char *dir, const char *name, const char *type, const char *bits, const char *comment)
{
	AUTO(mem_free) char *path = path_join(dir, name);
	AUTO(buf_free) struct buf said = BUF(1 << 16);

	if (PROGRAM_RUN(&said, "ssh-keygen", "-q", "-t", type, "-b", bits, "-N", "", "-C", comment,
		    "-f", path) != 0)
		fail_msg("ssh-keygen: %s", buf_text(&said));
}

void sshworld_read(const char *dir, const char *name, struct buf *blob)
{
	AUTO(mem_free) char *path = path_join(dir, name);
	AUTO(buf_free) struct buf line = BUF(1 << 16);
	char *rest, *word;

	assert_ok(file_read(path, &line));
	assert_non_null(strtok_r((char *)line.p, " ", &rest));
	assert_non_null(word = strtok_r(NULL, " \n", &rest));
	assert_ok(base64_read(view_str(word), blob));
}

void sshworld_write(const char *dir, const char *name, struct view blob)
{
	AUTO(buf_free) struct buf line = BUF(1 << 16);

	assert_ok(sshkey_text(blob, &line));
	buf_str(&line, "\n");
	scratch_put(dir, name, buf_view(&line));
}

struct ssh_ca *sshworld_ca(const char *dir, enum key_type type)
{
	AUTO(mem_free) char *path = path_join(dir, "ca.key");
	AUTO(mem_free) char *passphrase = path_join(dir, "ca.passphrase");
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	struct ssh_ca *ca = NULL;

	assert_ok(key_generate(type, &key));
	assert_ok(key_save(key, path, passphrase));
	assert_ok(ssh_ca_load(path, passphrase, &ca));
	return ca;
}

static char device_id[] = "${device.id}";

struct template sshworld_template(const char *kind)
{
	/* Nobody writes through it. */
	return (struct template){.name = (char *)(uintptr_t)kind,
		.kind = (char *)(uintptr_t)kind,
		.version = 1,
		.lifetime = 3600,
		.backdate = 300,
		.ssh = {.key_id = device_id}};
}

struct grant sshworld_grant(const struct template *tmpl)
{
	static const struct grant_label labels[] = {{"login", "deploy"}};

	return (struct grant){.template = tmpl->name,
		.template_version = 1,
		.host = "web-01.example.org",
		.device_id = "0123456789abcdef0123456789abcdef",
		.trust_class = "manufacturer",
		.labels = labels,
		.labels_n = COUNT(labels),
		.ssh_serial = 7};
}
