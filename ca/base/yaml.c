#include "ca/base/yaml.h"

#include "ca/base/file.h"
#include "ca/base/yaml_value.h"

#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define FILE_MAX (64 * 1024)
#define NESTING_MAX 16

/* One file being read: what every step below needs. */
struct reading {
	const char *file;
	const char *dir;
	struct view text;
	yaml_document_t document;
	struct problems *problems;
};

void problems_init(struct problems *problems)
{
	*problems = (struct problems){.text = BUF(1 << 20)};
}

void problems_free(struct problems *problems)
{
	buf_free(&problems->text);
}

void problem_add(
	struct problems *problems, const char *file, struct yaml_mark mark, const char *fmt, ...)
{
	char sentence[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	if (mark.line > 0)
		buf_fmt(&problems->text, "%s:%zu:%zu: %s\n", file, mark.line, mark.column,
			sentence);
	else
		buf_fmt(&problems->text, "%s: %s\n", file, sentence);
	problems->n++;
}

void problem_add_failure(struct problems *problems)
{
	buf_fmt(&problems->text, "%s\n", why()->sentence);
	problems->n++;
}

static struct yaml_mark mark_of(yaml_mark_t mark)
{
	return (struct yaml_mark){mark.line + 1, mark.column + 1};
}

static struct yaml_mark node_mark(const yaml_node_t *node)
{
	return mark_of(node->start_mark);
}

/*
 * What the document API hides: aliases, anchors, tags and depth (libyaml's composer is quadratic in
 * it). Walks the events once, before a document is made of them.
 */
static const char *event_problem(const yaml_event_t *event, int *depth, int *documents)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return "aliases are not read here";
	case YAML_SCALAR_EVENT:
		if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL)
			return "anchors and tags are not read here";
		if (memchr(event->data.scalar.value, '\0', event->data.scalar.length) != NULL)
			return "a NUL byte";
		return NULL;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		/* both kinds of event begin with the same two members */
		if (event->data.mapping_start.anchor != NULL ||
			event->data.mapping_start.tag != NULL)
			return "anchors and tags are not read here";
		return ++*depth > NESTING_MAX ? "nested too deeply" : NULL;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		--*depth;
		return NULL;
	case YAML_DOCUMENT_START_EVENT:
		return ++*documents > 1 ? "a second document" : NULL;
	default:
		return NULL;
	}
}

static void no_memory(struct reading *reading, struct yaml_mark mark)
{
	problem_add(reading->problems, reading->file, mark, "out of memory");
}

/* False, with the problem added and nothing to delete, when there is no memory. */
static bool parser_open(yaml_parser_t *parser, struct reading *reading)
{
	struct view text = reading->text;

	if (yaml_parser_initialize(parser) != 1) {
		no_memory(reading, (struct yaml_mark){0});
		return false;
	}
	yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
	/* The library asserts that there is a pointer, also to nothing. */
	yaml_parser_set_input_string(
		parser, text.n == 0 ? (const unsigned char *)"" : text.p, text.n);
	return true;
}

/* Bytes that are no text are found before there are lines: the library tells only where from the
 * start they are. */
static struct yaml_mark problem_place(const struct reading *reading, const yaml_parser_t *parser)
{
	struct yaml_mark mark = {1, 1};

	if (parser->error != YAML_READER_ERROR)
		return mark_of(parser->problem_mark);
	for (size_t i = 0; i < parser->problem_offset && i < reading->text.n; i++) {
		uint8_t c = reading->text.p[i];

		if (c == '\n')
			mark = (struct yaml_mark){mark.line + 1, 1};
		else if ((c & 0xc0) != 0x80)
			mark.column++;
	}
	return mark;
}

static void syntax_problem(struct reading *reading, const yaml_parser_t *parser)
{
	problem_add(reading->problems, reading->file, problem_place(reading, parser), "%s",
		parser->problem == NULL ? "not YAML" : parser->problem);
}

static bool scan_events(struct reading *reading)
{
	int depth = 0, documents = 0;
	yaml_parser_t parser;
	bool more = true, good = true;

	if (!parser_open(&parser, reading))
		return false;
	while (good && more) {
		yaml_event_t event;
		const char *problem;

		if (yaml_parser_parse(&parser, &event) != 1) {
			syntax_problem(reading, &parser);
			good = false;
			break;
		}
		problem = event_problem(&event, &depth, &documents);
		if (problem != NULL)
			problem_add(reading->problems, reading->file, mark_of(event.start_mark),
				"%s", problem);
		good = problem == NULL;
		more = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return good;
}

static const char *scalar_text(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static void read_map(struct reading *reading, const yaml_node_t *node,
	const struct yaml_schema *schema, void *out);

static void wrong_shape(struct reading *reading, const yaml_node_t *node,
	const struct yaml_key *key, const char *wanted)
{
	problem_add(reading->problems, reading->file, node_mark(node), "\"%s\": wanted %s",
		key->name, wanted);
}

static void read_scalar(
	struct reading *reading, const yaml_node_t *node, const struct yaml_key *key, void *where)
{
	char problem[YAML_PROBLEM_SIZE];
	const char *wrong, *text = scalar_text(node);

	if (text == NULL) {
		wrong_shape(reading, node, key, "a single value");
		return;
	}
	if ((wrong = yaml_value_set(key, text, reading->dir, where, problem)) != NULL)
		problem_add(reading->problems, reading->file, node_mark(node), "%s", wrong);
}

static void read_list(struct reading *reading, const yaml_node_t *node, const struct yaml_key *key,
	struct yaml_list *out)
{
	const struct yaml_key each = {.name = key->name,
		.type = YAML_TEXT,
		.min = 1,
		.max = 1024,
		.choices = key->choices};
	size_t size = key->of == NULL ? sizeof(char *) : key->of->size;
	yaml_node_item_t *item;
	int64_t n;

	if (node->type != YAML_SEQUENCE_NODE) {
		wrong_shape(reading, node, key, "a list");
		return;
	}
	out->mark = node_mark(node);
	n = node->data.sequence.items.top - node->data.sequence.items.start;
	if (n < key->min || n > key->max) {
		problem_add(reading->problems, reading->file, node_mark(node),
			"\"%s\" has %lld entries: wanted %lld to %lld", key->name, (long long)n,
			(long long)key->min, (long long)key->max);
		return;
	}
	if (n > 0 && (out->item = calloc((size_t)n, size)) == NULL) {
		no_memory(reading, node_mark(node));
		return;
	}
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
		const yaml_node_t *entry = yaml_document_get_node(&reading->document, *item);
		void *where = (char *)out->item + out->n++ * size;

		if (key->of == NULL)
			read_scalar(reading, entry, &each, where);
		else
			read_map(reading, entry, key->of, where);
	}
}

static void read_value(
	struct reading *reading, const yaml_node_t *node, const struct yaml_key *key, void *out)
{
	void *where = (char *)out + key->offset;

	switch (key->type) {
	case YAML_MAP:
		read_map(reading, node, key->of, where);
		break;
	case YAML_LIST:
		read_list(reading, node, key, where);
		break;
	default:
		read_scalar(reading, node, key, where);
	}
}

static void use_fallback(
	struct reading *reading, struct yaml_mark mark, const struct yaml_key *key, void *out)
{
	char problem[YAML_PROBLEM_SIZE];
	const char *wrong = NULL;

	if (key->fallback == NULL) {
		problem_add(reading->problems, reading->file, mark, "the key \"%s\" is missing",
			key->name);
		return;
	}
	if (key->type == YAML_MAP)
		for (const struct yaml_key *k = key->of->keys; k->name != NULL; k++)
			use_fallback(reading, mark, k, (char *)out + key->offset);
	else if (key->fallback[0] != '\0')
		wrong = yaml_value_set(
			key, key->fallback, reading->dir, (char *)out + key->offset, problem);
	if (wrong != NULL)
		problem_add(reading->problems, reading->file, mark, "default: %s", wrong);
}

static const struct yaml_key *key_named(const struct yaml_schema *schema, const char *name)
{
	for (const struct yaml_key *key = schema->keys; key->name != NULL; key++)
		if (strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

/* Reads one pair of a mapping; `seen` has a flag for each key of the schema. */
static void read_pair(struct reading *reading, const yaml_node_pair_t *pair,
	const struct yaml_schema *schema, bool *seen, void *out)
{
	const yaml_node_t *name = yaml_document_get_node(&reading->document, pair->key);
	const char *text = scalar_text(name);
	const struct yaml_key *key = text == NULL ? NULL : key_named(schema, text);

	if (key == NULL) {
		problem_add(reading->problems, reading->file, node_mark(name),
			"unknown key \"%.64s\"", text == NULL ? "(not a word)" : text);
		return;
	}
	if (seen[key - schema->keys]) {
		problem_add(reading->problems, reading->file, node_mark(name),
			"the key \"%s\" is there twice", key->name);
		return;
	}
	seen[key - schema->keys] = true;
	read_value(reading, yaml_document_get_node(&reading->document, pair->value), key, out);
}

static void read_map(struct reading *reading, const yaml_node_t *node,
	const struct yaml_schema *schema, void *out)
{
	struct yaml_mark *mark = (struct yaml_mark *)((char *)out + schema->mark);
	bool seen[64] = {false};

	*mark = node_mark(node);
	if (node->type != YAML_MAPPING_NODE) {
		problem_add(reading->problems, reading->file, node_mark(node),
			"wanted keys and values");
		return;
	}
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		pair < node->data.mapping.pairs.top; pair++)
		read_pair(reading, pair, schema, seen, out);
	for (const struct yaml_key *key = schema->keys; key->name != NULL; key++)
		if (!seen[key - schema->keys])
			use_fallback(reading, *mark, key, out);
}

static void read_document(struct reading *reading, const struct yaml_schema *schema, void *out)
{
	const yaml_node_t *root;
	yaml_parser_t parser;

	if (!parser_open(&parser, reading))
		return;
	if (yaml_parser_load(&parser, &reading->document) != 1) {
		syntax_problem(reading, &parser);
	} else {
		root = yaml_document_get_root_node(&reading->document);
		if (root == NULL)
			problem_add(reading->problems, reading->file, (struct yaml_mark){1, 1},
				"the file is empty");
		else
			read_map(reading, root, schema, out);
		yaml_document_delete(&reading->document);
	}
	yaml_parser_delete(&parser);
}

enum err yaml_read(struct view text, const char *file, const struct yaml_schema *schema, void *out,
	struct problems *problems)
{
	AUTO(mem_free) char *copy = strdup(file);
	struct reading reading = {.file = file, .text = text, .problems = problems};
	size_t before = problems->n;

	memset(out, 0, schema->size);
	if (copy == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "yaml_read");
	reading.dir = dirname(copy);
	if (text.n > FILE_MAX)
		problem_add(problems, file, (struct yaml_mark){0}, "more than %d bytes", FILE_MAX);
	else if (scan_events(&reading))
		read_document(&reading, schema, out);
	if (problems->n == before)
		return OK;
	yaml_release(schema, out);
	return fail(ERR_MALFORMED, "yaml", "%s: %zu problem(s)", file, problems->n - before);
}

enum err yaml_read_file(
	const char *path, const struct yaml_schema *schema, void *out, struct problems *problems)
{
	AUTO(buf_free) struct buf text = BUF(FILE_MAX + 1);
	enum err err = file_read(path, &text);

	if (err != OK) {
		memset(out, 0, schema->size);
		problem_add_failure(problems);
		return err;
	}
	return yaml_read(buf_view(&text), path, schema, out, problems);
}

static void free_list(const struct yaml_key *key, struct yaml_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (key->of == NULL)
			free(((char **)list->item)[i]);
		else
			yaml_release(key->of, (char *)list->item + i * key->of->size);
	free(list->item);
}

void yaml_release(const struct yaml_schema *schema, void *out)
{
	for (const struct yaml_key *key = schema->keys; key->name != NULL; key++) {
		void *where = (char *)out + key->offset;

		if (key->type == YAML_TEXT || key->type == YAML_PATH)
			free(*(char **)where);
		else if (key->type == YAML_MAP)
			yaml_release(key->of, where);
		else if (key->type == YAML_LIST)
			free_list(key, where);
	}
	memset(out, 0, schema->size);
}
