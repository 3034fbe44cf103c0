#include "ca/template.h"

#include "ca/base/file.h"
#include "ca/base/folder.h"
#include "ca/template_judge.h"
#include "ca/template_schema.h"
#include "ca/variable.h"

#include <stdlib.h>
#include <string.h>

#define TEMPLATES_MAX 64

struct templates {
	struct template *item;
	size_t n;
};

static void load_one(struct templates *templates, const char *path, struct problems *problems)
{
	struct template *tmpl = &templates->item[templates->n];
	AUTO(buf_free) struct buf text = BUF(1 << 17);
	uint8_t digest[SHA256_SIZE];

	/* Read once: the digest is that of what was taken, also when the file is just replaced. */
	if (file_read(path, &text) != OK || SHA256_OF(digest, buf_view(&text)) != OK) {
		problem_add_failure(problems);
		return;
	}
	if (yaml_read(buf_view(&text), path, &template_schema, tmpl, problems) != OK)
		return;
	memcpy(tmpl->digest, digest, sizeof(digest));
	if ((tmpl->path = strdup(path)) == NULL)
		problem_add(problems, path, tmpl->mark, "out of memory");
	if (template_named(templates, tmpl->name) != NULL)
		problem_add(
			problems, path, tmpl->mark, "a second template named \"%s\"", tmpl->name);
	templates->n++;
	template_judge(tmpl, path, problems);
}

static bool is_template(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && strcmp(name + n - 5, ".yaml") == 0;
}

static void load_all(struct templates *templates, const char *dir, struct problems *problems)
{
	AUTO(folder_free) struct folder folder;
	size_t found = 0;

	if (folder_read(dir, &folder) != OK) {
		problem_add_failure(problems);
		return;
	}
	for (size_t i = 0; i < folder.n; i++)
		if (is_template(folder.entry[i].name) && ++found <= TEMPLATES_MAX)
			load_one(templates, folder.entry[i].path, problems);
	if (found == 0)
		problem_add(problems, dir, (struct yaml_mark){0},
			"no template (*.yaml) in this directory");
	if (found > TEMPLATES_MAX)
		problem_add(problems, dir, (struct yaml_mark){0}, "more than %d templates",
			TEMPLATES_MAX);
}

enum err templates_load(const char *dir, struct problems *problems, struct templates **out)
{
	AUTO(templates_free) struct templates *templates = calloc(1, sizeof(*templates));
	size_t before = problems->n;

	if (templates == NULL ||
		(templates->item = calloc(TEMPLATES_MAX, sizeof(*templates->item))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "templates_load");
	load_all(templates, dir, problems);
	if (problems->n != before)
		return fail(ERR_MALFORMED, "templates", "%s: %zu problem(s)", dir,
			problems->n - before);
	*out = MOVE(templates);
	return OK;
}

void templates_free(struct templates **templates)
{
	if (*templates == NULL)
		return;
	for (size_t i = 0; i < (*templates)->n; i++) {
		free((*templates)->item[i].path);
		yaml_release(&template_schema, &(*templates)->item[i]);
	}
	free((*templates)->item);
	free(*templates);
	*templates = NULL;
}

const struct template *template_at(const struct templates *templates, size_t index)
{
	return index < templates->n ? &templates->item[index] : NULL;
}

const struct template *template_named(const struct templates *templates, const char *name)
{
	for (size_t i = 0; i < templates->n; i++)
		if (strcmp(templates->item[i].name, name) == 0)
			return &templates->item[i];
	return NULL;
}

/* The schema lets nothing else in. */
static size_t place_of(const char *word, const char *const *words)
{
	size_t i = 0;

	while (strcmp(words[i], word) != 0)
		i++;
	return i;
}

enum template_kind template_kind(const struct template *tmpl)
{
	return (enum template_kind)place_of(tmpl->kind, template_kinds);
}

enum template_key template_key(const struct template *tmpl)
{
	return (enum template_key)place_of(tmpl->key, template_key_words);
}

static bool map_uses(const struct yaml_schema *schema, const char *map, const char *variable);

static bool list_uses(
	const struct yaml_key *key, const struct yaml_list *list, const char *variable)
{
	for (size_t i = 0; i < list->n; i++)
		if (key->of == NULL ? variables_use(((char *const *)list->item)[i], variable)
				    : map_uses(key->of, (char *)list->item + i * key->of->size,
					      variable))
			return true;
	return false;
}

static bool value_uses(const struct yaml_key *key, const void *value, const char *variable)
{
	const char *text;

	switch (key->type) {
	case YAML_TEXT:
		text = *(char *const *)value;
		return text != NULL && variables_use(text, variable);
	case YAML_LIST:
		return list_uses(key, value, variable);
	case YAML_MAP:
		return map_uses(key->of, value, variable);
	default:
		return false;
	}
}

/* By the schema, so that no text is forgotten that it comes to know. */
static bool map_uses(const struct yaml_schema *schema, const char *map, const char *variable)
{
	for (const struct yaml_key *key = schema->keys; key->name != NULL; key++)
		if (value_uses(key, map + key->offset, variable))
			return true;
	return false;
}

bool template_uses(const struct template *tmpl, const char *variable)
{
	return map_uses(&template_schema, (const char *)tmpl, variable);
}
