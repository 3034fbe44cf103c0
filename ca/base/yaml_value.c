#include "ca/base/yaml_value.h"

#include "ca/base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *out_of_range(const struct yaml_key *key, const char *text, char *problem)
{
	snprintf(problem, YAML_PROBLEM_SIZE, "\"%s\" is \"%.40s\": wanted %lld to %lld%s",
		key->name, text, (long long)key->min, (long long)key->max,
		key->type == YAML_SECONDS ? " seconds" : "");
	return problem;
}

static bool read_number(const char *text, char **end, int64_t *out)
{
	const char *digits = text[0] == '-' ? text + 1 : text;

	if (digits[0] < '0' || digits[0] > '9' ||
		(digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9'))
		return false;
	errno = 0;
	*out = strtoll(text, end, 10);
	return errno == 0;
}

static const char *set_whole(
	const struct yaml_key *key, const char *text, int64_t *out, char *problem)
{
	char *end;

	if (!read_number(text, &end, out) || *end != '\0') {
		snprintf(problem, YAML_PROBLEM_SIZE, "\"%s\" is \"%.40s\": wanted a whole number",
			key->name, text);
		return problem;
	}
	return *out < key->min || *out > key->max ? out_of_range(key, text, problem) : NULL;
}

static const char *set_seconds(
	const struct yaml_key *key, const char *text, int64_t *out, char *problem)
{
	static const struct {
		const char *unit;
		int64_t seconds;
	} units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
	char *end;

	if (read_number(text, &end, out))
		for (size_t i = 0; i < COUNT(units); i++) {
			if (strcmp(end, units[i].unit) != 0)
				continue;
			if (__builtin_mul_overflow(*out, units[i].seconds, out) ||
				*out < key->min || *out > key->max)
				return out_of_range(key, text, problem);
			return NULL;
		}
	snprintf(problem, YAML_PROBLEM_SIZE,
		"\"%s\" is \"%.40s\": wanted a time such as 30s, 5m, 12h or 90d", key->name, text);
	return problem;
}

static const char *set_bool(const struct yaml_key *key, const char *text, bool *out, char *problem)
{
	*out = strcmp(text, "true") == 0;
	if (*out || strcmp(text, "false") == 0)
		return NULL;
	snprintf(problem, YAML_PROBLEM_SIZE, "\"%s\" is \"%.40s\": wanted true or false", key->name,
		text);
	return problem;
}

static const char *not_a_choice(const struct yaml_key *key, const char *text, char *problem)
{
	int n = snprintf(
		problem, YAML_PROBLEM_SIZE, "\"%s\" is \"%.40s\": wanted one of", key->name, text);

	for (size_t i = 0; key->choices[i] != NULL && n < YAML_PROBLEM_SIZE; i++)
		n += snprintf(problem + n, (size_t)(YAML_PROBLEM_SIZE - n), "%s %s",
			i > 0 ? "," : "", key->choices[i]);
	return problem;
}

static const char *set_text(const struct yaml_key *key, const char *text, char **out, char *problem)
{
	size_t n = strlen(text);

	if ((int64_t)n < key->min || (key->max > 0 && (int64_t)n > key->max)) {
		snprintf(problem, YAML_PROBLEM_SIZE, "\"%s\": wanted %lld to %lld characters",
			key->name, (long long)key->min, (long long)key->max);
		return problem;
	}
	for (size_t i = 0; key->choices != NULL; i++) {
		if (key->choices[i] == NULL)
			return not_a_choice(key, text, problem);
		if (strcmp(key->choices[i], text) == 0)
			break;
	}
	if ((*out = strdup(text)) == NULL)
		return "out of memory";
	return NULL;
}

static const char *set_path(
	const struct yaml_key *key, const char *text, const char *dir, char **out, char *problem)
{
	if (text[0] == '\0') {
		snprintf(problem, YAML_PROBLEM_SIZE, "\"%s\" is empty: wanted a path", key->name);
		return problem;
	}
	return (*out = path_join(dir, text)) == NULL ? "out of memory" : NULL;
}

const char *yaml_value_set(const struct yaml_key *key, const char *text, const char *dir,
	void *where, char problem[static YAML_PROBLEM_SIZE])
{
	switch (key->type) {
	case YAML_TEXT:
		return set_text(key, text, where, problem);
	case YAML_PATH:
		return set_path(key, text, dir, where, problem);
	case YAML_WHOLE:
		return set_whole(key, text, where, problem);
	case YAML_SECONDS:
		return set_seconds(key, text, where, problem);
	case YAML_BOOL:
		return set_bool(key, text, where, problem);
	case YAML_MAP:
	case YAML_LIST:
		break;
	}
	return "not a scalar";
}
