/* lint_text.h - every text of a template in which there may be variables. */
#pragma once

#include "ca/template.h"

/* What a text becomes: where it stands says which of them may speak of what. */
enum lint_place { LINT_PLACE_VALUE, LINT_PLACE_DNS_NAME, LINT_PLACE_PRINCIPAL };

/* Calls for each text, in the order of the file's keys; texts that are not there are left out. */
void lint_texts(const struct template *tmpl,
	void (*each)(void *arg, const char *text, enum lint_place place, struct yaml_mark mark),
	void *arg);

/* Does any of them use the variable, see variables_use()? */
bool lint_texts_use(const struct template *tmpl, const char *variable);
