/* fuzz_problem.c - a refusal, as a client reads it. */
#include "tests/fuzz/target.h"

#include "enroll/proto/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct problem problem;

	if (problem_parse((struct view){p, n}, &problem) != OK)
		return 0;
	return 0;
}
