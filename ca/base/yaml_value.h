/* yaml_value.h - one scalar of a YAML file as the value that its key wants; for yaml.c. */
#pragma once

#include "ca/base/yaml.h"

#define YAML_PROBLEM_SIZE 256

/*
 * Stores `text` at `where` as `key` says; `dir` is what relative paths start from. Returns NULL, or
 * what is wrong, written to `problem`.
 */
const char *yaml_value_set(const struct yaml_key *key, const char *text, const char *dir,
	void *where, char problem[static YAML_PROBLEM_SIZE]);
