#include "policy/pattern.h"

#include "ca/base/hostname.h"

#include <string.h>

static bool match_suffix(const char *suffix, const char *name)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n > s + 1 && name[n - s - 1] == '.' && strcmp(name + n - s, suffix) == 0;
}

/* Goes back only to the last star: a star that took more than it should can always give some up. */
static bool match_glob(const char *pattern, const char *name)
{
	const char *star = NULL, *taken = NULL;

	while (*name != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			taken = name;
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star != NULL && *taken != '.') {
			pattern = star + 1;
			name = ++taken;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool pattern_match(enum pattern_kind kind, const char *pattern, const char *name)
{
	switch (kind) {
	case PATTERN_EXACT:
		return strcmp(pattern, name) == 0;
	case PATTERN_SUFFIX:
		return match_suffix(pattern, name);
	case PATTERN_GLOB:
		return match_glob(pattern, name);
	}
	return false;
}

const char *pattern_problem(enum pattern_kind kind, const char *pattern)
{
	size_t n = strlen(pattern);

	if (n == 0 || n > HOSTNAME_MAX)
		return "a pattern has 1 to 253 characters";
	if (strspn(pattern, "abcdefghijklmnopqrstuvwxyz0123456789-.*") != n)
		return "a pattern has lower-case letters, digits, hyphens and dots";
	if (pattern[0] == '.' || pattern[n - 1] == '.')
		return "a pattern neither begins nor ends with a dot";
	if (kind != PATTERN_GLOB && strchr(pattern, '*') != NULL)
		return "only a glob has stars";
	return NULL;
}
