#include "enroll/http/admission.h"
#include "enroll/http/router.h"

#include "tests/unit/check.h"

static const struct route routes[] = {
	{"GET", "/exact", ADMIT_ALL, 0, NULL, NULL, NULL, false},
	{"GET", "/one/", ADMIT_ALL, 0, NULL, NULL, NULL, false},
	{"POST", "/rest", ADMIT_ALL, 0, NULL, NULL, NULL, false},
	{"GET", "/rest/*", ADMIT_ALL, 0, NULL, NULL, NULL, false},
	{0},
};

static void a_path_fits_whole_or_one_segment_or_all_the_rest(void **state)
{
	static const struct {
		const char *method, *path, *code; /* "": it is found */
	} rows[] = {
		{"GET", "/exact", ""},
		{"GET", "/exact/", "route-unknown"},
		{"GET", "/exac", "route-unknown"},
		{"POST", "/exact", "method-not-allowed"},
		{"GET", "/one/segment", ""},
		{"GET", "/one/", "route-unknown"},
		{"GET", "/one/two/three", "route-unknown"},
		{"GET", "/rest/", "route-unknown"},
		{"GET", "/rest/a", ""},
		{"GET", "/rest/a/b//c+d==", ""},
		{"GET", "/rest/*", ""},
		{"GET", "/rest", "method-not-allowed"},
		{"POST", "/rest", ""},
		{"POST", "/rest/a/b", "method-not-allowed"},
		{"GET", "/restless/a", "route-unknown"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct route *found = NULL;
		enum err err = route_find(routes, rows[i].method, rows[i].path, &found);

		assert_string_equal(rows[i].code, err == OK ? "" : why()->code);
		assert_int_equal(err == OK, found != NULL);
	}
}

static void a_route_that_does_not_say_whom_it_admits_admits_nobody(void **state)
{
	const struct route forgotten = {.method = "GET", .path = "/new"};

	(void)state;
	assert_refused(
		admission_judge(NULL, forgotten.admission, NULL, NULL), ERR_DENIED, "edge-secret");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_fits_whole_or_one_segment_or_all_the_rest),
		cmocka_unit_test(a_route_that_does_not_say_whom_it_admits_admits_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
