/* lint.h - what of a template would hurt later: a rule each, with its clause. */
#pragma once

#include "ca/base/yaml.h"
#include "ca/template.h"

#include <openssl/x509.h>

/*
 * Judges a template that was loaded, beyond what templates_load() refuses. `issuer` is the CA's
 * certificate that would sign it, for lifetimes and name constraints, or NULL when it is not known.
 * Each finding is a problem: "file:line:column: [rule] sentence (clause)".
 */
void template_lint(const struct template *tmpl, const X509 *issuer, struct problems *problems);

/* The same for each of them. ERR_MALFORMED "templates" with any finding. */
CHECKED enum err templates_lint(
	const struct templates *templates, const X509 *issuer, struct problems *problems);

/* The rules, for the manual page and its test; NULL beyond the last. */
struct lint_rule {
	const char *name; /* "san-critical" */
	const char *clause; /* "RFC 5280 4.2.1.6" */
	const char *what; /* one sentence */
};
const struct lint_rule *lint_rule_at(size_t index);
