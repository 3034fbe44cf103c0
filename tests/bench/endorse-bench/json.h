/* json.h - a JSON text in the making, for the results: members in the order in which they are added. */
#pragma once

#include "ca/base/buf.h"

/* Zeroes but for `text`, which has the room. Nothing here fails: what did not fit shows in buf_ok(). */
struct json {
	struct buf text;
	bool needs_comma;
};

/* (Not json_...: libjansson, which the protocol is read with, has functions of those names.)
 * `name` is NULL for the outermost value. */
void member_object(struct json *json, const char *name);
void member_object_end(struct json *json);
void member_text(struct json *json, const char *name, const char *value);
void member_whole(struct json *json, const char *name, uint64_t value);
/* With six digits that count; what is not finite is null. */
void member_real(struct json *json, const char *name, double value);
