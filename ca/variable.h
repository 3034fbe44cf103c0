/* variable.h - what the texts of a template may speak of, and what comes out of it. */
#pragma once

#include "ca/base/buf.h"
#include "ca/grant.h"

/*
 * A closed set, each filled from the grant: ${host}, ${host.domain} (without its first label), ${device.id},
 * ${tpm.manufacturer}, ${tpm.model}, ${tpm.version}, ${ek.sha256} (hexadecimal), ${ek.sha256.base64},
 * ${ek.serial}, ${organization}, ${trust.class} and ${label.NAME}.
 */

/* What the result has to be, whatever the template's author and the device put into it. */
enum text_type {
	TEXT_PRINTABLE, /* printable ASCII, 1 to 128 bytes */
	TEXT_DNS, /* a host's name, see ca/base/hostname.h */
	TEXT_URI, /* RFC 3986: scheme and printable ASCII without spaces and the characters that it excludes, to 512 bytes */
	TEXT_PRINCIPAL, /* of an OpenSSH certificate: letters, digits and . _ - @, 1 to 128 bytes */
};

/* NULL, or what is wrong with a template's text: an unknown variable, "${" without end, "$" alone. The thread's, until the next call. */
const char *variables_problem(const char *text);

/* Does the text use this variable ("ek.serial"; "label." for any label)? */
bool variables_use(const char *text, const char *variable);

/*
 * Appends the text with its variables filled in. ERR_REJECTED "template-needs-tpm-facts" when the grant lacks a
 * value of the TPM's, "template-needs-label" for a label that the device does not have, "template-value" when the result
 * is not of its type; ERR_INTERNAL "template-value" when another value is missing.
 */
CHECKED enum err variables_expand(
	const char *text, enum text_type type, const struct grant *grant, struct buf *out);

/* Does the text want a fact of the TPM that nothing has proven? */
bool variables_unproven(const char *text, const struct grant *grant);
