#include "tests/unit/policy/load.h"

#include "tests/unit/check.h"

#include <unistd.h>

int context;

bool is_template(void *ctx, const char *name)
{
	assert_ptr_equal(&context, ctx);
	return strcmp(name, "ak") == 0 || strcmp(name, "tls") == 0;
}

enum err load(
	const char *text, char path[static 64], struct problems *problems, struct policy **out)
{
	AUTO(fd_close) int fd = -1;
	enum err err;

	snprintf(path, 64, "/tmp/endorse-policy-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(strlen(text), write(fd, text, strlen(text)));
	problems_init(problems);
	err = policy_load(path, is_template, &context, problems, out);
	unlink(path);
	return err;
}

struct policy *loaded(const char *text)
{
	AUTO(problems_free) struct problems problems;
	struct policy *policy = NULL;
	char path[64];

	if (load(text, path, &problems, &policy) != OK)
		fail_msg("%s", buf_text(&problems.text));
	assert_int_equal(0, problems.n);
	return policy;
}

void assert_problems(const char *text, const char *wanted)
{
	AUTO(problems_free) struct problems problems;
	AUTO(buf_free) struct buf found = BUF(1 << 16);
	struct policy *policy = NULL;
	char path[64];

	assert_refused(load(text, path, &problems, &policy), ERR_MALFORMED, "yaml");
	assert_null(policy);
	for (const char *line = buf_text(&problems.text); *line != '\0';) {
		size_t n = strcspn(line, "\n") + 1;

		assert_memory_equal(path, line, strlen(path));
		buf_add(&found, (struct view){(const uint8_t *)line + strlen(path) + 1,
					n - strlen(path) - 1});
		line += n;
	}
	assert_string_equal(wanted, buf_text(&found));
}
