/* bed.h - what bench-revocation measures at: a service, its database, and what this machine can do. */
#pragma once

#include "tests/bench/timing.h"
#include "tests/flow/cluster.h"
#include "tests/flow/world.h"

#include <openssl/x509.h>

#define MOST 400 /* times that one thing is measured */
#define ACTS 40 /* rows of the sample that are revoked one by one */

struct bed {
	struct world world;
	X509 *issuer;
	char *crl_of; /* "/crl/0123456789abcdef" */
	/* In the same run, so that all other figures can be read against them. */
	double bare_per_s; /* P-256 signatures of a core */
	double bare_read, bare_write; /* ms: one row by its key, at the database alone */
};
extern struct bed bed;

/* Milliseconds. */
double now(void);

/* X.509 certificates that are good when it is taken, in no order, and round again behind the last. */
enum { SERIAL, DEVICE, HOST, SHARD };
void sample_take(void);
void sample_free(void);
long sample_n(void);
const char *cell(long row, int column);

/* Measures bare_*, and prints them. */
void measure_machine(void);
void tell_memory(const char *when);
/* How large the CRLs are, which took so many ms. */
void tell_shards(const char *when, double took);

/* POST of JSON to the admin API; ends the bench when it is not answered with 200. */
void post(const char *path, const char *json, struct httpc_answer *answer);
/* One question by OCSP on an open connection. */
void inquire(struct httpc *httpc, const char *serial, bool has_nonce, struct httpc_answer *answer);
bool says_revoked(struct httpc *httpc, const char *serial);

/* The parts. */
void bench_ocsp(void);
void bench_acts(void);
void bench_questions(void);
void bench_commands(void);
void bench_ca(void);
