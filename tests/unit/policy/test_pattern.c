#include "policy/pattern.h"
#include "tests/unit/check.h"

#include <time.h>

struct match_row {
	const char *pattern, *name;
	bool matches;
};

static void assert_matches(enum pattern_kind kind, const struct match_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pattern_match(kind, rows[i].pattern, rows[i].name) != rows[i].matches)
			fail_msg("\"%s\" and \"%s\": wanted %s", rows[i].pattern, rows[i].name,
				rows[i].matches ? "a match" : "none");
}

static void an_exact_pattern_is_the_name(void **state)
{
	static const struct match_row rows[] = {
		{"web-01.example.org", "web-01.example.org", true},
		{"web-01.example.org", "web-02.example.org", false},
		{"web-01.example.org", "web-01.example.orgs", false},
		{"web-01.example.org", "web-01.example.or", false},
		{"example.org", "web-01.example.org", false},
		{"a.b", "axb", false},
	};

	(void)state;
	assert_matches(PATTERN_EXACT, rows, COUNT(rows));
}

static void a_suffix_has_the_names_below_it_and_not_itself(void **state)
{
	static const struct match_row rows[] = {
		{"example.org", "web-01.example.org", true},
		{"example.org", "a.b.c.example.org", true},
		{"example.org", "example.org", false},
		{"example.org", "webexample.org", false},
		{"example.org", "web-example.org", false},
		{"example.org", ".example.org", false},
		{"example.org", "web.example.org.evil.com", false},
		{"example.org", "web.example.com", false},
		{"example.org", "org", false},
		{"org", "example.org", true},
		{"b", "a.b", true},
		{"a.b", "b", false},
	};

	(void)state;
	assert_matches(PATTERN_SUFFIX, rows, COUNT(rows));
}

static void a_star_stands_for_anything_but_a_dot(void **state)
{
	static const struct match_row rows[] = {
		{"web-*.example.org", "web-01.example.org", true},
		{"web-*.example.org", "web-.example.org", true},
		{"web-*.example.org", "web-a-b-c.example.org", true},
		{"web-*.example.org", "web-01.evil.example.org", false},
		{"web-*.example.org", "web-01.example.org.evil.com", false},
		{"web-*.example.org", "xweb-01.example.org", false},
		{"web-*.example.org", "web.example.org", false},
		{"web-*.example.org", "web-01.example.orgs", false},
		{"*.example.org", "web-01.example.org", true},
		{"*.example.org", "a.b.example.org", false},
		{"*.example.org", "example.org", false},
		{"*", "localhost", true},
		{"*", "a.b", false},
		{"*.*", "a.b", true},
		{"*.*", "a.b.c", false},
		{"*.*.*", "a.b.c", true},
		{"web-01.*", "web-01.org", true},
		{"web-01.*", "web-01.example.org", false},
		{"a*b.c", "aXbb.c", true},
		{"a*b.c", "ab.c", true},
		{"a*b.c", "abX.c", false},
		{"a*b.c", "a.b.c", false},
		{"a*b*c.d", "abbcbc.d", true},
		{"a*b*c.d", "abbcb.d", false},
		{"a**b.c", "ab.c", true},
		{"**.c", "ab.c", true},
		{"**.c", "a.b.c", false},
		{"*a*.b", "bab.b", true},
		{"*a*.b", "bbb.b", false},
		{"*a.*b.c", "xa.yb.c", true},
		{"*a.*b.c", "xa.y.c", false},
		{"a.b", "a.b", true},
		{"a.b", "a.bc", false},
		{"a.b*", "a.b", true},
		{"", "a", false},
		{"", "", true},
	};

	(void)state;
	assert_matches(PATTERN_GLOB, rows, COUNT(rows));
}

/* Says so by itself what a glob matches: for comparison, slow and plain. */
static bool matches_plainly(const char *pattern, const char *name)
{
	if (*pattern == '\0')
		return *name == '\0';
	if (*pattern == '*')
		return matches_plainly(pattern + 1, name) ||
		       (*name != '\0' && *name != '.' && matches_plainly(pattern, name + 1));
	return *pattern == *name && matches_plainly(pattern + 1, name + 1);
}

/* The `index`-th word over three letters of `n` digits. */
static void word(unsigned index, const char letters[static 3], size_t n, char *out)
{
	for (size_t i = 0; i < n; i++, index /= 3)
		out[i] = letters[index % 3];
	out[n] = '\0';
}

static void every_short_glob_agrees_with_the_plain_definition(void **state)
{
	static const unsigned powers[] = {1, 3, 9, 27, 81, 243};

	(void)state;
	for (size_t p = 0; p <= 5; p++)
		for (unsigned i = 0; i < powers[p]; i++)
			for (size_t n = 0; n <= 5; n++)
				for (unsigned k = 0; k < powers[n]; k++) {
					char pattern[8], name[8];

					word(i, "a*.", p, pattern);
					word(k, "ab.", n, name);
					if (pattern_match(PATTERN_GLOB, pattern, name) !=
						matches_plainly(pattern, name))
						fail_msg("\"%s\" and \"%s\"", pattern, name);
				}
}

static void many_stars_take_no_long_time(void **state)
{
	char pattern[254], name[254];
	clock_t before = clock();

	(void)state;
	for (size_t i = 0; i < 252; i++)
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	pattern[252] = 'b';
	pattern[253] = '\0';
	memset(name, 'a', 253);
	name[253] = '\0';
	for (int i = 0; i < 100; i++)
		assert_false(pattern_match(PATTERN_GLOB, pattern, name));
	assert_true(clock() - before < 2 * CLOCKS_PER_SEC);
}

static void an_unknown_kind_matches_nothing(void **state)
{
	(void)state;
	assert_false(pattern_match((enum pattern_kind)99, "a.b", "a.b"));
}

static void a_pattern_that_no_name_could_have_is_a_problem(void **state)
{
	static char longest[254], longer[255];
	static const struct {
		enum pattern_kind kind;
		const char *pattern, *says;
	} rows[] = {
		{PATTERN_EXACT, "web-01.example.org", NULL},
		{PATTERN_SUFFIX, "org", NULL},
		{PATTERN_GLOB, "web-*.example.org", NULL},
		{PATTERN_GLOB, "*", NULL},
		{PATTERN_EXACT, longest, NULL},
		{PATTERN_EXACT, longer, "1 to 253 characters"},
		{PATTERN_EXACT, "", "1 to 253 characters"},
		{PATTERN_EXACT, "Web.example.org", "lower-case"},
		{PATTERN_EXACT, "web_1.example.org", "lower-case"},
		{PATTERN_EXACT, "web example.org", "lower-case"},
		{PATTERN_EXACT, "web.ex\xc3\xa4mple.org", "lower-case"},
		{PATTERN_GLOB, "web-?.example.org", "lower-case"},
		{PATTERN_GLOB, "web-[01].example.org", "lower-case"},
		{PATTERN_SUFFIX, ".example.org", "neither begins nor ends with a dot"},
		{PATTERN_SUFFIX, "example.org.", "neither begins nor ends with a dot"},
		{PATTERN_GLOB, ".", "neither begins nor ends with a dot"},
		{PATTERN_EXACT, "*.example.org", "only a glob has stars"},
		{PATTERN_SUFFIX, "*.example.org", "only a glob has stars"},
	};

	(void)state;
	memset(longest, 'a', 253);
	memset(longer, 'a', 254);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *problem = pattern_problem(rows[i].kind, rows[i].pattern);

		if (rows[i].says == NULL)
			assert_null(problem);
		else if (problem == NULL || strstr(problem, rows[i].says) == NULL)
			fail_msg("\"%s\": wanted \"%s\", got \"%s\"", rows[i].pattern, rows[i].says,
				problem == NULL ? "" : problem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exact_pattern_is_the_name),
		cmocka_unit_test(a_suffix_has_the_names_below_it_and_not_itself),
		cmocka_unit_test(a_star_stands_for_anything_but_a_dot),
		cmocka_unit_test(every_short_glob_agrees_with_the_plain_definition),
		cmocka_unit_test(many_stars_take_no_long_time),
		cmocka_unit_test(an_unknown_kind_matches_nothing),
		cmocka_unit_test(a_pattern_that_no_name_could_have_is_a_problem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
