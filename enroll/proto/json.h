/* json.h - strict reading of JSON objects, for the files of this folder only. */
#pragma once

#include "ca/base/buf.h"

#include <jansson.h>
#include <stdint.h>

/*
 * Reads one JSON object (RFC 8259) that fills `text` whole; duplicate keys are refused.
 * `*out` is the caller's, for json_free(). ERR_MALFORMED "json".
 */
CHECKED enum err json_read(struct view text, json_t **out);
void json_free(json_t **json); /* for AUTO; json_decref() by another name */

/* Refuses a value that is no object, or has a key that is not among the `n` ones:
 * "json-key-unknown". */
CHECKED enum err json_only(const json_t *object, const char *const *keys, size_t n);
#define JSON_ONLY(object, ...)                                                                     \
	json_only(object, (const char *const[]){__VA_ARGS__},                                      \
		COUNT(((const char *const[]){__VA_ARGS__})))

/*
 * Members of an object, each refused with ERR_MALFORMED: "json-key-missing", "json-type",
 * "field-too-long", "base64". What is borrowed lives as long as the object.
 */
CHECKED enum err json_member(const json_t *object, const char *key, json_type type, json_t **out);
CHECKED enum err json_string_of(
	const json_t *object, const char *key, size_t max, const char **out);
CHECKED enum err json_number(const json_t *object, const char *key, int64_t *out);
CHECKED enum err json_flag(const json_t *object, const char *key, bool *out);
/* Appends the bytes of a base64 string of at most `max` decoded bytes. */
CHECKED enum err json_bytes(const json_t *object, const char *key, size_t max, struct buf *out);
/* The same for a value that is not a member; `key` is for the message. */
CHECKED enum err json_bytes_value(
	const json_t *value, const char *key, size_t max, struct buf *out);

/* Writing. A failure (no memory, bytes that are no UTF-8) shows in json_write(). */
void json_put(json_t *object, const char *key, json_t *value); /* takes the reference */
void json_append(json_t *array, json_t *value); /* takes the reference */
void json_put_string(json_t *object, const char *key, const char *value);
void json_put_bytes(json_t *object, const char *key, struct view bytes);
json_t *json_from_bytes(struct view bytes);
/*
 * A list of texts, from lines and back to lines, each with its newline. Only their ASCII is written,
 * a line is cut at LIMIT_LINE bytes, and what does not go into LIMIT_LINES is counted in a last
 * line. A member that is not there gives no line. ERR_MALFORMED "json-type".
 */
void json_put_lines(json_t *object, const char *key, struct view lines);
CHECKED enum err json_lines(const json_t *object, const char *key, struct buf *out);
/* Appends the compact text of `json`, takes its reference. */
CHECKED enum err json_write(json_t *json, struct buf *out);

/* A whole message that is one object with one member of bytes. Errors as above. */
CHECKED enum err json_read_bytes(struct view text, const char *key, size_t max, struct buf *out);
CHECKED enum err json_write_bytes(const char *key, struct view bytes, struct buf *out);
