/* krl.h - OpenSSH's key revocation lists (PROTOCOL.krl), made and read. */
#pragma once

#include "ca/base/buf.h"

#define KRL_MAX (15 * 1024 * 1024) /* bytes; OpenSSH reads more */

/* What one CA takes back. Everything is borrowed. */
struct krl_section {
	struct view ca; /* its public key blob; empty: of whichever CA */
	struct view serials; /* 8 bytes each, big-endian, above 0 and ascending */
	struct view key_ids; /* packed strings */
};

struct krl_content {
	uint64_t version; /* grows with each list of a service */
	int64_t at; /* when it is made, seconds since 1970 */
	const struct krl_section *sections;
	size_t sections_n;
	const struct view *keys; /* blobs: a CA among them takes back all that it signed */
	size_t keys_n;
};

/*
 * Appends the list. There is no signature within, which OpenSSH since 9.4 refuses: see sshsig.h.
 * ERR_INTERNAL "krl-serials" when they are not as above; ERR_TOO_LARGE.
 */
CHECKED enum err krl_build(const struct krl_content *content, struct buf *out);

/*
 * Appends the sub-sections that name these serials, each as a list, a range or a bitmap, whichever
 * makes the whole smallest. Serials as in struct krl_section. Errors of krl_build().
 */
CHECKED enum err krl_serials_add(struct view serials, struct buf *out);

/* What a list says. */
struct krl {
	uint64_t version;
	int64_t at;
	uint64_t serials, key_ids, keys; /* how many of them; ranges and bitmaps counted out */
};

/*
 * Reads a list whole, of the sections that krl_build() writes and no other. ERR_MALFORMED "krl".
 */
CHECKED enum err krl_parse(struct view bytes, struct krl *out);

#define KRL_TEXT 160
/* "version 7 of 2026-11-23T03:12:07Z: 2 certificates, 1 devices, 0 CAs", for people. */
void krl_tell(const struct krl *krl, char out[static KRL_TEXT]);

/* Does it begin as one, whatever follows? */
bool krl_begins(struct view bytes);
