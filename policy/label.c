#include "policy/label.h"

#include <string.h>

/* As long as the labels of a device may be, see PROTOCOL.md: a longer one would match none. */
static const struct yaml_key keys[] = {
	{"name", YAML_TEXT, offsetof(struct wanted_label, name), NULL, 1, 64, NULL, NULL},
	{"value", YAML_TEXT, offsetof(struct wanted_label, value), NULL, 1, 256, NULL, NULL},
	{0},
};
const struct yaml_schema wanted_label_schema = {
	sizeof(struct wanted_label), keys, offsetof(struct wanted_label, mark)};

static const char name_bytes[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

void labels_judge(const struct yaml_list *wanted, const char *file, struct problems *problems)
{
	const struct wanted_label *label = wanted->item;

	for (size_t i = 0; i < wanted->n; i++) {
		if (strspn(label[i].name, name_bytes) != strlen(label[i].name))
			problem_add(problems, file, label[i].mark,
				"a label's name has letters, digits, dots, _ or -");
		for (size_t k = 0; k < i; k++)
			if (strcmp(label[i].name, label[k].name) == 0)
				problem_add(problems, file, label[i].mark,
					"\"%.64s\" twice: a device has one value of a label",
					label[i].name);
	}
}

static bool has(const struct fact_labels *labels, const struct wanted_label *wanted)
{
	for (size_t i = 0; i < labels->n; i++)
		if (strcmp(labels->label[i].name, wanted->name) == 0)
			return strcmp(labels->label[i].value, wanted->value) == 0;
	return false;
}

const struct wanted_label *labels_missing(
	const struct yaml_list *wanted, const struct fact_labels *labels)
{
	const struct wanted_label *label = wanted->item;

	for (size_t i = 0; i < wanted->n; i++)
		if (!has(labels, &label[i]))
			return &label[i];
	return NULL;
}
