/* program.h - other programs, asked for their opinion. */
#pragma once

#include "ca/base/buf.h"

/*
 * Runs a program found on PATH, without a shell, and waits for it; `argv` ends with NULL. Appends
 * what it wrote to either output. Its exit status; fails the test when it cannot be run.
 */
int program_run(const char *const *argv, struct buf *output);
#define PROGRAM_RUN(output, ...) program_run((const char *const[]){__VA_ARGS__, NULL}, (output))

/* `openssl verify -x509_strict` and `certtool --verify` both accept `leaf` below `ca` and `root`. */
void assert_verified(const char *root, const char *ca, const char *leaf);
