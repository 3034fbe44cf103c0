/* hierarchy_parts.h - how CAs and what they need at the beginning are made; for hierarchy*.c only. */
#pragma once

#include "ca/authority.h"
#include "ca/hierarchy.h"

/* A path below `dir`, for AUTO(mem_free). */
char *hierarchy_path(const char *dir, const char *name);
/* ERR_CONFLICT "ca-exists" when one of the files is there below `dir`, whole or half made. */
CHECKED enum err hierarchy_must_lack(const char *dir, const char *const *files, size_t n);
/* 0700; one that is there is taken. ERR_INTERNAL "file-write". */
CHECKED enum err hierarchy_directory(const char *path);

/*
 * Makes `cert` that of a CA which may sign only end entities, and only for `usage` (a dotted OID) where
 * there is one, for ten years, and signs it by `root`. When `root` is `cert` it signs itself; the root of
 * all, which has no usage, may then sign CAs for twenty.
 */
CHECKED enum err hierarchy_ca(X509 *cert, EVP_PKEY *key, const char *organization, const char *name,
	char *usage, X509 *root, EVP_PKEY *root_key);
/* `stem`.pem, and `key_stem`.key with `key_stem`.passphrase. */
CHECKED enum err hierarchy_save(
	const char *dir, const char *stem, const char *key_stem, X509 *cert, EVP_PKEY *key);

/* Version, serial number, key and validity of a certificate whose subject and issuer are set. */
CHECKED enum err hierarchy_begin(X509 *cert, EVP_PKEY *key, int64_t days);
/* Certificates and a key that is not encrypted, as one PEM file. */
CHECKED enum err hierarchy_pem(
	const char *path, mode_t mode, X509 *const *certs, size_t n, EVP_PKEY *key);
/* ERR_INTERNAL "crypto". */
CHECKED enum err hierarchy_failed(const char *what);
