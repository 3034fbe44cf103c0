/* text.h - what a text may be that goes into a certificate, by where it stands. */
#pragma once

#include <stdbool.h>

enum text_type {
	TEXT_PRINTABLE, /* printable ASCII, 1 to 128 bytes */
	TEXT_DNS, /* a host's name, see ca/base/hostname.h */
	TEXT_URI, /* RFC 3986: a scheme and what follows it, 3 to 512 bytes */
	TEXT_PRINCIPAL, /* of an OpenSSH certificate: letters, digits and . _ - @, 1 to 128 bytes */
	/* 1 to 512 bytes, without what no reader sees: controls, what turns the writing around */
	TEXT_UTF8,
	TEXT_IA5, /* printable ASCII, 1 to 512 bytes */
	/* X.680 41.4: letters, digits, space and ' ( ) + , - . / : = ?, 1 to 512 */
	TEXT_PRINTABLE_STRING,
	TEXT_INTEGER, /* decimal, with a minus or not, no zeros before it, to 60 digits */
	TEXT_BOOLEAN, /* "true" or "false" */
	TEXT_OID, /* dotted */
};

/* Is the text of that type? */
bool text_is(const char *text, enum text_type type);

/* What is wanted, in words: "a host's name in lower case". */
const char *text_type_says(enum text_type type);
