/* faults.h - what can be wrong with a JSON text of this protocol, tried on a parser one by one. */
#pragma once

#include "tests/unit/check.h"

#include <jansson.h>

/*
 * A good text and the way to one value in it: "ek/chain/0". Every function below changes this one
 * thing, and asserts error and reason code.
 */
struct place {
	const char *base;
	const char *path;
	enum err (*parse)(struct view json); /* and frees what came of it */
};

/* The text as a whole: `base` is taken, and nothing is once it is cut, followed or broken. */
void try_text(const char *base, enum err (*parse)(struct view json));
/* An unknown key in the object at the path ("": the whole). */
void try_unknown_key(const struct place *place);
/* The member: missing, there twice, and with a value of each other type. */
void try_member(const struct place *place, json_type type, bool is_required);
/* An entry of an array: a value of each other type. */
void try_entry(const struct place *place, json_type type);
/* A string: `max` bytes and one more. */
void try_string(const struct place *place, size_t max);
/* Base64: each kind that is not canonical, `max` bytes, and one more. */
void try_bytes(const struct place *place, size_t max);
/* An array: `max` copies of its first entry are taken, one more is refused with `code`. */
void try_length(const struct place *place, size_t max, const char *code);

/* The place's value becomes `value`, whose reference is taken; the call must end so. */
void try_value(const struct place *place, json_t *value, enum err err, const char *code);
