/* pending.h - the bodies of the admin API's part on attempts that are held (PROTOCOL.md, "Administration"). */
#pragma once

#include "enroll/proto/admin.h"

#define LIMIT_ATTEMPT_ID 32 /* hexadecimal digits, exactly so many */
#define WAITING_TEXT 513
#define WAITING_MAX 500 /* in one answer */

enum waiting_state { WAITING_HELD, WAITING_ACCEPTED, WAITING_REJECTED };
/* "held", "accepted", "rejected": by the state, and then NULL. */
extern const char *const waiting_state_words[];

/* One attempt that was held. Texts are "" where there is none. */
struct waiting {
	char id[LIMIT_ATTEMPT_ID + 1];
	enum waiting_state state;
	char host[LIMIT_HOST + 1]; /* asked for */
	char from[WAITING_TEXT]; /* address that asked last */
	char ek_digest[2 * SHA256_SIZE + 1];
	/* As its own certificate has it: nobody vouches for that. */
	char manufacturer[WAITING_TEXT], model[WAITING_TEXT], version[WAITING_TEXT];
	char code[LIMIT_REASON + 1], sentence[WAITING_TEXT]; /* what nobody vouches for */
	char rule[WAITING_TEXT]; /* of the policy, that holds it */
	char decided_by[WAITING_TEXT], why[WAITING_TEXT];
	int64_t first_at, last_at, asked; /* asked: how often */
	int64_t decided_at; /* 0: nobody did */
	/* Only with /show. */
	struct buf ek_public, ek_certificate,
		ak_name; /* TPM2B_PUBLIC; DER or empty; the AK's Name */
	struct buf chain[LIMIT_INTERMEDIATES]; /* DER, as it was sent */
	size_t chain_n;
};
void waiting_init(struct waiting *waiting);
void waiting_free(struct waiting *waiting); /* for AUTO */
/* GET /v1/admin/pending/show?id=ID. `out` is one of waiting_init(). */
CHECKED enum err waiting_encode(const struct waiting *waiting, struct buf *json);
CHECKED enum err waiting_parse(struct view json, struct waiting *out);

/* GET /v1/admin/pending?state=WORD: {pending: [...], more}, those that asked last first. */
struct waiting_list {
	struct waiting *items;
	size_t n;
	bool more;
};
CHECKED enum err waiting_list_init(struct waiting_list *list, size_t n);
void waiting_list_free(struct waiting_list *list); /* for AUTO; accepts zeroes */
CHECKED enum err waiting_list_encode(const struct waiting_list *list, struct buf *json);
/* `out` is overwritten, and for waiting_list_free() also after a failure. */
CHECKED enum err waiting_list_parse(struct view json, struct waiting_list *out);

/* POST /v1/admin/pending/accept, .../reject: {id, why}; answered by {id, state}. */
struct decide_request {
	char id[LIMIT_ATTEMPT_ID + 1];
	char why[LIMIT_WHY + 1];
};
CHECKED enum err decide_request_parse(struct view json, struct decide_request *out);
CHECKED enum err decide_request_encode(const struct decide_request *request, struct buf *json);
CHECKED enum err decide_answer_encode(const char *id, enum waiting_state state, struct buf *json);

/* POST /v1/admin/pending/trust-ca: {id, why, certificate, manufacturers}, the last left out when "". */
struct trust_ca_request {
	char id[LIMIT_ATTEMPT_ID + 1];
	char why[LIMIT_WHY + 1];
	char certificate[2 * SHA256_SIZE + 1]; /* SHA-256 of the DER */
	char manufacturers
		[513]; /* "id:49465800,..." or "any"; "": as the EK's certificate claims */
};
CHECKED enum err trust_ca_request_parse(struct view json, struct trust_ca_request *out);
CHECKED enum err trust_ca_request_encode(const struct trust_ca_request *request, struct buf *json);

/* Its answer. */
struct trust_ca_answer {
	char certificate[2 * SHA256_SIZE + 1];
	char subject[WAITING_TEXT];
	char manufacturers[513]; /* "": any */
	bool is_known; /* it had been imported before, and stays as it was */
};
CHECKED enum err trust_ca_answer_parse(struct view json, struct trust_ca_answer *out);
CHECKED enum err trust_ca_answer_encode(const struct trust_ca_answer *answer, struct buf *json);
