/* variable.h - what the texts of a template may speak of, and what comes out of it. */
#pragma once

#include "ca/base/buf.h"
#include "ca/grant.h"
#include "ca/text.h"

/*
 * A closed set, each filled from the grant: ${host}, ${host.domain} (without its first label),
 * ${device.id}, ${tpm.manufacturer}, ${tpm.model}, ${tpm.version}, ${ek.sha256} (hexadecimal),
 * ${ek.sha256.base64}, ${ek.serial}, ${organization}, ${trust.class} and ${label.NAME}. Each has a
 * type of its own: ${host} is a host's name, ${organization} and labels are TEXT_UTF8, all others
 * TEXT_PRINTABLE. What a value says is never read as a variable again.
 */

/*
 * NULL, or what is wrong with a template's text: an unknown variable, "${" without end, "$" alone.
 * The thread's, until the next call.
 */
const char *variables_problem(const char *text);

/*
 * The same, and whether the text could ever be of the type, as far as that does not hang on what a
 * model, a label or an organization is called.
 */
const char *text_problem(const char *text, enum text_type type);

/* Does the text use this variable ("ek.serial"; "label." for any label)? */
bool variables_use(const char *text, const char *variable);

/*
 * Appends the text with its variables filled in. In a TEXT_URI a variable's value has letters,
 * digits and - . _ ~ : only, or it would begin a new part of it; the base64 of a digest stands as
 * it is. ERR_REJECTED "template-needs-tpm-facts" when the grant lacks a value of the TPM's,
 * "template-needs-label" for a label that the device does not have, "template-value" when a value
 * or the result is not of its type; ERR_INTERNAL "template-value" when another value is missing.
 */
CHECKED enum err variables_expand(
	const char *text, enum text_type type, const struct grant *grant, struct buf *out);

/* Does the text want a fact of the TPM that nothing has proven? */
bool variables_unproven(const char *text, const struct grant *grant);
