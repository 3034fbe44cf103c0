/* json.h - a JSON text in the making, for the results: members in the order in which they are added. */
#pragma once

#include "ca/base/buf.h"

/* Zeroes but for `text`, which has the room. Nothing here fails: what did not fit shows in buf_ok(). */
struct json {
	struct buf text;
	bool needs_comma;
};

/* `name` is NULL within an array and for the outermost value. */
void json_object(struct json *json, const char *name);
void json_array(struct json *json, const char *name);
void json_object_end(struct json *json);
void json_array_end(struct json *json);
void json_text(struct json *json, const char *name, const char *value);
void json_whole(struct json *json, const char *name, uint64_t value);
/* With six digits that count; what is not finite is null. */
void json_real(struct json *json, const char *name, double value);
