/* schema.h - the numbered files of db/schema/, as they were when the program was built. */
#pragma once

#include <stddef.h>

struct schema_file {
	unsigned number; /* 1, 2, 3 ...: no gaps */
	const char *name; /* "devices" of 0001_devices.sql */
	const unsigned char *text; /* followed by a NUL */
	size_t n; /* bytes, without that NUL */
};

/* In the order of their numbers; made at build time by schema.cmake. */
extern const struct schema_file schema_files[];
extern const size_t schema_files_n;
