/* fuzz_yaml.c - YAML by a table that has every type once. */
#include "tests/fuzz/target.h"

#include "ca/base/yaml.h"

struct item {
	char *text;
	struct yaml_mark mark;
};

struct map {
	char *choice;
	struct yaml_mark mark;
};

struct document {
	char *text, *path;
	int64_t whole, time;
	bool flag;
	struct map map;
	struct yaml_list list, words;
	struct yaml_mark mark;
};

#define AT(member) offsetof(struct document, member)

static const char *const choices[] = {"one", "two", NULL};
static const struct yaml_schema item = {sizeof(struct item),
	(const struct yaml_key[]){
		{"text", YAML_TEXT, offsetof(struct item, text), NULL, 1, 9, NULL, NULL}, {0}},
	offsetof(struct item, mark)};
static const struct yaml_schema map = {sizeof(struct map),
	(const struct yaml_key[]){
		{"choice", YAML_TEXT, offsetof(struct map, choice), "one", 0, 9, NULL, choices},
		{0}},
	offsetof(struct map, mark)};
static const struct yaml_schema document = {sizeof(struct document),
	(const struct yaml_key[]){{"text", YAML_TEXT, AT(text), NULL, 1, 99, NULL, NULL},
		{"path", YAML_PATH, AT(path), "", 0, 99, NULL, NULL},
		{"whole", YAML_WHOLE, AT(whole), "1", -5, 50, NULL, NULL},
		{"time", YAML_SECONDS, AT(time), "5m", 0, 1 << 30, NULL, NULL},
		{"flag", YAML_BOOL, AT(flag), "false", 0, 0, NULL, NULL},
		{"map", YAML_MAP, AT(map), "", 0, 0, &map, NULL},
		{"list", YAML_LIST, AT(list), "", 0, 3, &item, NULL},
		{"words", YAML_LIST, AT(words), "", 0, 3, NULL, NULL}, {0}},
	AT(mark)};

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(problems_free) struct problems problems;
	struct document out;

	problems_init(&problems);
	if (yaml_read((struct view){p, n}, "fuzz.yaml", &document, &out, &problems) == OK)
		yaml_release(&document, &out);
	return 0;
}
