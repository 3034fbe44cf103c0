/* pki.h - a TPM manufacturer with a root, an intermediate CA and EK certificates, as faulty as
 * asked. */
#pragma once

#include "enroll/trust/trust.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define NOW 1790000000 /* 2026-09-21; no test asks for the time of day */
#define YEAR (365 * 86400)

/* One attribute of a directoryName. */
struct attribute {
	const char *oid;
	const char *value;
	int type; /* V_ASN1_...; 0: UTF8String */
};

/* What a certificate is to look like. NULL leaves an extension out. */
struct recipe {
	const char *name; /* the subject's common name; NULL: an empty subject */
	EVP_PKEY *key;
	X509 *issuer; /* NULL: itself */
	EVP_PKEY *issuer_key;
	int64_t from, until;
	const char *constraints, *key_usage, *extended_key_usage; /* as openssl.cnf has them */
	const struct attribute *names; /* the directoryName of the subject alternative name */
	size_t names_n;
	int set; /* 0: one RDN each, -1: all in one */
	int names_times; /* how many such extensions; 0 stands for 1 */
	uint64_t serial; /* 0: one that many have */
	const char *issuer_name; /* a common name instead of the issuer's own */
	const EVP_MD *digest; /* NULL: SHA-256 */
	bool lacks_subject_id, lacks_authority_id;
};

/* Good ones, for changing. */
struct recipe recipe_root(const char *name, EVP_PKEY *key);
struct recipe recipe_ca(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key);
/* As swtpm's CA makes them: empty subject, critical SAN. */
struct recipe recipe_ek(EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key);

X509 *certificate_made(const struct recipe *recipe);
/* The DER of it; the memory is the certificate's own cache or `out`'s. */
void certificate_add(X509 *certificate, struct buf *out);

/* A manufacturer, whom a service trusts, and one EK; a test changes what it likes. */
struct world {
	EVP_PKEY *root_key, *ca_key, *ek_key;
	X509 *root, *ca, *leaf;
	STACK_OF(X509) *roots, *hints; /* what the service has; root and ca at first */
	STACK_OF(X509) *sent; /* what the device adds; nothing at first */
	STACK_OF(X509_CRL) *crls; /* of the service; nothing at first */
	const char *manufacturers; /* whom the roots may vouch for; NULL: any */
	bool takes_expired;
	int64_t now;
};
void world_make(struct world *world);
void world_free(struct world *world); /* for AUTO */
/* Puts another leaf, root or intermediate in place of the world's. */
void world_leaf(struct world *world, const struct recipe *recipe);
void world_root(struct world *world, const struct recipe *recipe);
void world_ca(struct world *world, const struct recipe *recipe);
/* Another certificate on one of the stacks; borrowed by the caller. */
X509 *world_add(STACK_OF(X509) *stack, const struct recipe *recipe);
/* One more reference to a certificate on a stack; none at all. */
void stack_add(STACK_OF(X509) *stack, X509 *certificate);
void stack_empty(STACK_OF(X509) *stack);
/* `n` CAs between the root and the leaf, in place of the hints. */
void world_deep(struct world *world, int n);
/* The service's trust, from files. */
struct trust *world_trust(const struct world *world);
/* The sent certificates as views of `store`. */
size_t world_sent(const struct world *world, struct buf *store, struct view out[static 16]);

/* What becomes of the world's leaf with what it sends. */
enum err world_verify(const struct world *world, struct trust_verdict *verdict);

/* A fresh world, altered by one row, and what becomes of its leaf. */
struct world_row {
	const char *name;
	void (*change)(struct world *world);
	enum err err;
	const char *code;
	const char *clause;
};
void world_check(const struct world_row *rows, size_t n);

/* What is asked about a leaf of recipe_ek(), without anything sent. */
#define QUESTION(x509)                                                                             \
	((struct trust_question){.leaf = (x509),                                                   \
		.manufacturer = "id:00001014",                                                     \
		.version = "id:20191023",                                                          \
		.now = NOW})
