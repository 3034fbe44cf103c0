/* judge.c - how long judging an EK certificate takes, beside the signatures that cannot be saved. */
#include "ca/base/cert.h"
#include "ca/base/crypt.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "enroll/tpm/identity.h"
#include "enroll/tpm/nvcert.h"
#include "tests/bench/timing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define FIXTURES ENDORSE_SOURCE_DIR "/tests/fixtures/ek"
#define NOW 1790000000 /* 2026-09-21: when the fixtures are good */
#define ROUNDS 200
#define APART 301 /* seconds: what was judged so long ago is judged anew (verdict.h) */
#define CHAIN (TRUST_STEPS + 1)

/* One EK and what its judgement came to. */
struct subject {
	struct view content; /* as it comes from NV */
	struct trust_verdict verdict;
};

/* The certificates of a chain, the EK's first. */
struct chain {
	const struct trust_verdict *verdict;
	X509 *cert[CHAIN];
};

static enum err judge(
	const struct trust *trust, struct view content, int64_t now, struct trust_verdict *verdict)
{
	AUTO(identity_free) struct identity *identity = NULL;

	TRY(identity_judge(&(struct identity_rules){.trust = trust, .now = now},
		&(struct ek_evidence){.certificate = content}, &identity));
	*verdict = *identity_trust(identity);
	return OK;
}

/* Mean of ROUNDS judgements, each so many seconds after the one before. */
static double time_judging(const struct trust *trust, struct subject *subject, int64_t apart)
{
	double begin = clock_us(CLOCK_PROCESS_CPUTIME_ID);

	for (int64_t i = 0; i < ROUNDS; i++)
		if (judge(trust, subject->content, NOW + i * apart, &subject->verdict) != OK)
			return -1;
	return (clock_us(CLOCK_PROCESS_CPUTIME_ID) - begin) / ROUNDS;
}

static enum err keep_step(void *ctx, const struct trust_item *item)
{
	struct chain *chain = ctx;
	uint8_t digest[32];

	TRY(SHA256_OF(digest, item->der));
	for (size_t i = 0; i < chain->verdict->steps; i++)
		if (memcmp(digest, chain->verdict->step[i].sha256, sizeof(digest)) == 0 &&
			chain->cert[i + 1] == NULL)
			chain->cert[i + 1] = cert_from_der(item->der);
	return OK;
}

/* What nobody can save: one signature for each certificate below the root. */
static double time_signatures(const struct trust *trust, const struct subject *subject)
{
	struct chain chain = {.verdict = &subject->verdict};
	size_t n = subject->verdict.steps;
	struct view der;
	double begin, result = -1;
	bool is_good = nv_certificate_cut(subject->content, &der) == OK &&
		       (chain.cert[0] = cert_from_der(der)) != NULL &&
		       trust_each(trust, keep_step, &chain) == OK;

	for (size_t i = 1; i <= n; i++)
		is_good = is_good && chain.cert[i] != NULL;
	begin = clock_us(CLOCK_PROCESS_CPUTIME_ID);
	for (int round = 0; is_good && round < ROUNDS; round++)
		for (size_t i = 0; i < n; i++)
			is_good = is_good && X509_verify(chain.cert[i],
						     X509_get0_pubkey(chain.cert[i + 1])) == 1;
	if (is_good)
		result = (clock_us(CLOCK_PROCESS_CPUTIME_ID) - begin) / ROUNDS;
	for (size_t i = 0; i < CHAIN; i++)
		X509_free(chain.cert[i]);
	return result;
}

static void tell(const struct trust *trust, const char *path)
{
	AUTO(buf_free) struct buf content = BUF(1 << 20);
	const char *name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
	struct subject subject = {.verdict = {0}};
	double cold, warm, signatures;

	if (file_read(path, &content) != OK ||
		judge(trust, buf_view(&content), NOW - APART, &subject.verdict) != OK) {
		printf("%-22s %s: %s\n", name, why()->code, why()->sentence);
		return;
	}
	subject.content = buf_view(&content);
	cold = time_judging(trust, &subject, APART);
	warm = time_judging(trust, &subject, 0);
	signatures = time_signatures(trust, &subject);
	printf("%-22s %5zu %10.0f %10.0f %9.2f %10.0f\n", name, subject.verdict.steps, cold,
		signatures, signatures > 0 ? cold / signatures : 0, warm);
}

struct reading {
	size_t n;
	double microseconds;
};

static enum err read_again(void *ctx, const struct trust_item *item)
{
	struct reading *reading = ctx;
	double begin = clock_us(CLOCK_PROCESS_CPUTIME_ID);
	X509 *cert = item->role == TRUST_CRL ? NULL : cert_from_der(item->der);

	reading->microseconds += clock_us(CLOCK_PROCESS_CPUTIME_ID) - begin;
	reading->n++;
	X509_free(cert);
	return OK;
}

/* Kilobytes at the most so far. */
static long memory(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static enum err load(const char *dir, struct trust **out)
{
	AUTO(mem_free) char *roots = path_join(dir, "roots");
	AUTO(mem_free) char *intermediates = path_join(dir, "intermediates");
	const struct trust_source sources[] = {
		{.name = "bundle",
			.class = TRUST_MANUFACTURER,
			.vendors = ENDORSE_SOURCE_DIR "/policy/vendors"},
		{.name = "bench",
			.class = TRUST_OPERATOR_IMPORT,
			.roots = roots,
			.intermediates = intermediates},
	};
	struct reading reading = {0};
	long before = memory();
	double begin = clock_us(CLOCK_PROCESS_CPUTIME_ID), end;

	TRY(trust_load(sources, COUNT(sources), NULL, NULL, out));
	end = clock_us(CLOCK_PROCESS_CPUTIME_ID);
	TRY(trust_each(*out, read_again, &reading));
	printf("%s and the bundle: %zu certificates and CRLs loaded in %.1f ms, of which "
	       "d2i_X509() alone "
	       "takes "
	       "%.1f ms (%.1f times that); %ld KiB more memory\n\n",
		dir, reading.n, (end - begin) / 1e3, reading.microseconds / 1e3,
		(end - begin) / reading.microseconds, memory() - before);
	return OK;
}

/* bench-judge [DIR [EK]...]: DIR has roots/ and intermediates/; the fixtures unless given. */
int main(int argc, char **argv)
{
	static const char *const leaves[] = {FIXTURES "/leaves/good-rsa.der",
		FIXTURES "/leaves/good-p384.der", FIXTURES "/leaves/set-of.der",
		FIXTURES "/leaves/cross-root.der"};
	AUTO(trust_free) struct trust *trust = NULL;

	if (load(argc > 1 ? argv[1] : FIXTURES, &trust) != OK) {
		fprintf(stderr, "bench-judge: %s\n", why()->sentence);
		return EXIT_FAILURE;
	}
	printf("CPU microseconds, mean of %d:\n%-22s %5s %10s %10s %9s %10s\n", ROUNDS, "EK",
		"above", "judged", "signatures", "ratio", "remembered");
	for (int i = 2; i < argc; i++)
		tell(trust, argv[i]);
	for (size_t i = 0; argc <= 2 && i < COUNT(leaves); i++)
		tell(trust, leaves[i]);
	return EXIT_SUCCESS;
}
