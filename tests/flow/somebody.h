/* somebody.h - those who ask to administer: each kind of credential, good and bad. */
#pragma once

#include "tests/flow/world.h"

/* Somebody who asks: what his requests have with them, and what becomes of them. */
struct somebody {
	const char *is; /* for messages */
	char *headers;
	int level; /* the least admission that is too much for him; 0: none lets him in */
	int status; /* where he is not let in */
	const char *code;
};

#define SOMEBODIES 40
struct everybody {
	struct somebody all[SOMEBODIES];
	size_t n;
};
/* The first seven are let in: alice, olga and adam by certificates (auditor, operator, admin), three
 * tokens with these roles, and the token of the service's file. */
enum { ALICE, OLGA, ADAM, TOKEN_A, TOKEN_O, TOKEN_M, FILE_TOKEN };

/* Makes operators, tokens and certificates in this world. */
void everybody_make(struct world *world, struct everybody *out);
void everybody_free(struct everybody *everybody);

/* Header lines, for free(): of a PEM file's first certificate, as the edge for admins puts it; of a token. */
char *by_certificate(const struct world *world, const char *path);
char *by_token(const char *token);

/* A file of `endorsectl ca operator` by the admin CA in `dir`; its path, for free(). */
char *operator_certify(const struct world *world, const char *dir, const char *name);
/* By the token of the service's file; what is asked for has to be done. */
void admin_does(const struct world *world, const char *path, const char *json);
void operator_add_as(const struct world *world, const char *name, const char *role);
/* A new one as by_token() has it. */
char *token_make(const struct world *world, const char *name, const char *role);
