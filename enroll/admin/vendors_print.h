/* vendors_print.h - the trust set, and what became of an import, for people. */
#pragma once

#include "enroll/admin/gather.h"
#include "enroll/proto/trustlist.h"

#include <stdio.h>

/* Every entry with the role, NULL for all, grouped by class and source. */
void vendors_print_list(FILE *out, const struct trust_list *list, const char *role);

/* One with all that is known of it, and its PEM text. */
void vendors_print_entry(FILE *out, const struct trust_list_item *entry);

/*
 * What was found, what of it was added, was known or was left out, and why; `sent` has the item of each of the
 * answer's outcomes, in their order.
 */
void vendors_print_import(FILE *out, const struct gathering *gathering,
	const struct gathered *const *sent, const struct import_answer *answer, bool is_dry_run);
