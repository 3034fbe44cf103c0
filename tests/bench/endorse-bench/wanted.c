#include "tests/bench/endorse-bench/wanted.h"

#include <stdio.h>
#include <string.h>

static const char ak[] = "ak";

enum err wanted_read(const char *list, struct wanted *out)
{
	*out = (struct wanted){.n = 0};
	for (const char *p = list;; p++) {
		const size_t n = strcspn(p, ",");

		if (n == 0 || n > LIMIT_TEMPLATE_NAME || out->n == LIMIT_KEYS)
			return fail(ERR_MALFORMED, "usage",
				"--templates %s: wanted 1 to %d names with commas between", list,
				LIMIT_KEYS);
		snprintf(out->names[out->n++], sizeof(out->names[0]), "%.*s", (int)n, p);
		p += n;
		if (*p == '\0')
			return OK;
	}
}

bool wanted_needs_keys(const struct wanted *wanted)
{
	return wanted->n != 1 || strcmp(wanted->names[0], ak) != 0;
}

static bool make_key(struct soft_key *out)
{
	TPMT_PUBLIC area;

	soft_tls_area(false, &area);
	return soft_key_make(&area, NULL, out);
}

enum err wants_make(const struct wanted *wanted, struct wants *out)
{
	out->n = wanted->n;
	for (size_t i = 0; i < wanted->n; i++) {
		out->list[i].template = wanted->names[i];
		if (strcmp(wanted->names[i], ak) == 0)
			continue;
		out->list[i].certified = &out->keys[i];
		if (!make_key(&out->keys[i]))
			return fail(ERR_INTERNAL, "soft-key", "no key for %s", wanted->names[i]);
	}
	return OK;
}

void wants_free(struct wants *wants)
{
	for (size_t i = 0; i < wants->n; i++)
		soft_key_free(&wants->keys[i]);
}
