/* world.h - everything that an enrollment needs, for one test: database, CA, service, edge, TPMs. */
#pragma once

#include "tests/flow/chip.h"
#include "tests/flow/httpc.h"
#include "tests/flow/pgproxy.h"
#include "tests/flow/process.h"

#define WORLD_SERVICES 4

/* A policy by which one TPM may have many names, each below example.test. */
extern const char world_any_name[];

/* What a test wants; zeroes: one service, no chip, no edge. */
struct world_plan {
	size_t chips;
	size_t services;
	bool edge; /* HAProxy with deploy/edge/haproxy.cfg in front of the services */
	const char *const *edge_env; /* of HAProxy, "NAME=value" up to NULL; NULL: nothing more */
	/* The edge has all its frontends: for operators and programs, and plain HTTP, which is public_url. */
	bool all_fronts;
	bool pgproxy; /* the services reach the database through it */
	const char *key_type; /* of the CAs; NULL: p256 */
	const char *policy; /* YAML text; NULL: web-*.example.test, with any EK */
	const char *templates; /* directory; NULL: templates/ */
	const char *const *env; /* of the services, "NAME=value" up to NULL; NULL: nothing more */
	const char *
		more; /* YAML behind their configuration, which ends within "trust"; NULL: nothing */
	int edge_port; /* 0: one that is free */
};

struct world_service {
	pid_t pid; /* 0 while it is stopped */
	int port, admin_port;
	char *config, *log;
	struct httpc_peer peer; /* plain, with the edge's secret */
	struct httpc_peer admin; /* plain, with the admin token */
	char *headers, *admin_headers;
};

struct world {
	char *dir;
	char *name; /* the service's name and base URL: "https://localhost:PORT" */
	char *conninfo; /* straight to the database */
	char *ca; /* directory that `endorsectl ca init` made */
	char *secret, *token; /* the edge's secret and the admin token, 64 digits each */
	char *admin_secret; /* of the edge for admins */
	struct maker maker; /* trusted, as "demo" */
	struct chip *chips;
	size_t chips_n;
	struct world_service services[WORLD_SERVICES];
	size_t services_n;
	struct httpc_peer front; /* through the edge, by TLS */
	/* With all_fronts: who asks adds his certificate, or his token. */
	struct httpc_peer operators, programs, plain;
	char *roots; /* PEM file that the edge's certificate chains to */
	int edge_port;
	pid_t edge;
	struct pgproxy *pgproxy;
	struct world_plan plan;
};

/* Makes it and waits until all of it answers; ends the test when it cannot. */
void world_make(const struct world_plan *plan, struct world *world);
/* Stops everything; a service that does not exit with 0 fails the test. */
void world_free(struct world *world);

/* Starts a service again (same ports and configuration) and waits until it is ready. */
void world_service_start(struct world *world, size_t i);
/* Ends a service by a signal; returns as waitpid() does. */
int world_service_stop(struct world *world, size_t i, int signal);
void world_edge_start(struct world *world);
void world_edge_stop(struct world *world);
/* What the edge answers to a line at its control socket, for free(). */
char *world_edge_says(struct world *world, const char *line);

/* Runs a program of the build ("endorse", "endorsectl"), arguments up to NULL. */
void world_run(struct world *world, struct output *output, const char *program, ...)
	__attribute__((sentinel));

/* How many rows a table has. */
long world_rows(struct world *world, const char *table);
/* Waits up to 10 s for a number of rows. */
bool world_rows_become(struct world *world, const char *table, long rows);

/* What a service, or the edge, has logged; for free(). */
char *world_log(struct world *world, size_t service);
/* The path of a file below the source tree; for free(). */
char *world_source(const char *path);
