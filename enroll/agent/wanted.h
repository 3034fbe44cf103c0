/* wanted.h - which certificates this machine asks for, for which keys, and what runs when they are
 * replaced. */
#pragma once

#include "ca/base/err.h"
#include "enroll/proto/limits.h"
#include "enroll/trust/keykind.h"

#include <stdbool.h>
#include <stddef.h>

enum want_key {
	WANT_AK, /* the attestation key itself */
	WANT_TPM, /* a key of its own in the TPM, which the AK certifies */
	WANT_FILE, /* a public key in a file, for which this machine vouches */
};

/* What a template makes; of one that is not shipped only the service knows. */
enum want_form { WANT_ANY_FORM, WANT_X509, WANT_SSH_HOST, WANT_SSH_USER };

#define WANT_PATH 1023
#define WANT_COMMAND 1023

struct want {
	char template[LIMIT_TEMPLATE_NAME + 1];
	enum want_key key;
	enum key_kind kind; /* of a key in the TPM */
	char file[WANT_PATH + 1]; /* absolute; "" where it is no file */
	char command[WANT_COMMAND + 1]; /* for /bin/sh -c; "" for none */
	bool is_hook_due; /* the certificate was replaced, and the command has not succeeded since */
};

enum want_form want_form(const struct want *want);

/* In the order in which they are asked for. */
struct wanted {
	struct want items[LIMIT_KEYS];
	size_t n;
};

/*
 * May a template of this name be asked for? Lower-case letters, digits, "-", "_" and inner ".", and
 * no name whose files would be others' in the state directory (state.h): "chain", "anchors",
 * "ssh-host-ca", "ssh-user-ca", or ending in ".tss2", ".new", ".fullchain"
 * or "-cert".
 */
bool want_is_name(const char *name);

/*
 * Adds "NAME" or "NAME=KEY": "ak", "tpm", "tpm:KIND", or a file, which has to exist. Without a KEY
 * that of the shipped template of the name. ERR_MALFORMED "usage".
 */
CHECKED enum err wanted_add(struct wanted *wanted, const char *text);
/* "NAME=COMMAND" for a template that was added, or is yet to be. ERR_MALFORMED "usage". */
CHECKED enum err wanted_exec(struct wanted *wanted, const char *text);

/* "ak", "tpm:p256", or the file; reads what it wrote, without looking whether the file is there. */
void want_key_text(const struct want *want, char *out, size_t room);
bool want_key_read(struct want *want, const char *text);

struct want *wanted_find(struct wanted *wanted, const char *template);
/*
 * The one whose certificate is the AK's own: "ak", or else the first of the shipped ones that make AK certificates, or the
 * first for the AK of a name that is not shipped. After wanted_resolve() there is one.
 */
size_t wanted_ak(const struct wanted *wanted);
/* The same templates with the same keys, in whatever order? Commands do not count. */
bool wanted_same(const struct wanted *a, const struct wanted *b);
/* The same commands too? */
bool wanted_equal(const struct wanted *a, const struct wanted *b);

/*
 * What is wanted when `asked` for this and `kept` is that: without a template asked for, what is kept; "ak" first, unless another
 * template is wanted whose certificate can be the AK's own, which that of platform-property cannot; commands that are not said anew
 * stay. ERR_MALFORMED "usage" for a command without its template.
 */
CHECKED enum err wanted_resolve(
	const struct wanted *asked, const struct wanted *kept, struct wanted *out);
