/* record.h - things of the records as a list of JSON objects, for answers that people and programs look through. */
#pragma once

#include "ca/base/buf.h"

#include <stdint.h>

#define LIST_MAX 1000 /* records of one answer */
#define LIMIT_LIST_ANSWER (16 * 1024 * 1024)
#define LIMIT_CURSOR 383

struct record; /* one JSON object */

/* `*out` is the caller's, for record_free(). ERR_INTERNAL "out-of-memory". */
CHECKED enum err record_new(struct record **out);
void record_free(struct record **record); /* for AUTO; accepts NULL inside */
/* A failure, also a text that is no JSON, shows when it is encoded. */
void record_put_text(struct record *record, const char *key, const char *value);
void record_put_number(struct record *record, const char *key, int64_t value);
void record_put_flag(struct record *record, const char *key, bool value);
void record_put_json(struct record *record, const char *key, const char *json);
/* Appends to a list of texts, which is made where it is not there. */
void record_add_text(struct record *record, const char *key, const char *value);
CHECKED enum err record_encode(const struct record *record, struct buf *json);

/* Borrowed; "" and 0 and false and NULL for what is not there, or of another type. */
const char *record_text(const struct record *record, const char *key);
int64_t record_number(const struct record *record, const char *key);
bool record_flag(const struct record *record, const char *key);
bool record_has(const struct record *record, const char *key);
/* The object that the member is; of a list of objects, or of texts, the one at a place, NULL beyond the last. */
const struct record *record_object(const struct record *record, const char *key);
const struct record *record_item(const struct record *record, const char *key, size_t i);
const char *record_item_text(const struct record *record, const char *key, size_t i);
/* Appends a member as JSON; nothing where it is not there. */
void record_member(const struct record *record, const char *key, struct buf *json);

/* What a member of a record may be. */
struct record_member {
	const char *key;
	enum { RECORD_TEXT, RECORD_NUMBER, RECORD_FLAG, RECORD_LIST, RECORD_OBJECT } kind;
	bool may_lack;
};
/* One kind of record; `members` ends with key NULL. */
struct record_shape {
	const char *name; /* the list's key: "devices"; NULL: there is none */
	const struct record_member *members;
};
/* One object of that shape. ERR_MALFORMED as json.h. */
CHECKED enum err record_parse(
	struct view json, const struct record_shape *shape, struct record **out);

/* {NAME: [...], "next": TEXT}; without `next` that was all. */
struct record_list {
	struct record **items;
	size_t n;
	char next[LIMIT_CURSOR + 1]; /* "": there is none */
};
/* Makes room for `n` records, which are to be made. */
CHECKED enum err record_list_init(struct record_list *list, size_t n);
void record_list_free(struct record_list *list); /* for AUTO; accepts zeroes */
CHECKED enum err record_list_encode(
	const struct record_list *list, const struct record_shape *shape, struct buf *json);
/* `out` is overwritten, and for record_list_free() also after a failure. */
CHECKED enum err record_list_parse(
	struct view json, const struct record_shape *shape, struct record_list *out);
