/* template_judge.h - what is wrong with a template although each of its keys is good by itself. */
#pragma once

#include "ca/base/yaml.h"
#include "ca/template.h"

/*
 * Every impossible combination is a problem of `file`, with its place and a sentence. What merely
 * hurts is the lint's.
 */
void template_judge(const struct template *tmpl, const char *file, struct problems *problems);
