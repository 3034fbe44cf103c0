/* field.h - texts and numbers of a struct as members of an object, by a table; for the files of this folder only. */
#pragma once

#include "enroll/proto/json.h"

#include <stddef.h>
#include <stdint.h>

/* A char array or an int64_t of a struct; the member has its name. */
struct field {
	const char *key;
	size_t offset;
	size_t room; /* of a text, with its NUL; 0: a number */
	bool may_lack; /* a text that is left out when it is "" */
};
#define FIELD_TEXT(of, name)                                                                       \
	{                                                                                          \
#name, offsetof(struct of, name), sizeof(((struct of *)0)->name), false            \
	}
#define FIELD_TEXT_OR_NONE(of, name)                                                               \
	{                                                                                          \
#name, offsetof(struct of, name), sizeof(((struct of *)0)->name), true             \
	}
#define FIELD_NUMBER(of, name)                                                                     \
	{                                                                                          \
#name, offsetof(struct of, name), 0, false                                         \
	}

/* Writes them in their order; `whole` is the struct. */
void fields_put(json_t *object, const struct field *fields, size_t n, const void *whole);
/* Reads them; what may lack and does is "". Errors of json_string_of() and json_member(). */
CHECKED enum err fields_read(
	const json_t *object, const struct field *fields, size_t n, void *whole);
