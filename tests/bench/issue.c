/* issue.c - how many certificates a core makes by each shipped template, beside bare signatures. */
#include "ca/authority.h"
#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/hierarchy.h"
#include "ca/signer/client.h"
#include "ca/specimen.h"
#include "tests/bench/timing.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS                                                                                     \
	20 /* of one and the other in turn, so that a machine that gets slower does so to both */
#define BLOCK 100

/* What `openssl speed ecdsap256` counts: a context that is there, and 32 bytes to sign. */
static bool sign(EVP_PKEY *key, size_t n)
{
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	uint8_t digest[32] = {1}, signature[128];
	bool is_good = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1;

	for (size_t i = 0; i < n && is_good; i++) {
		size_t size = sizeof(signature);

		is_good = EVP_PKEY_sign(ctx, signature, &size, digest, sizeof(digest)) == 1;
	}
	return is_good;
}

static enum err issue(struct signer *signer, const struct grant *grant, size_t n, size_t *size)
{
	for (size_t i = 0; i < n; i++) {
		AUTO(issued_free) struct issued issued = {0};

		TRY(signer_issue(signer, grant, clock_now(), &issued));
		*size = issued.der.n;
	}
	return OK;
}

/* One line of the table; `key` is one like the CA's. */
static enum err tell(
	struct signer *signer, const struct template *tmpl, X509 *issuer, EVP_PKEY *key)
{
	AUTO(specimen_free) struct specimen specimen;
	double signing = 0, issuing = 0, begin;
	size_t size = 0;
	enum err err = specimen_make(tmpl, issuer, &specimen);

	if (err != OK)
		return err;
	specimen.grant.ssh_serial = 1;
	for (size_t i = 0; i < BLOCKS; i++) {
		begin = clock_us(CLOCK_THREAD_CPUTIME_ID);
		if (!sign(key, BLOCK))
			return fail(ERR_INTERNAL, "crypto", "cannot sign");
		signing += clock_us(CLOCK_THREAD_CPUTIME_ID) - begin;
		begin = clock_us(CLOCK_THREAD_CPUTIME_ID);
		TRY(issue(signer, &specimen.grant, BLOCK, &size));
		issuing += clock_us(CLOCK_THREAD_CPUTIME_ID) - begin;
	}
	printf("%-18s %-9s %6zu %14.0f %16.0f %7.2f\n", tmpl->name, tmpl->kind, size,
		BLOCKS * BLOCK * 1e6 / issuing, BLOCKS * BLOCK * 1e6 / signing, issuing / signing);
	return OK;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static enum err open_signer(const char *dir, struct signer **out)
{
	AUTO(problems_free) struct problems problems;
	AUTO(mem_free) char *certificate = path_join(dir, "issuing.pem");
	AUTO(mem_free) char *key = path_join(dir, "issuing.key");
	AUTO(mem_free) char *passphrase = path_join(dir, "issuing.passphrase");
	AUTO(mem_free) char *host_key = path_join(dir, "ssh-host-ca.key");
	AUTO(mem_free) char *host_passphrase = path_join(dir, "ssh-host-ca.passphrase");
	AUTO(mem_free) char *user_key = path_join(dir, "ssh-user-ca.key");
	AUTO(mem_free) char *user_passphrase = path_join(dir, "ssh-user-ca.passphrase");
	const struct signer_files files = {.certificate = certificate,
		.key = key,
		.passphrase = passphrase,
		.templates = ENDORSE_SOURCE_DIR "/templates",
		.ssh_host_key = host_key,
		.ssh_host_passphrase = host_passphrase,
		.ssh_user_key = user_key,
		.ssh_user_passphrase = user_passphrase};
	enum err err;

	problems_init(&problems);
	TRY(hierarchy_make(dir, "Bench", KEY_TYPE_P256));
	err = signer_open(&files, &problems, out);
	fprintf(stderr, "%s", buf_text(&problems.text));
	return err;
}

static enum err run(const char *dir)
{
	AUTO(signer_close) struct signer *signer = NULL;
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	AUTO(x509_free) X509 *issuer = NULL;
	const struct template *tmpl;

	TRY(open_signer(dir, &signer));
	TRY(key_generate(KEY_TYPE_P256, &key));
	issuer = cert_from_der(signer_chain(signer, 0));
	printf("%-18s %-9s %6s %14s %16s %7s\n", "template", "kind", "bytes", "certificates/s",
		"P-256 signed/s", "ratio");
	for (size_t i = 0; (tmpl = signer_template(signer, i)) != NULL; i++)
		TRY(tell(signer, tmpl, issuer, key));
	printf("per second and core, of CPU time, with CAs of P-256; ratio: a certificate in "
	       "signatures\n");
	return OK;
}

int main(void)
{
	char dir[] = "/tmp/endorse-bench-XXXXXX";
	enum err err;

	if (mkdtemp(dir) == NULL)
		return 1;
	err = run(dir);
	if (err != OK)
		fprintf(stderr, "%s: %s\n", why()->code, why()->sentence);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return err == OK ? 0 : 1;
}
