/* throwaway.h - CAs that live as long as a command: what would a service issue by a template? */
#pragma once

#include "ca/issue.h"
#include "ca/ssh.h"

struct throwaway {
	struct authority *authority;
	struct ssh_ca *ssh_ca;
};

/*
 * Makes them. `ca`, of a PEM file, is who they are to look like: subject, validity, identifiers and
 * constraints are that CA's, and the key is a new one of its kind; NULL: as endorsectl ca init
 * makes one. For throwaway_free(), also after a failure. ERR_INTERNAL "ca-certificate",
 * "file-write", "crypto"; those of authority_load().
 */
CHECKED enum err throwaway_make(const char *ca, struct throwaway *out);
void throwaway_free(struct throwaway *throwaway); /* for AUTO */

/* Issues by a template of any kind. Errors of certificate_issue() and ssh_issue(). */
CHECKED enum err throwaway_issue(const struct throwaway *throwaway, const struct template *tmpl,
	const struct grant *grant, int64_t now, struct issued *out);
