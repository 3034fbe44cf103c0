/* template_schema.h - the table of what a template's file may say: names, types, defaults, ranges. */
#pragma once

#include "ca/base/yaml.h"

extern const struct yaml_schema template_schema; /* of a struct template */

/* The words of `kind` and `key`, in the order of enum template_kind and template_key; end with NULL. */
extern const char *const template_kinds[], *const template_key_words[];
