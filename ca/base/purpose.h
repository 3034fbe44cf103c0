/* purpose.h - what a certificate says that its key is for. */
#pragma once

#include "ca/base/ossl.h"

#include <stdbool.h>

/*
 * How many extended key usages (RFC 5280 4.2.1.12) it has, and whether `oid`, dotted, is one of
 * them. 0: it has no such extension; -1: one that cannot be read or is empty, or two.
 */
int purposes_read(const X509 *certificate, const char *oid, bool *has);
bool purpose_is_among(const X509 *certificate, const char *oid);
bool purpose_is_alone(const X509 *certificate, const char *oid);
/*
 * May a CA with this certificate give `certificate` the extended key usages that it has, or give
 * out this one? One without the extension may, or with anyExtendedKeyUsage.
 */
bool purposes_are_within(const X509 *certificate, const X509 *ca);
bool purpose_is_within(const char *oid, const X509 *ca);
