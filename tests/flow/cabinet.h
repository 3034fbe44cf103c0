/* cabinet.h - cabinets of files, and signatures on them, by gcab and osslsigncode. */
#pragma once

#include "tests/flow/notary.h"

/* Packs all that lies in `dir` into `cab`, by paths relative to it. */
void cabinet_make(const char *dir, const char *cab);
/* Signs `from` as `to` by a signer; beside `to` his files are written. */
void cabinet_sign(const struct notary *signer, const char *from, const char *to);
/* Replaces the first `n` bytes of `what` that are in the file by `with`; ends the test when there are none. */
void cabinet_patch(const char *path, const char *what, const char *with, size_t n);
/* Puts another cabinet behind the signature of `path` and counts it to the signature, which stays good. */
void cabinet_hide(const char *path, const char *other);
