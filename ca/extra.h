/* extra.h - extensions that we have no word for, from a template: an OID and a typed value. */
#pragma once

#include "ca/grant.h"
#include "ca/template.h"

#include <openssl/x509.h>

/*
 * Adds the extension; its value is one DER element of the template's type, never bytes or syntax
 * that somebody wrote. Errors of variables_expand(), ERR_INTERNAL "crypto".
 */
CHECKED enum err extra_add(
	X509 *cert, const struct template_extension *extension, const struct grant *grant);

/* NULL, or what is wrong with the extension in a template: as text_problem() says. */
const char *extra_problem(const struct template_extension *extension);

/* The words for types, for a schema; ends with NULL. */
extern const char *const extra_types[];
