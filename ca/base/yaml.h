/* yaml.h - YAML files read by one table each, which is the only place for name, type, default,
 * range. */
#pragma once

#include "ca/base/buf.h"

enum yaml_type {
	YAML_TEXT, /* char *; min and max bound its length; `choices` its values */
	YAML_PATH, /* char *; relative ones are taken from the file's own directory */
	YAML_WHOLE, /* int64_t between min and max, decimal */
	YAML_SECONDS, /* int64_t; a number with s, m, h or d: "90d" */
	YAML_BOOL, /* bool; "true" or "false" */
	YAML_MAP, /* a struct within the struct, by `of` */
	YAML_LIST, /* struct yaml_list of structs by `of`, or of char * when `of` is NULL; min, max:
		      items; `choices` the values of each text */
};

/* Where something stands in its file; both count from 1. */
struct yaml_mark {
	size_t line, column;
};

struct yaml_list {
	void *item;
	size_t n;
	struct yaml_mark mark;
};

struct yaml_schema;

struct yaml_key {
	const char *name;
	enum yaml_type type;
	size_t offset; /* of the value in the struct */
	/* What stands in when the key is absent. NULL: it is required. "": texts stay NULL, numbers 0,
	 * lists empty, and maps have their own defaults. */
	const char *fallback;
	int64_t min, max;
	const struct yaml_schema *of;
	const char *const *choices; /* ends with NULL */
};

struct yaml_schema {
	size_t size; /* of the struct */
	const struct yaml_key *keys; /* ends with name NULL */
	size_t mark; /* offset of a struct yaml_mark in the struct; every struct has one */
};

/* Everything that is wrong with a file, one line each: "policy.yaml:3:9: unknown key \"hots\"". */
struct problems {
	struct buf text;
	size_t n;
};
void problems_init(struct problems *problems);
void problems_free(struct problems *problems);
void problem_add(struct problems *problems, const char *file, struct yaml_mark mark,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Adds the last failure of this thread, whose sentence names the file by itself. */
void problem_add_failure(struct problems *problems);

/*
 * Reads one YAML document into `out`, a struct of `schema`, which is overwritten. Unknown and
 * duplicate keys, wrong types, values out of range, anchors, aliases, tags, a second document, NUL
 * bytes, nesting beyond 16 and files beyond 64 KiB are problems. All problems are added, not only
 * the first; with any, the result is ERR_MALFORMED "yaml" and `out` holds nothing.
 */
CHECKED enum err yaml_read(struct view text, const char *file, const struct yaml_schema *schema,
	void *out, struct problems *problems);

/* The same from a file; one that cannot be read is a problem too, with the error of file_read(). */
CHECKED enum err yaml_read_file(
	const char *path, const struct yaml_schema *schema, void *out, struct problems *problems);

/* Frees what yaml_read() put into the struct, and zeroes it. */
void yaml_release(const struct yaml_schema *schema, void *out);
