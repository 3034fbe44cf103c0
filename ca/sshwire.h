/* sshwire.h - the few types that OpenSSH's keys and certificates are written in (RFC 4251 5). */
#pragma once

#include "ca/base/buf.h"

/* Appends four bytes of length, and the bytes. */
void sshwire_add_string(struct buf *out, struct view bytes);
void sshwire_add_u32(struct buf *out, uint32_t value);
/* The mpint of a number that is not negative, given big-endian. */
void sshwire_add_mpint(struct buf *out, struct view number);

/* What follows in `rest`, which is moved behind it; false, and nothing moved, when it is not whole. */
bool sshwire_string(struct view *rest, struct view *out);
bool sshwire_u32(struct view *rest, uint32_t *out);
bool sshwire_u64(struct view *rest, uint64_t *out);
/* A number above zero in its only form: as short as can be, its highest bit clear. */
bool sshwire_mpint(struct view *rest, struct view *out);
