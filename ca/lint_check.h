/* lint_check.h - one rule of the lint and what looks for it; the lists of them. */
#pragma once

#include "ca/lint.h"

struct linting {
	const struct template *tmpl;
	const X509 *issuer; /* NULL: not known */
	const struct lint_rule *rule;
	struct problems *problems;
};

/* For which kinds a rule is. */
enum lint_scope { LINT_X509, LINT_SSH, LINT_ANY };

struct lint_check {
	struct lint_rule rule;
	enum lint_scope scope;
	void (*look)(const struct linting *linting);
};

/* Each ends with a rule without a name. */
extern const struct lint_check lint_x509_checks[]; /* RFC 5280, TLS */
extern const struct lint_check lint_tcg_checks[]; /* AK, platform-property and DevID certificates */
extern const struct lint_check lint_text_checks[]; /* what variables may say where */
extern const struct lint_check lint_issuer_checks[]; /* what the CA's certificate allows */
extern const struct lint_check lint_ssh_checks[];

/* Adds a finding of the rule that is being looked for; a mark of line 0 stands for the template's. */
void lint_found(const struct linting *linting, struct yaml_mark mark, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Is the text in a list of char *? */
bool lint_lists(const struct yaml_list *list, const char *text);

#define EKU_SERVER "1.3.6.1.5.5.7.3.1"
#define EKU_CLIENT "1.3.6.1.5.5.7.3.2"
#define EKU_OCSP "1.3.6.1.5.5.7.3.9"
bool lint_has_usage(const struct template *tmpl, const char *oid); /* extended key usage */
bool lint_is_for_tls(const struct template *tmpl);
bool lint_has_dns_name(const struct template *tmpl);
