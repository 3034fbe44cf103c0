/* operators.h - who may administer: operators and tokens (PROTOCOL.md, "Who may administer"). */
#pragma once

#include "ca/base/crypt.h"
#include "enroll/proto/admin.h"

#define LIMIT_NAME 64 /* of an operator, or a token */
#define LIMIT_ROLE 16
#define LIMIT_WHO 96 /* how the audit calls somebody */
#define OPERATORS_MAX 1000 /* rows of one list */
#define CERTIFICATE_DIGITS (2 * SHA256_SIZE)

/* GET /v1/admin/whoami: {who, role, by, until}. */
struct whoami {
	char who[LIMIT_WHO + 1], role[LIMIT_ROLE + 1];
	char by[LIMIT_ROLE + 1]; /* "file", "certificate", "token" */
	int64_t until; /* seconds since 1970; 0: the credential does not end */
};
CHECKED enum err whoami_parse(struct view json, struct whoami *out);
CHECKED enum err whoami_encode(const struct whoami *whoami, struct buf *json);

/* POST /v1/admin/operator/add and /operator/role: {name, role, why}; /operator/disable and
 * /token/revoke: {name, why}. What a request does not have is "". */
struct operator_request {
	char name[LIMIT_NAME + 1], role[LIMIT_ROLE + 1], why[LIMIT_WHY + 1];
};
CHECKED enum err operator_request_parse(
	struct view json, bool has_role, struct operator_request *out);
CHECKED enum err operator_request_encode(
	const struct operator_request *request, bool has_role, struct buf *json);

/* Their answer: {name, role}, {name, tokens}; the latter counts those that he created. */
struct operator_answer {
	char name[LIMIT_NAME + 1], role[LIMIT_ROLE + 1];
	int64_t tokens;
};
CHECKED enum err operator_answer_parse(struct view json, struct operator_answer *out);
CHECKED enum err operator_answer_encode(const struct operator_answer *answer, struct buf *json);

/* POST /v1/admin/operator/certificate/revoke: {certificate_sha256, name, why}; its answer is the first. */
struct operator_revoke_request {
	char certificate_sha256[CERTIFICATE_DIGITS + 1];
	char name[LIMIT_NAME + 1]; /* whose it is, for people; "" */
	char why[LIMIT_WHY + 1];
};
CHECKED enum err operator_revoke_request_parse(
	struct view json, struct operator_revoke_request *out);
CHECKED enum err operator_revoke_request_encode(
	const struct operator_revoke_request *request, struct buf *json);
CHECKED enum err operator_revoke_answer_encode(const char *certificate_sha256, struct buf *json);

/* GET /v1/admin/operators. */
struct operator_item {
	char name[LIMIT_NAME + 1], role[LIMIT_ROLE + 1];
	char created_by[LIMIT_WHY + 1], disabled_by[LIMIT_WHY + 1]; /* "": not */
	int64_t created_at, disabled_at;
};
struct operator_revoked {
	char certificate_sha256[CERTIFICATE_DIGITS + 1];
	char name[LIMIT_WHY + 1], revoked_by[LIMIT_WHY + 1], why[LIMIT_WHY + 1];
	int64_t revoked_at;
};
struct operator_list {
	struct operator_item *items;
	size_t n;
	struct operator_revoked *revoked;
	size_t revoked_n;
	bool more;
};
CHECKED enum err operator_list_init(struct operator_list *list, size_t n, size_t revoked_n);
void operator_list_free(struct operator_list *list); /* for AUTO; accepts zeroes */
CHECKED enum err operator_list_parse(struct view json, struct operator_list *out);
CHECKED enum err operator_list_encode(const struct operator_list *list, struct buf *json);

/* POST /v1/admin/token/create: {name, role, expires_in, why}. */
#define TOKEN_SECONDS_MAX (366 * 86400)
struct token_request {
	char name[LIMIT_NAME + 1], role[LIMIT_ROLE + 1], why[LIMIT_WHY + 1];
	int64_t expires_in; /* seconds */
};
CHECKED enum err token_request_parse(struct view json, struct token_request *out);
CHECKED enum err token_request_encode(const struct token_request *request, struct buf *json);

/* Its answer: {name, role, expires_at, token}. The token is shown this once. */
struct token_answer {
	char name[LIMIT_NAME + 1], role[LIMIT_ROLE + 1];
	char token[2 * SECRET_SIZE + 1];
	int64_t expires_at;
};
void token_answer_wipe(struct token_answer *answer); /* for AUTO */
CHECKED enum err token_answer_parse(struct view json, struct token_answer *out);
CHECKED enum err token_answer_encode(const struct token_answer *answer, struct buf *json);

/* GET /v1/admin/tokens. */
struct token_item {
	char name[LIMIT_NAME + 1], role[LIMIT_ROLE + 1];
	char created_by[LIMIT_WHY + 1], revoked_by[LIMIT_WHY + 1]; /* "": not */
	int64_t created_at, expires_at, revoked_at, used_at; /* 0: not */
};
struct token_list {
	struct token_item *items;
	size_t n;
	bool more;
};
CHECKED enum err token_list_init(struct token_list *list, size_t n);
void token_list_free(struct token_list *list); /* for AUTO; accepts zeroes */
CHECKED enum err token_list_parse(struct view json, struct token_list *out);
CHECKED enum err token_list_encode(const struct token_list *list, struct buf *json);
