#include "faults.h"
#include "enroll/proto/limits.h"

#include "ca/base/encode.h"

/* The value that the path's last part names, in `container`. */
static json_t *container_of(json_t *root, const char *path, char last[static 64])
{
	json_t *container = root;

	for (;;) {
		size_t n = strcspn(path, "/");

		snprintf(last, 64, "%.*s", (int)n, path);
		if (path[n] == '\0')
			return container;
		container = json_is_array(container)
				    ? json_array_get(container, strtoul(last, NULL, 10))
				    : json_object_get(container, last);
		assert_non_null(container);
		path += n + 1;
	}
}

static json_t *load(const char *base)
{
	json_t *root = json_loads(base, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(root);
	return root;
}

static char *dump(json_t *root)
{
	char *text = json_dumps(root, JSON_COMPACT);

	assert_non_null(text);
	json_decref(root);
	return text;
}

static void try_one(const struct place *place, const char *name, const char *text, enum err err,
	const char *code)
{
	char what[256];

	snprintf(what, sizeof(what), "%s: %s: %.120s", place->path, name, text);
	assert_refused_in(what, place->parse(view_str(text)), err, code);
}

void try_value(const struct place *place, json_t *value, enum err err, const char *code)
{
	AUTO(mem_free) char *text = NULL;
	json_t *root = load(place->base), *container;
	char last[64];

	container = container_of(root, place->path, last);
	if (json_is_array(container))
		assert_int_equal(0, json_array_set_new(container, strtoul(last, NULL, 10), value));
	else
		assert_int_equal(0, json_object_set_new(container, last, value));
	text = dump(root);
	try_one(place, "another value", text, err, code);
}

static void try_types(const struct place *place, json_type type)
{
	json_t *values[] = {json_null(), json_true(), json_false(), json_integer(1), json_real(1.5),
		json_string("AAE="), json_array(), json_object()};

	for (size_t i = 0; i < COUNT(values); i++) {
		if (json_typeof(values[i]) == type)
			json_decref(values[i]);
		else
			try_value(place, values[i], ERR_MALFORMED, "json-type");
	}
}

static void try_missing(const struct place *place, bool is_required)
{
	AUTO(mem_free) char *text = NULL;
	json_t *root = load(place->base);
	char last[64];

	assert_int_equal(0, json_object_del(container_of(root, place->path, last), last));
	text = dump(root);
	try_one(place, "missing", text, is_required ? ERR_MALFORMED : OK, "json-key-missing");
}

/* jansson cannot write a key twice: a stand-in of the same length is overwritten in the text. */
static void try_twice(const struct place *place)
{
	AUTO(mem_free) char *text = NULL;
	json_t *root = load(place->base), *container;
	char last[64], twin[64], *at;

	container = container_of(root, place->path, last);
	memset(twin, '#', sizeof(twin));
	twin[strlen(last)] = '\0';
	assert_int_equal(0, json_object_set(container, twin, json_object_get(container, last)));
	text = dump(root);
	at = strstr(text, twin);
	assert_non_null(at);
	memcpy(at, last, strlen(last));
	try_one(place, "twice", text, ERR_MALFORMED, "json");
}

void try_member(const struct place *place, json_type type, bool is_required)
{
	try_missing(place, is_required);
	try_twice(place);
	try_types(place, type);
}

void try_entry(const struct place *place, json_type type)
{
	try_types(place, type);
}

void try_unknown_key(const struct place *place)
{
	static const char *const keys[] = {"unknown", "", "HOST", "host ", "\xc3\xa9"};

	for (size_t i = 0; i < COUNT(keys); i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s%s%s", place->path,
			place->path[0] == '\0' ? "" : "/", keys[i]);
		try_value(&(struct place){place->base, path, place->parse}, json_integer(1),
			ERR_MALFORMED, "json-key-unknown");
	}
}

void try_string(const struct place *place, size_t max)
{
	AUTO(mem_free) char *text = calloc(1, max + 2);

	assert_non_null(text);
	memset(text, 'a', max + 1);
	try_value(place, json_stringn(text, max), OK, "");
	try_value(place, json_stringn(text, max + 1), ERR_MALFORMED, "field-too-long");
}

static json_t *base64_of(size_t n)
{
	AUTO(mem_free) uint8_t *bytes = calloc(1, n);
	AUTO(buf_free) struct buf text = BUF(4 * n + 8);

	assert_non_null(bytes);
	base64_add(&text, (struct view){bytes, n});
	return json_string(buf_text(&text));
}

void try_bytes(const struct place *place, size_t max)
{
	static const char *const faults[] = {"AAE", "AAE=\n",
		"AA E=", "AAF=", "AB==", "A===", "====", "AAE=AAE=", "AA-_", "A",
		"AAE=====", "\xc3\xa9", "AAE=\r\n", " AAE="};

	for (size_t i = 0; i < COUNT(faults); i++)
		try_value(place, json_string(faults[i]), ERR_MALFORMED, "base64");
	try_value(place, base64_of(max), OK, "");
	try_value(place, base64_of(max + 1), ERR_MALFORMED, "field-too-long");
	try_value(place, base64_of(max + 100), ERR_MALFORMED, "field-too-long");
}

void try_length(const struct place *place, size_t max, const char *code)
{
	for (size_t n = max; n <= max + 1; n++) {
		json_t *root = load(place->base), *array = json_array(), *container;
		char last[64];

		container = container_of(root, place->path, last);
		for (size_t i = 0; i < n; i++)
			json_array_append(
				array, json_array_get(json_object_get(container, last), 0));
		json_decref(root);
		try_value(place, array, n > max ? ERR_MALFORMED : OK, code);
	}
}

static void try_broken(enum err (*parse)(struct view json))
{
	static const struct {
		const char *name;
		struct view text;
	} rows[] = {
		{"nothing", {NULL, 0}},
		{"blanks", {(const uint8_t *)"  ", 2}},
		{"a list", {(const uint8_t *)"[]", 2}},
		{"a list of an object", {(const uint8_t *)"[{}]", 4}},
		{"a string", {(const uint8_t *)"\"x\"", 3}},
		{"null", {(const uint8_t *)"null", 4}},
		{"a number", {(const uint8_t *)"1", 1}},
		{"a NUL in a string", {(const uint8_t *)"{\"a\0\":1}", 8}},
		{"an escaped NUL in a key", {(const uint8_t *)"{\"a\\u0000\":1}", 13}},
		{"an escaped NUL in a string", {(const uint8_t *)"{\"a\":\"\\u0000\"}", 14}},
		{"half a surrogate", {(const uint8_t *)"{\"a\":\"\\ud800\"}", 14}},
		{"not UTF-8", {(const uint8_t *)"{\"a\":\"\xff\"}", 9}},
		{"overlong UTF-8", {(const uint8_t *)"{\"a\":\"\xc0\x80\"}", 10}},
		{"a surrogate as UTF-8", {(const uint8_t *)"{\"a\":\"\xed\xa0\x80\"}", 11}},
		{"a raw line end", {(const uint8_t *)"{\"a\":\"\n\"}", 9}},
		{"a comma at the end", {(const uint8_t *)"{\"a\":1,}", 8}},
		{"single quotes", {(const uint8_t *)"{'a':1}", 7}},
		{"a comment", {(const uint8_t *)"{/**/}", 6}},
		{"NaN", {(const uint8_t *)"{\"a\":NaN}", 9}},
		{"a number too large", {(const uint8_t *)"{\"a\":9223372036854775808}", 25}},
		{"a byte order mark", {(const uint8_t *)"\xef\xbb\xbf{}", 5}},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_refused_in(rows[i].name, parse(rows[i].text), ERR_MALFORMED, "json");
}

/* Ways to end that a parser might not look at. */
static void try_followed(const char *base, enum err (*parse)(struct view json))
{
	static const struct {
		struct view end;
		enum err err;
	} rows[] = {
		{{(const uint8_t *)" \t\r\n", 4}, OK},
		{{(const uint8_t *)"x", 1}, ERR_MALFORMED},
		{{(const uint8_t *)"\0", 1}, ERR_MALFORMED},
		{{(const uint8_t *)"\n\0", 2}, ERR_MALFORMED},
		{{(const uint8_t *)"{}", 2}, ERR_MALFORMED},
		{{(const uint8_t *)"}", 1}, ERR_MALFORMED},
		{{(const uint8_t *)",", 1}, ERR_MALFORMED},
		{{(const uint8_t *)"\f", 1}, ERR_MALFORMED},
		{{(const uint8_t *)"\xff", 1}, ERR_MALFORMED},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf text = BUF(1 << 18);

		buf_str(&text, base);
		buf_add(&text, rows[i].end);
		assert_refused_in("followed", parse(buf_view(&text)), rows[i].err, "json");
	}
}

static void try_deep(enum err (*parse)(struct view json))
{
	static const size_t depths[] = {LIMIT_DEPTH, LIMIT_DEPTH + 1, 2047, 30000};

	for (size_t i = 0; i < COUNT(depths); i++) {
		AUTO(buf_free) struct buf text = BUF(1 << 18);

		for (size_t k = 0; k < depths[i]; k++)
			buf_str(&text, "{\"a\":");
		buf_str(&text, "1");
		for (size_t k = 0; k < depths[i]; k++)
			buf_str(&text, "}");
		/* the first is still read: its key is what is wrong with it */
		assert_refused_in("deep", parse(buf_view(&text)), ERR_MALFORMED,
			i == 0 ? "json-key-unknown" : "json");
	}
}

static void try_many(enum err (*parse)(struct view json))
{
	AUTO(buf_free) struct buf text = BUF(1 << 18);

	buf_str(&text, "{\"a\":[");
	for (size_t k = 3; k <= LIMIT_OBJECTS; k++)
		buf_str(&text, "{},");
	buf_str(&text, "0");
	for (int i = 0; i < 2; i++) {
		AUTO(buf_free) struct buf whole = BUF(1 << 18);

		buf_add(&whole, buf_view(&text));
		buf_str(&whole, i == 0 ? "]}" : ",{}]}");
		assert_refused_in("many", parse(buf_view(&whole)), ERR_MALFORMED,
			i == 0 ? "json-key-unknown" : "json");
	}
}

void try_text(const char *base, enum err (*parse)(struct view json))
{
	assert_ok(parse(view_str(base)));
	for (size_t n = 0; n < strlen(base); n++)
		assert_refused_in("cut", parse((struct view){(const uint8_t *)base, n}),
			ERR_MALFORMED, "json");
	try_broken(parse);
	try_followed(base, parse);
	try_deep(parse);
	try_many(parse);
}
