/* ca.h - what the commands that make CAs have in common. */
#pragma once

#include "ca/hierarchy.h"

/* --key-type; false, and said so, for a word that is no type. */
bool ca_read_type(const char *word, enum key_type *out);
/* What an admin CA in `dir` is for, and how its first certificate is made. */
void ca_tell_admin(const char *dir);
