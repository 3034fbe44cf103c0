#include "tests/bench/endorse-bench/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void quote(struct json *json, const char *text)
{
	char escape[8];

	buf_str(&json->text, "\"");
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
		if (*p < ' ' || *p == '"' || *p == '\\') {
			snprintf(escape, sizeof(escape), "\\u%04x", *p);
			buf_str(&json->text, escape);
		} else {
			buf_add(&json->text, (struct view){p, 1});
		}
	buf_str(&json->text, "\"");
}

static void begin(struct json *json, const char *name)
{
	if (json->needs_comma)
		buf_str(&json->text, ",");
	json->needs_comma = true;
	if (name == NULL)
		return;
	quote(json, name);
	buf_str(&json->text, ":");
}

static void open(struct json *json, const char *name, const char *bracket)
{
	begin(json, name);
	buf_str(&json->text, bracket);
	json->needs_comma = false;
}

static void end(struct json *json, const char *bracket)
{
	buf_str(&json->text, bracket);
	json->needs_comma = true;
}

void member_object(struct json *json, const char *name)
{
	open(json, name, "{");
}

void member_object_end(struct json *json)
{
	end(json, "}");
}

void member_text(struct json *json, const char *name, const char *value)
{
	begin(json, name);
	quote(json, value);
}

void member_whole(struct json *json, const char *name, uint64_t value)
{
	char digits[24];

	begin(json, name);
	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	buf_str(&json->text, digits);
}

void member_real(struct json *json, const char *name, double value)
{
	char digits[40];

	begin(json, name);
	snprintf(digits, sizeof(digits), isfinite(value) ? "%.6g" : "null", value);
	buf_str(&json->text, digits);
}
