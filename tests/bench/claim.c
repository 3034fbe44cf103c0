/* claim.c - what a ticket costs, and the second judging of its claim, beside plain calls of OpenSSL. */
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "enroll/flow/challenge.h"
#include "enroll/flow/judged.h"
#include "enroll/proto/proof.h"
#include "tests/bench/timing.h"
#include "tests/flow/maker.h"
#include "tests/flow/process.h"
#include "tests/softtpm/key.h"

#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE "https://ca.example.org"
#define HOST "web-1.example.test"
#define KEYS 4 /* EKs; of each there are many certificates, and none is seen twice */

/* One device, and what is on its way. */
struct machine {
	struct buf certificate, body, claim;
	struct challenge challenge;
	struct judgement judgement;
};

struct bench {
	struct maker maker;
	EVP_PKEY *root_key, *ek[KEYS];
	X509 *parsed; /* the intermediate as a service has it */
	struct trust *trust;
	struct policy *policy;
	struct ticket_keys *tickets;
	struct service service;
	struct caller caller;
	struct machine *machine;
	size_t n;
};

static void must_ok(enum err err)
{
	must(err == OK, "%s: %s", why()->code, why()->sentence);
}

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx = {0};
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
	must(extension != NULL && X509_add_ext(cert, extension, -1) == 1, "%s", value);
	X509_EXTENSION_free(extension);
}

/* As makers of chips have them: RSA-2048 and SHA-256. */
static X509 *authority(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
	X509 *cert = X509_new();

	issuer = issuer == NULL ? cert : issuer;
	must(cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
			ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
			X509_gmtime_adj(X509_getm_notBefore(cert), -86400) != NULL &&
			X509_gmtime_adj(X509_getm_notAfter(cert), 86400) != NULL &&
			X509_set_pubkey(cert, key) == 1 &&
			X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
				(const unsigned char *)name, -1, -1, 0) == 1 &&
			X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1,
		"%s", name);
	extend(cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
	extend(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	extend(cert, issuer, NID_subject_key_identifier, "hash");
	extend(cert, issuer, NID_authority_key_identifier, "keyid:always");
	must(X509_sign(cert, issuer_key, EVP_sha256()) > 0, "%s", name);
	return cert;
}

static void make_maker(struct bench *bench)
{
	struct maker *maker = &bench->maker;

	bench->root_key = EVP_RSA_gen(2048);
	maker->key = EVP_RSA_gen(2048);
	maker->root = authority("Bench root", bench->root_key, NULL, bench->root_key);
	maker->intermediate = authority("Bench CA", maker->key, maker->root, bench->root_key);
	for (size_t i = 0; i < KEYS; i++)
		bench->ek[i] = EVP_RSA_gen(2048);
}

static void make_trust(struct bench *bench)
{
	AUTO(ossl_free) uint8_t *root = NULL;
	AUTO(ossl_free) uint8_t *ca = NULL;
	size_t root_n = (size_t)i2d_X509(bench->maker.root, &root);
	size_t ca_n = (size_t)i2d_X509(bench->maker.intermediate, &ca);
	const struct trust_item items[] = {
		{TRUST_ROOT, TRUST_MANUFACTURER, {root, root_n}, "id:00001014", "bench"},
		{TRUST_INTERMEDIATE, TRUST_MANUFACTURER, {ca, ca_n}, "", "bench"},
	};
	const uint8_t *p = ca;

	must_ok(trust_add(NULL, items, COUNT(items), NULL, NULL, &bench->trust));
	bench->parsed = d2i_X509(NULL, &p, (long)ca_n);
}

static bool any_template(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return true;
}

static void make_service(struct bench *bench)
{
	AUTO(problems_free) struct problems problems;
	static const struct secret_key master = {{1, 2, 3}};

	problems_init(&problems);
	must_ok(policy_load(ENDORSE_SOURCE_DIR "/deploy/example/policy.yaml", any_template, NULL,
		&problems, &bench->policy));
	must_ok(ticket_keys_make(&master, SERVICE, &bench->tickets));
	bench->service = (struct service){.name = SERVICE,
		.trust = bench->trust,
		.policy = bench->policy,
		.judged = judged_make(bench->n),
		.tickets = bench->tickets};
	bench->caller = (struct caller){"r", "192.0.2.1", time(NULL), NULL};
}

/* The body of POST /v1/ticket as the device sends it. */
static void make_machine(struct bench *bench, size_t i)
{
	struct machine *machine = &bench->machine[i];
	AUTO(soft_key_free) struct soft_key ak;
	AUTO(buf_free) struct buf ak_public = BUF(LIMIT_PUBLIC);
	AUTO(buf_free) struct buf claim = BUF(LIMIT_CLAIM);

	*machine = (struct machine){.certificate = BUF(LIMIT_EK_CERTIFICATE),
		.body = BUF(LIMIT_TICKET_BODY),
		.claim = BUF(LIMIT_CLAIM)};
	challenge_init(&machine->challenge);
	maker_certify(&bench->maker, bench->ek[i % KEYS], NULL, &machine->certificate);
	must(soft_ak_make(SOFT_P256, SERVICE, NULL, &ak) && soft_key_public(&ak, &ak_public),
		"an AK");
	must_ok(claim_encode(&(struct claim){.service = SERVICE,
				     .host = HOST,
				     .ek_certificate = buf_view(&machine->certificate),
				     .ak_public = buf_view(&ak_public)},
		&claim));
	must_ok(ticket_request_encode(buf_view(&claim), &machine->body));
}

static void free_machine(struct machine *machine)
{
	buf_free(&machine->certificate);
	buf_free(&machine->body);
	buf_free(&machine->claim);
	challenge_free(&machine->challenge);
	judgement_free(&machine->judgement);
}

static void free_bench(struct bench *bench)
{
	for (size_t i = 0; i < bench->n; i++)
		free_machine(&bench->machine[i]);
	for (size_t i = 0; i < KEYS; i++)
		EVP_PKEY_free(bench->ek[i]);
	free(bench->machine);
	EVP_PKEY_free(bench->root_key);
	X509_free(bench->parsed);
	maker_free(&bench->maker);
	trust_free(&bench->trust);
	policy_free(&bench->policy);
	judged_free(&bench->service.judged);
	ticket_keys_free(&bench->tickets);
}

/* The steps of the first trip, and those of the second that are about the claim. */

static void read_body(const struct bench *bench, struct machine *machine)
{
	(void)bench;
	must_ok(ticket_request_parse(buf_view(&machine->body), &machine->claim));
}

static void challenge(const struct bench *bench, struct machine *machine)
{
	struct outcome outcome = {.what = ""};

	must_ok(challenge_make(&bench->service, &bench->caller, buf_view(&machine->claim),
		&machine->challenge, &outcome));
}

static void write_answer(const struct bench *bench, struct machine *machine)
{
	AUTO(buf_free) struct buf json = BUF(1 << 16);

	(void)bench;
	must_ok(challenge_encode(&machine->challenge, &json));
}

static void open_ticket(const struct bench *bench, struct machine *machine)
{
	AUTO(ticket_wipe) struct ticket ticket;

	must_ok(ticket_open(
		bench->tickets, buf_view(&machine->challenge.ticket), bench->caller.now, &ticket));
}

static void prove(const struct bench *bench, struct machine *machine)
{
	const struct secret_key session = {{1}};
	const struct transcript transcript = {buf_view(&machine->challenge.ticket),
		buf_view(&machine->claim), view_str("{\"keys\":[{\"template\":\"ak\"}]}")};
	uint8_t proof[PROOF_SIZE];

	(void)bench;
	must_ok(proof_make(&session, &transcript, proof));
}

static void judge_again(const struct bench *bench, struct machine *machine)
{
	must_ok(claim_judge(&bench->service, buf_view(&machine->claim), bench->caller.now,
		&machine->judgement));
}

/* What nobody can save: plain calls, with everything made before that can be. */

static void verify(const struct bench *bench, struct machine *machine)
{
	const uint8_t *p = machine->certificate.p;
	AUTO(x509_free) X509 *cert = d2i_X509(NULL, &p, (long)machine->certificate.n);

	must(cert != NULL && X509_verify(cert, X509_get0_pubkey(bench->parsed)) == 1,
		"a signature");
}

static void encrypt(const struct bench *bench, struct machine *machine)
{
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(bench->ek[0], NULL);
	uint8_t seed[32] = {1}, out[256];
	size_t n = sizeof(out);

	(void)machine;
	must(ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
			EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
			EVP_PKEY_encrypt(ctx, out, &n, seed, sizeof(seed)) == 1,
		"RSAES_OAEP");
}

static const struct {
	const char *name;
	void (*run)(const struct bench *bench, struct machine *machine);
} steps[] = {
	{"ticket: body read", read_body},
	{"ticket: judged, challenged, sealed", challenge},
	{"ticket: answer written", write_answer},
	{"enroll: ticket opened", open_ticket},
	{"enroll: proof", prove},
	{"enroll: claim judged again", judge_again},
	{"plain: certificate read, signature", verify},
	{"plain: RSAES_OAEP", encrypt},
};

/* bench-claim [N]: N devices, 500 unless given. */
int main(int argc, char **argv)
{
	struct bench bench = {.n = argc > 1 ? strtoul(argv[1], NULL, 10) : 500};

	make_maker(&bench);
	make_trust(&bench);
	make_service(&bench);
	bench.machine = calloc(bench.n, sizeof(bench.machine[0]));
	must(bench.machine != NULL && bench.n > 0, "%zu devices", bench.n);
	for (size_t i = 0; i < bench.n; i++)
		make_machine(&bench, i);
	printf("%-36s %12s\n", "RSA-2048 EKs, RSA-2048 CAs", "CPU us each");
	for (size_t k = 0; k < COUNT(steps); k++) {
		double begin = clock_us(CLOCK_THREAD_CPUTIME_ID);

		for (size_t i = 0; i < bench.n; i++)
			steps[k].run(&bench, &bench.machine[i]);
		printf("%-36s %12.1f\n", steps[k].name,
			(clock_us(CLOCK_THREAD_CPUTIME_ID) - begin) / (double)bench.n);
	}
	free_bench(&bench);
	return EXIT_SUCCESS;
}
