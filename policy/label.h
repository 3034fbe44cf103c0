/* label.h - the labels that a rule wants a device to have. */
#pragma once

#include "ca/base/yaml.h"
#include "policy/facts.h"

struct wanted_label {
	char *name, *value;
	struct yaml_mark mark;
};
extern const struct yaml_schema wanted_label_schema;

/* Adds what is wrong with a list of struct wanted_label beyond the schema. */
void labels_judge(const struct yaml_list *wanted, const char *file, struct problems *problems);

/* The first of them that the device does not have with this very value; NULL: it has all. */
const struct wanted_label *labels_missing(
	const struct yaml_list *wanted, const struct fact_labels *labels);
