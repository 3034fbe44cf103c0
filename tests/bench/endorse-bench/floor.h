/* floor.h - what an enrollment costs at least: its parts by plain library calls, each timed alone. */
#pragma once

#include "ca/base/err.h"
#include "tests/bench/endorse-bench/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* README.md beside the folder says what each part is, and why no less will do. */
enum floor_part {
	FLOOR_HANDSHAKE, /* the server's side of one TLS 1.3 handshake */
	FLOOR_EK, /* an EK's certificate read and verified */
	FLOOR_CREDENTIAL, /* MakeCredential */
	FLOOR_TICKET, /* the AK read and named; ticket, proof and seal */
	FLOOR_CERTIFICATE, /* one certificate built and signed */
	FLOOR_DATABASE, /* PostgreSQL's backends, for the equivalent transaction */
	FLOOR_PARTS,
};

struct floor_plan {
	const char *edge_certificate; /* PEM file as HAProxy takes it; NULL: one is made */
	/*
	 * Conninfo of a superuser: a database of its own is made there, and dropped. NULL: a private
	 * cluster, for which pgbench and initdb are found as Debian installs them.
	 */
	const char *database;
	bool without_database; /* the part stays 0, and `sum_us` without it */
	bool with_bare_database; /* once more in tables without checks, references and indices */
};

/* Medians over the rounds, in microseconds of CPU time. */
struct floor_value {
	double us;
	double low_us, high_us; /* the quartiles */
};

struct floor_figures {
	struct floor_value parts[FLOOR_PARTS];
	double sum_us;
	unsigned rounds;
	bool has_database, has_bare_database;
	struct floor_value bare_database; /* not in the sum */
	/*
	 * The parts before the database together, once each and again, instead of in blocks: with what
	 * they leave each other of the caches, and with none. Not in the sum.
	 */
	struct floor_value in_turns, cold;
	/* As `openssl speed` counts them, in the same rounds: signatures a second of one core. */
	double p256_signs, rsa2048_signs;
};

/*
 * Rounds may be spread over a run: some before what is compared with them, some after. One thread.
 * Errors are ERR_INTERNAL "floor-..." with what is missing.
 */
struct floor;
CHECKED enum err floor_open(const struct floor_plan *plan, struct floor **out);
/* One block of each part, in turns; takes some half a second. */
CHECKED enum err floor_round(struct floor *floor);
/* Of all rounds so far, of which there is at least one. */
void floor_figures(const struct floor *floor, struct floor_figures *out);
void floor_close(struct floor **floor);

/* "handshake", "ek", "credential", "ticket", "certificate", "database" */
const char *floor_part_name(enum floor_part part);
/* An object: a member for each part and what is beside them, "sum_us", "rounds", and the two rates. */
void floor_json(const struct floor_figures *figures, const char *name, struct json *json);
/* A table for people. */
void floor_print(const struct floor_figures *figures, FILE *out);
