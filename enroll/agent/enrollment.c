#include "enroll/agent/enrollment.h"

#include <string.h>

#define VERSION "endorse-enrollment 1"

struct field {
	const char *key;
	size_t offset;
	size_t room;
	bool optional;
};

#define FIELD(name, is_optional)                                                                   \
	{                                                                                          \
#name, offsetof(struct enrollment, name),                                          \
			sizeof(((struct enrollment *)NULL)->name), is_optional                     \
	}

static const struct field fields[] = {
	FIELD(server, false),
	FIELD(service, false),
	FIELD(host, false),
	FIELD(device_id, false),
	FIELD(ek_template, false),
	FIELD(ek_sha256, false),
	FIELD(ak_kind, false),
	FIELD(ak_hierarchy, true),
	FIELD(ak_handle, true),
	FIELD(enrolled_at, false),
};

static bool has_control(struct view text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 0x20 || text.p[i] == 0x7f)
			return true;
	return false;
}

static const struct field *field_find(struct view key)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (view_equal(key, view_str(fields[i].key)))
			return &fields[i];
	return NULL;
}

static enum err read_line(struct view line, struct enrollment *out)
{
	const uint8_t *equals = memchr(line.p, '=', line.n);
	const struct field *field;
	struct view value;
	char *member;

	if (equals == NULL)
		return fail(ERR_INTERNAL, "enrollment-file", "a line without \"=\"");
	field = field_find((struct view){line.p, (size_t)(equals - line.p)});
	if (field == NULL)
		return fail(ERR_INTERNAL, "enrollment-file", "a key that is not known");
	value = (struct view){equals + 1, line.n - (size_t)(equals - line.p) - 1};
	member = (char *)out + field->offset;
	if (member[0] != '\0')
		return fail(ERR_INTERNAL, "enrollment-file", "%s twice", field->key);
	if (value.n == 0 || value.n >= field->room || has_control(value))
		return fail(ERR_INTERNAL, "enrollment-file", "%s has no usable value", field->key);
	memcpy(member, value.p, value.n);
	return OK;
}

static enum err check_complete(const struct enrollment *enrollment)
{
	for (size_t i = 0; i < COUNT(fields); i++) {
		const char *member = (const char *)enrollment + fields[i].offset;

		if ((member[0] == '\0' && !fields[i].optional) || has_control(view_str(member)))
			return fail(ERR_INTERNAL, "enrollment-file", "%s has no usable value",
				fields[i].key);
	}
	return OK;
}

enum err enrollment_parse(struct view text, struct enrollment *out)
{
	const struct view version = view_str(VERSION "\n");
	struct enrollment read = {0};

	if (text.n < version.n || !view_equal((struct view){text.p, version.n}, version))
		return fail(
			ERR_INTERNAL, "enrollment-file", "the first line is not \"" VERSION "\"");
	text = (struct view){text.p + version.n, text.n - version.n};
	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t n;

		if (end == NULL)
			return fail(ERR_INTERNAL, "enrollment-file", "the last line is not whole");
		n = (size_t)(end - text.p);
		TRY(read_line((struct view){text.p, n}, &read));
		text = (struct view){text.p + n + 1, text.n - n - 1};
	}
	TRY(check_complete(&read));
	*out = read;
	return OK;
}

enum err enrollment_encode(const struct enrollment *enrollment, struct buf *text)
{
	TRY(check_complete(enrollment));
	buf_str(text, VERSION "\n");
	for (size_t i = 0; i < COUNT(fields); i++) {
		const char *member = (const char *)enrollment + fields[i].offset;

		if (member[0] != '\0')
			buf_fmt(text, "%s=%s\n", fields[i].key, member);
	}
	return buf_ok(text);
}
