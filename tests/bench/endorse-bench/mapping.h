/* mapping.h - a file in memory. (Apart from what uses libcrypto: sys/mman.h has a pkey_free() of its own.) */
#pragma once

#include "ca/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct mapping {
	void *at; /* NULL: nothing */
	size_t n;
};

/* To be read. ERR_INTERNAL "file-read" also when it has less than `at_least` bytes. */
CHECKED enum err mapping_read(const char *path, size_t at_least, struct mapping *out);
/* To be read and written, made where it is missing, with zeroes up to `at_least`. ERR_INTERNAL "file-write". */
CHECKED enum err mapping_keep(const char *path, size_t at_least, struct mapping *out);
/* A new one of `n` zeroes, for which there is room on the disk. ERR_INTERNAL "file-write". */
CHECKED enum err mapping_make(const char *path, size_t n, struct mapping *out);
void mapping_free(struct mapping *mapping);
