/* scratch.h - directories of files that a test makes and throws away. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/x509.h>

/* A new directory below the system's temporary one; for scratch_remove(). */
char *scratch_make(void);
/* Removes it with all that is in it, and frees the name; for AUTO. */
void scratch_remove(char **dir);

void scratch_put(const char *dir, const char *name, struct view bytes);
/* Certificates as one PEM file. */
void scratch_pem(const char *dir, const char *name, STACK_OF(X509) *certificates);
