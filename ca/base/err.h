/* err.h - what a caller can be told, and why: one value for each answer, one reason for each
 * refusal. */
#pragma once

#define CHECKED __attribute__((warn_unused_result))

/* One value for each HTTP answer that a caller can get; the numbers are ours, err_http() gives
 * HTTP's. */
enum err {
	OK = 0,
	ERR_PENDING, /* 202: an admin is to decide; ask again */
	ERR_MALFORMED, /* 400: it cannot be read */
	ERR_UNPROVEN, /* 401: nothing shows that the sender may say this */
	ERR_DENIED, /* 403: proven, and not allowed */
	ERR_NOT_FOUND, /* 404 */
	ERR_METHOD, /* 405 */
	ERR_CONFLICT, /* 409: somebody else holds it, or it was used before */
	ERR_NO_LENGTH, /* 411 */
	ERR_TOO_LARGE, /* 413 */
	ERR_REJECTED, /* 422: well-formed, and the evidence does not hold */
	ERR_LIMITED, /* 429 */
	ERR_INTERNAL, /* 500: our fault */
	ERR_BUSY, /* 503: try later */
};

/* Why this thread's last call failed. The strings live until the thread's next refuse(). */
struct reason {
	enum err err;
	const char *code; /* stable, lower case with hyphens: "ek-eku-missing" */
	const char *clause; /* the specification's clause or the policy rule: "RFC 5280 4.2.1.9" */
	const char *sentence; /* what happened and what to do about it */
};

/*
 * Records the reason of a failure for this thread and is that error (`is`), so that a check reads
 * `return refuse(ERR_REJECTED, "csr-signature", "RFC 2986 3", "the signature does not match");`
 * `code` and `clause` must be string literals. The sentence is cut at 511 bytes. A macro, so that
 * compilers and analysers see which error it is. A code that a caller can see is listed in
 * enroll/proto/PROTOCOL.md; a lint compares the two.
 */
#define refuse(is, code, clause, ...) (reason_set((is), code, clause, __VA_ARGS__), (enum err)(is))

/*
 * The same, for what is wrong on our side of the counter (files, database, configuration, memory):
 * its code is for logs and for the operator's tools, and never leaves the service.
 */
#define fail(is, code, ...) (reason_set((is), code, "", __VA_ARGS__), (enum err)(is))

/* Call refuse() or fail(). */
void reason_set(enum err err, const char *code, const char *clause, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The last reason of this thread; code "" when there was none. Never NULL. */
const struct reason *why(void);

/* A reason put aside while something else is tried that may fail too. */
struct kept_reason {
	struct reason reason; /* .sentence points to the next member */
	char sentence[512];
};
void reason_keep(struct kept_reason *kept);
/* Makes it this thread's last reason again, and returns its error. */
CHECKED enum err reason_again(const struct kept_reason *kept);
/* The same with any reason but why() itself. */
CHECKED enum err reason_tell(const struct reason *reason);

/* The HTTP status for an error (RFC 9110 15), and its short title (RFC 9457 3.1.3). */
int err_http(enum err err);
const char *err_title(enum err err);

/* Returns the error of `call` to the caller; the only macro that hides control flow. */
#define TRY(call)                                                                                  \
	do {                                                                                       \
		enum err try_err_ = (call);                                                        \
		if (try_err_ != OK)                                                                \
			return try_err_;                                                           \
	} while (0)
