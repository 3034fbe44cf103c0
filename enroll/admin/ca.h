/* ca.h - what the commands that make CAs have in common. */
#pragma once

#include "ca/hierarchy.h"

/* What new CAs are made with. */
struct ca_wish {
	const char *dir, *organization;
	enum key_type type; /* KEY_TYPE_P256 unless asked otherwise */
};
/*
 * Reads --dir, --key-type and, where the CAs are to have one, --organization. False: it was told, and
 * `*code` is how the command ends.
 */
bool ca_read_wish(int argc, char **argv, const char *usage, bool has_organization,
	struct ca_wish *out, int *code);
/* What an admin CA in `dir` is for, and how its first certificate is made. */
void ca_tell_admin(const char *dir);
