/* target.h - what each fuzzer defines: one parser, run over bytes from anywhere. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Reads the bytes as the parser's input and drops the result; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
