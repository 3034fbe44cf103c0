/* access.h - how a subcommand reaches the TPM: where it is, and what its hierarchies want to know. */
#pragma once

#include "ca/base/err.h"

#include <stdbool.h>
#include <tss2/tss2_tpm2_types.h>

/* Borrowed texts. Zero: the TSS's default TPM, auth values only from systemd's credentials. */
struct tpm_access {
	const char *tcti; /* as in tss2-tctildr(7); NULL: the TSS's default */
	/* Files with the auth values of the hierarchies; NULL: none named. */
	const char *owner_auth, *endorsement_auth;
};

/* For the table that getopt_long() takes, before its last row; the ids are ours alone. */
enum access_option_id { ACCESS_TCTI = 2000, ACCESS_OWNER_AUTH, ACCESS_ENDORSEMENT_AUTH };
#define ACCESS_OPTIONS                                                                             \
	{"tcti", required_argument, NULL, ACCESS_TCTI},                                            \
		{"owner-auth", required_argument, NULL, ACCESS_OWNER_AUTH},                        \
	{                                                                                          \
		"endorsement-auth", required_argument, NULL, ACCESS_ENDORSEMENT_AUTH               \
	}
#define ACCESS_USAGE                                                                               \
	"  --tcti TCTI         where the TPM is, as in tss2-tctildr(7) (default: /dev/tpmrm0)\n"   \
	"  --owner-auth FILE   with the owner hierarchy's auth value, if it has one\n"             \
	"  --endorsement-auth FILE\n"                                                              \
	"                      the same of the endorsement hierarchy\n"

/* Takes an option of ACCESS_OPTIONS; false for an id that is none of them. */
bool access_option(struct tpm_access *access, int id, const char *value);

/* Which TPM it is, for sentences: "swtpm:path=..." or "the TSS's default (/dev/tpmrm0)". */
const char *access_text(const struct tpm_access *access);

/*
 * Where systemd has put this process's credentials ($CREDENTIALS_DIRECTORY), which main() tells
 * before anything else; borrowed. NULL, as it is at first, or a relative path: there are none.
 */
void access_credentials_in(const char *directory);

#define AUTH_SOURCE_SIZE 512
/* Names of systemd's credentials. */
#define AUTH_OWNER_CREDENTIAL "endorse.owner-auth"
#define AUTH_ENDORSEMENT_CREDENTIAL "endorse.endorsement-auth"

/* A hierarchy's auth value and the file that it came from, which is "" when there is none. */
struct tpm_auth {
	TPM2B_AUTH value;
	char source[AUTH_SOURCE_SIZE];
};
void auth_wipe(struct tpm_auth *auth); /* for AUTO */

/*
 * Reads the auth value in `path`, or where that is NULL the credential of this name, if there is
 * one. Nobody but the file's owner may reach it. One newline at its end is dropped; "hex:" is
 * followed by hexadecimal digits, "str:" by the value as it is, and without either the whole is the
 * value, of at most 64 bytes. ERR_INTERNAL "auth-file", "file-permissions"; ERR_NOT_FOUND
 * "file-missing" when `path` names no file.
 */
CHECKED enum err auth_read(const char *path, const char *credential, struct tpm_auth *out);
