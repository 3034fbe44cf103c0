/* set.h - what a trust set is made of: for those who fill it and those who search it. */
#pragma once

#include "ca/base/crypt.h"
#include "enroll/trust/trust.h"
#include "enroll/trust/vendors.h"
#include "enroll/trust/verdict.h"

/* A certificate or a CRL; several sets may hold it, each with words of its own. */
struct trust_entry {
	enum trust_role role;
	enum trust_class class;
	X509 *cert; /* of a root, an intermediate */
	char subject[TRUST_SUBJECT]; /* of that, for people: every chain that it is in tells it */
	X509_CRL *crl;
	char *manufacturers; /* in capitals, sorted, joined by commas; "": any */
	char *source;
	uint8_t sha256[SHA256_SIZE]; /* of the DER */
	/* A certificate of the set that has signed this one, once that was found out; read and written by
	 * trust_signer() and trust_note_signer(). */
	const X509 *known_signer;
	/* Of a CRL: SHA-256 of the key of a CA of the set that signed it, if there is one. */
	bool is_signed;
	uint8_t signer[SHA256_SIZE];
};

struct trust_entries {
	struct trust_entry *at;
	size_t n, room;
};

struct trust {
	struct trust_entries certificates; /* by subject (X509_NAME_cmp), of one name roots first */
	struct trust_entries crls;
	struct vendors *vendors; /* shared with the sets that this one came from */
	struct verdicts *verdicts; /* by this set: it goes with it */
	int64_t *moments; /* when something of the set begins or ends, in order */
	size_t moments_n;
	struct buf skipped; /* lines */
	uint8_t version[SHA256_SIZE];
};

/* Who is told of what is passed over: the set remembers it, for a doctor. */
struct trust_teller {
	struct trust *trust;
	trust_skipped *skipped; /* NULL: nobody else */
	void *ctx;
};
void trust_tell(const struct trust_teller *teller, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A set with nothing in it. `*out` is the caller's. */
CHECKED enum err trust_make(struct trust **out);

/*
 * Keeps one more, unless one like it (role, DER) is there: the first one's class and constraints
 * stay. `what` has the role, the class and the words; `cert` or `crl` is borrowed, and shared.
 */
CHECKED enum err trust_keep(
	struct trust *trust, const struct trust_item *what, X509 *cert, X509_CRL *crl);

/* Makes a set that has everything ready to be searched; nothing is kept in it from then on. */
CHECKED enum err trust_settle(struct trust *trust, const struct trust_teller *teller);

/* The first moment at `now` or after it at which something of the set begins or ends; INT64_MAX: none. */
int64_t trust_next_moment(const struct trust *trust, int64_t now);

/* The first certificate whose subject is this name, or `trust->certificates.n`. */
size_t trust_find(const struct trust *trust, const X509_NAME *subject);
/* Is it still that name's? For walking on from trust_find(). */
bool trust_is_named(const struct trust *trust, size_t at, const X509_NAME *subject);

/*
 * The CAs of a set are few, and their signatures never change: each is computed once. NULL: not yet. From
 * any thread.
 */
const X509 *trust_signer(const struct trust_entry *entry);
void trust_note_signer(const struct trust_entry *entry, const X509 *signer);
