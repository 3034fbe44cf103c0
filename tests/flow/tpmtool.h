/* tpmtool.h - tpm2-tools, as an operator types them at one of the test's TPMs. */
#pragma once

#include "tests/flow/process.h"

/*
 * Runs a program with arguments up to NULL, in `dir`, with the TPM at `tcti` as that of tpm2-tools
 * and tpm2-openssl; `output` is overwritten.
 */
void tpmtool(struct output *output, const char *tcti, const char *dir, const char *program, ...)
	__attribute__((sentinel));
/* The same for what has to succeed; its standard output, for free(). */
char *tpmtool_must(const char *tcti, const char *dir, const char *program, ...)
	__attribute__((sentinel));

/* Throws every transient key out of the TPM, which has three places for them. */
void tpmtool_flush(const char *tcti, const char *dir);

/* A TPM that is left as it was found: no object, no session. */
void assert_nothing_left(const char *tcti);

/* What stands after `key` (with its colon) on a line of `content`, up to the line's end; for free(). */
char *line_value(const char *content, const char *key);
