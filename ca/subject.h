/* subject.h - a distinguished name that a template and a grant make: a subject, or a directory name. */
#pragma once

#include "ca/grant.h"
#include "ca/template.h"

#include <openssl/x509.h>

/*
 * Adds one RDN for each attribute, in their order. Values go in as values; the string type and the
 * length are what RFC 5280 A.1 says of the attribute, otherwise UTF8String. With `is_optional`,
 * what nothing has proven of a TPM is left out. Errors of variables_expand(), and ERR_REJECTED
 * "template-value" for what the attribute cannot be.
 */
CHECKED enum err subject_build(const struct yaml_list *attributes, bool is_optional,
	const struct grant *grant, X509_NAME *out);
