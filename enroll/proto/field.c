#include "enroll/proto/field.h"

#include <stdio.h>

void fields_put(json_t *object, const struct field *fields, size_t n, const void *whole)
{
	for (size_t i = 0; i < n; i++) {
		const char *at = (const char *)whole + fields[i].offset;

		if (fields[i].room == 0)
			json_put(object, fields[i].key,
				json_integer(*(const int64_t *)(const void *)at));
		else if (at[0] != '\0' || !fields[i].may_lack)
			json_put_string(object, fields[i].key, at);
	}
}

static enum err read_one(const json_t *object, const struct field *field, char *at)
{
	json_t *number = NULL;
	const char *text;

	if (field->room == 0) {
		TRY(json_member(object, field->key, JSON_INTEGER, &number));
		*(int64_t *)(void *)at = json_integer_value(number);
		return OK;
	}
	at[0] = '\0';
	if (field->may_lack && json_object_get(object, field->key) == NULL)
		return OK;
	TRY(json_string_of(object, field->key, field->room - 1, &text));
	snprintf(at, field->room, "%s", text);
	return OK;
}

enum err fields_read(const json_t *object, const struct field *fields, size_t n, void *whole)
{
	for (size_t i = 0; i < n; i++)
		TRY(read_one(object, &fields[i], (char *)whole + fields[i].offset));
	return OK;
}
