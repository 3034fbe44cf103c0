/* test_skae.c - certificates that keys in TPMs sign for themselves, shown in TLS together with the AK's certificate. */
#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "enroll/agent/reliance.h"
#include "enroll/agent/tpmkey.h"
#include "tests/flow/supervise.h"
#include "tests/flow/tpmtool.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define HOST "web-1.example.test"
#define OTHER_HOST "web-2.example.test"

static struct world world;
static char *dirs[2]; /* the state directories of the two devices */

static char *in(size_t device, const char *name)
{
	return text("%s/%s", dirs[device], name);
}

static const char policy[] = "rules:\n"
			     "  - name: web\n"
			     "    hosts: [{glob: \"web-*.example.test\"}]\n"
			     "    templates: [ak, tls-server]\n";

/* The AK's certificate, and one for a TLS key in the TPM. */
static void enroll(size_t device, const char *host, const char *ak, const char *hierarchy)
{
	AUTO(output_free) struct output output;

	world_run(&world, &output, "endorse", "enroll", "--server", world.name, "--ca", world.roots,
		"--tcti", world.chips[device].tcti, "--host", host, "--state", dirs[device], "--ak",
		ak, "--hierarchy", hierarchy, "--template", "ak", "--template", "tls-server=tpm",
		NULL);
	must(output.code == 0, "%s", buf_text(&output.err));
}

static void make_key(size_t device, enum key_kind kind, const char *name)
{
	AUTO(mem_free) char *path = in(device, name);
	AUTO(tpm_close) struct tpm *tpm = NULL;
	AUTO(tpmkey_free) struct tpmkey *key = NULL;

	must(tpm_open(&(struct tpm_access){.tcti = world.chips[device].tcti}, &tpm) == OK &&
			tpmkey_make(tpm, kind, &key) == OK && tpmkey_write(key, path) == OK,
		"%s", why()->sentence);
}

/* AK certificate and the CA above it: what is shown beside a certificate. */
static void write_shown(size_t device)
{
	AUTO(mem_free) char *ak = in(device, "ak.pem"), *chain = in(device, "chain.pem");
	AUTO(mem_free) char *shown = in(device, "shown.pem");
	AUTO(buf_free) struct buf pem = BUF(1 << 16);

	must(file_read(ak, &pem) == OK && file_read(chain, &pem) == OK, "%s", why()->sentence);
	write_file(shown, 0644, buf_view(&pem));
}

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.chips = 2, .services = 1, .edge = true, .policy = policy},
		&world);
	for (size_t i = 0; i < COUNT(dirs); i++)
		dirs[i] = text("%s/device-%zu", world.dir, i);
	enroll(0, HOST, "p256", "owner");
	enroll(1, OTHER_HOST, "rsa2048-pss", "ek");
	make_key(0, KEY_P256, "tls.tss2.pem");
	make_key(1, KEY_P384, "tls.tss2.pem");
	make_key(1, KEY_RSA_2048, "rsa.tss2.pem");
	write_shown(0);
	write_shown(1);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	for (size_t i = 0; i < COUNT(dirs); i++)
		free(dirs[i]);
	return 0;
}

static void self_sign(
	size_t device, const char *key, const char *out, const char *name, struct output *output)
{
	world_run(&world, output, "endorse", "self-sign", "--key", key, "--state", dirs[device],
		"--tcti", world.chips[device].tcti, "--out", out, name == NULL ? NULL : "--name",
		name, NULL);
}

static void check(size_t ak_of, const char *certificate, struct output *output)
{
	AUTO(mem_free) char *shown = in(ak_of, "shown.pem");

	world_run(&world, output, "endorse", "skae-check", "--certificate", certificate,
		"--ak-certificate", shown, "--ca", world.roots, "--self-signed", NULL);
}

static void wants(const struct output *output, int code, const char *what)
{
	if (output->code != code || (strstr(buf_text(&output->out), what) == NULL &&
					    strstr(buf_text(&output->err), what) == NULL))
		fail_msg("exit %d, wanted %d and \"%s\":\n%s%s", output->code, code, what,
			buf_text(&output->out), buf_text(&output->err));
}

static void assert_openssl_takes(const char *certificate, const char *name)
{
	MUST_RUN("openssl", "verify", "-x509_strict", "-partial_chain", "-check_ss_sig", "-purpose",
		"sslserver", "-verify_hostname", name, "-trusted", certificate, certificate);
}

static void what_the_service_issued_says_where_its_key_is(void **state)
{
	AUTO(mem_free) char *shown = in(0, "shown.pem"), *other = in(1, "shown.pem");
	AUTO(mem_free) char *certificate = in(0, "tls-server.fullchain.pem");
	AUTO(output_free) struct output given, fetched, of_another, self_signed;

	(void)state;
	world_run(&world, &given, "endorse", "skae-check", "--certificate", certificate,
		"--ak-certificate", shown, "--ca", world.roots, NULL);
	wants(&given, 0, "holds: ");
	world_run(&world, &fetched, "endorse", "skae-check", "--certificate", certificate,
		"--fetch", "--ca", world.roots, "--json", NULL);
	wants(&fetched, 0, "\"holds\": true");
	world_run(&world, &of_another, "endorse", "skae-check", "--certificate", certificate,
		"--ak-certificate", other, "--ca", world.roots, NULL);
	wants(&of_another, 9, "evidence is broken (attest-signature)");
	world_run(&world, &self_signed, "endorse", "skae-check", "--certificate", certificate,
		"--ak-certificate", shown, "--ca", world.roots, "--self-signed", NULL);
	wants(&self_signed, 9, "evidence is broken (attest-qualifying-data)");
}

static void every_key_signs_for_itself_and_its_ak_vouches(void **state)
{
	static const struct {
		size_t device;
		const char *key, *name, *wanted_name;
	} rows[] = {
		{0, "tls", NULL, HOST},
		{0, "tls-server", NULL, HOST},
		{0, "tls", "inner.example.test", "inner.example.test"},
		{1, "tls", NULL, OTHER_HOST},
		{1, "rsa", NULL, OTHER_HOST},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output made, judged, of_another;
		AUTO(mem_free) char *path = text("%s/self-%zu.pem", world.dir, i);

		self_sign(rows[i].device, rows[i].key, path, rows[i].name, &made);
		wants(&made, 0, "");
		assert_openssl_takes(path, rows[i].wanted_name);
		check(rows[i].device, path, &judged);
		wants(&judged, 0, "holds: ");
		check(1 - rows[i].device, path, &of_another);
		wants(&of_another, 9, "evidence is broken (attest-signature)");
		assert_nothing_left(world.chips[rows[i].device].tcti);
	}
}

static void a_key_may_be_named_by_its_file_and_the_certificate_goes_to_standard_output(void **state)
{
	AUTO(mem_free) char *key = in(0, "tls.tss2.pem"), *path = text("%s/out.pem", world.dir);
	AUTO(output_free) struct output made, judged;

	(void)state;
	world_run(&world, &made, "endorse", "self-sign", "--key", key, "--state", dirs[0], "--tcti",
		world.chips[0].tcti, "--lifetime", "1h", NULL);
	wants(&made, 0, "-----BEGIN CERTIFICATE-----");
	write_file(path, 0644, buf_view(&made.out));
	check(0, path, &judged);
	wants(&judged, 0, "holds: ");
}

static void what_is_missing_is_said(void **state)
{
	static const struct {
		const char *key, *state, *lifetime;
		int code;
		const char *words;
	} rows[] = {
		{"nothing", NULL, "1h", 1, "nothing.tss2.pem"},
		{"ak", NULL, "1h", 3, "that only signs"},
		{"tls", "/nonexistent", "1h", 1, "/nonexistent"},
		{"tls", NULL, "31d", 2, "up to 30 days"},
		{"tls", NULL, "0h", 2, "up to 30 days"},
		{"tls", NULL, "1", 2, "up to 30 days"},
		{"tls", NULL, "-1h", 2, "up to 30 days"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output output;

		world_run(&world, &output, "endorse", "self-sign", "--key", rows[i].key, "--state",
			rows[i].state == NULL ? dirs[0] : rows[i].state, "--tcti",
			world.chips[0].tcti, "--lifetime", rows[i].lifetime, NULL);
		wants(&output, rows[i].code, rows[i].words);
	}
}

/* A key file that was copied to another machine: the key stays where it was made. */
static void a_key_of_another_tpm_signs_nothing(void **state)
{
	AUTO(mem_free) char *key = in(1, "tls.tss2.pem"), *path = text("%s/stolen.pem", world.dir);
	AUTO(output_free) struct output output;

	(void)state;
	self_sign(0, key, path, NULL, &output);
	wants(&output, 3, "this TPM did not make the key");
}

/* `openssl s_server` with a certificate, its key (in the TPM where `tcti` is not NULL), and what is shown beside. */
static pid_t serve(
	const char *tcti, const char *certificate, const char *key, const char *beside, int port)
{
	AUTO(mem_free) char *at = text("127.0.0.1:%d", port);
	AUTO(mem_free) char *log = text("%s/s_server.log", world.dir);
	AUTO(mem_free) char *openssl = text("TPM2OPENSSL_TCTI=%s", tcti == NULL ? "" : tcti);
	const char *argv[20] = {"openssl", "s_server", "-accept", at, "-cert", certificate, "-key",
		key, "-cert_chain", beside, "-www"};
	/* The TPM has three places, which hashes in it would take: it is for the key alone. */
	static const char *const provider[] = {"-provider", "default", "-provider", "tpm2",
		"-propquery", "?provider=tpm2,tpm2.digest!=yes"};

	if (tcti != NULL)
		memcpy(argv + 11, provider, sizeof(provider));
	return process_start(&(struct program){
		.log = log, .argv = argv, .env = (const char *const[]){openssl, NULL}});
}

/* What a relying party's client thinks of whom it reached. */
struct opinion {
	struct anchors *anchors;
	char broken[32], code[64]; /* "" when all of it holds */
};

/* The second certificate of the chain is the AK's: nobody but its CA is trusted, and no name is looked at here. */
static int verify(X509_STORE_CTX *ctx, void *of)
{
	STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(ctx);
	struct opinion *opinion = of;
	const struct reliance_question question = {.certificate = X509_STORE_CTX_get0_cert(ctx),
		.kind = SKAE_SELF_SIGNED,
		.intermediates = shown,
		.anchors = opinion->anchors,
		.now = clock_now()};
	AUTO(skae_free) struct skae skae;
	enum reliance_part part;

	skae_init(&skae);
	must(sk_X509_num(shown) >= 2, "the AK's certificate is not shown");
	if (reliance_read(&question, &skae, &part) == OK &&
		reliance_judge(&question, &skae, sk_X509_value(shown, 1), &part) == OK)
		return 1;
	snprintf(opinion->broken, sizeof(opinion->broken), "%s", reliance_part_text(part));
	snprintf(opinion->code, sizeof(opinion->code), "%s", why()->code);
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

static bool shake_hands(SSL *ssl)
{
	char answer[64] = "";

	return SSL_connect(ssl) == 1 && SSL_write(ssl, "GET / HTTP/1.0\r\n\r\n", 18) == 18 &&
	       SSL_read(ssl, answer, sizeof(answer) - 1) > 0 &&
	       strncmp(answer, "HTTP/1.0 200", 12) == 0;
}

/* True when the handshake was done and the server answered through it. */
static bool visit(int port, struct opinion *opinion)
{
	AUTO(mem_free) char *at = text("127.0.0.1:%d", port);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	BIO *bio = BIO_new_connect(at);
	bool is_good;

	must(anchors_read(world.roots, &opinion->anchors) == OK, "%s", why()->sentence);
	SSL_CTX_set_cert_verify_callback(ctx, verify, opinion);
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	must(BIO_do_connect(bio) == 1, "%s", at);
	SSL_set_bio(ssl, bio, bio);
	is_good = shake_hands(ssl);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	anchors_free(&opinion->anchors);
	return is_good;
}

/* Serves, visits once, and wants this opinion; `code` "": the connection stands. */
static void meet(const char *tcti, const char *certificate, const char *key, const char *beside,
	const char *code)
{
	struct opinion opinion = {.code = ""};
	int port = free_port();
	pid_t server = serve(tcti, certificate, key, beside, port);
	bool is_good;

	must(wait_until(httpc_listens, &port, 10000), "s_server does not listen");
	is_good = visit(port, &opinion);
	process_stop(&server, SIGTERM);
	if (tcti != NULL)
		tpmtool_flush(tcti, world.dir); /* a server that is killed leaves its key */
	assert_string_equal(code, opinion.code);
	assert_true(is_good == (code[0] == '\0'));
}

static void tls_ends_where_the_ak_says(void **state)
{
	(void)state;
	for (size_t device = 0; device < 2; device++) {
		AUTO(mem_free) char *key = in(device, "tls.tss2.pem");
		AUTO(mem_free) char *shown = in(device, "shown.pem");
		AUTO(mem_free) char *other = in(1 - device, "shown.pem");
		AUTO(mem_free) char *path = text("%s/tls-%zu.pem", world.dir, device);
		AUTO(output_free) struct output made;
		const char *tcti = world.chips[device].tcti;

		self_sign(device, "tls", path, NULL, &made);
		wants(&made, 0, "");
		meet(tcti, path, key, shown, "");
		meet(tcti, path, key, other, "attest-signature");
	}
}

/* Takes the evidence of `from` into a certificate of a key of its own; `area` too, when it lies better. */
static void forge(const char *from, const char *certificate, const char *key)
{
	AUTO(x509_stack_free) STACK_OF(X509) *read = NULL;
	AUTO(pkey_free) EVP_PKEY *own = EVP_EC_gen("P-256");
	AUTO(buf_free) struct buf pem = BUF(1 << 16);
	FILE *file = fopen(key, "w");
	X509 *forged;

	must(certs_read(from, "pem-file", &read) == OK, "%s", why()->sentence);
	forged = sk_X509_value(read, 0);
	must(X509_set_pubkey(forged, own) == 1 && X509_sign(forged, own, EVP_sha256()) > 0 &&
			cert_pem_add(forged, &pem) == OK && file != NULL &&
			PEM_write_PrivateKey(file, own, NULL, NULL, 0, NULL, NULL) == 1,
		"forge");
	fclose(file);
	write_file(certificate, 0644, buf_view(&pem));
}

/* The evidence is public: whoever saw it once can show it with another key. */
static void a_swapped_key_gets_no_connection(void **state)
{
	AUTO(mem_free) char *path = text("%s/honest.pem", world.dir);
	AUTO(mem_free) char *forged = text("%s/forged.pem", world.dir);
	AUTO(mem_free) char *key = text("%s/forged.key", world.dir), *shown = in(0, "shown.pem");
	AUTO(output_free) struct output made, judged;

	(void)state;
	self_sign(0, "tls", path, NULL, &made);
	wants(&made, 0, "");
	forge(path, forged, key);
	meet(NULL, forged, key, shown, "attest-qualifying-data");
	check(0, forged, &judged);
	wants(&judged, 9, "evidence is broken (attest-qualifying-data)");
}

static int run_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_service_issued_says_where_its_key_is),
		cmocka_unit_test(every_key_signs_for_itself_and_its_ak_vouches),
		cmocka_unit_test(
			a_key_may_be_named_by_its_file_and_the_certificate_goes_to_standard_output),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(a_key_of_another_tpm_signs_nothing),
		cmocka_unit_test(tls_ends_where_the_ak_says),
		cmocka_unit_test(a_swapped_key_gets_no_connection),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}

int main(void)
{
	return supervise(run_all);
}
