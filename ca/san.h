/* san.h - the subject alternative name that a template and a grant make. */
#pragma once

#include "ca/grant.h"
#include "ca/template.h"

#include <openssl/x509v3.h>

/*
 * Builds the names (RFC 5280 4.2.1.6); values go in as values, never through OpenSSL's
 * configuration syntax. Of an optional directory name the attributes whose value nothing has proven
 * are left out, and with them the name when none remains. `*out` is the caller's, for san_free().
 * Errors of subject_build().
 */
CHECKED enum err san_build(
	const struct template_san *san, const struct grant *grant, GENERAL_NAMES **out);
void san_free(GENERAL_NAMES **names);
