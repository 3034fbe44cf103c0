#include "enroll/admin/remedy.h"

#include "ca/base/file.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <string.h>

/* Documented, with a status that a proven device can get, and said before anything is proven, or to
 * an admin. */
static const char *const before_the_proof[] = {"why-missing", "http-headers", "edge-header-twice",
	"body-short", "edge-secret", "admin-edge-secret", "credential-twice", "not-an-operator",
	"operator-certificate-expired", "operator-certificate-revoked", "operator-disabled",
	"operator-exists", "operator-name", "operator-unknown", "role-insufficient", "role-unknown",
	"token-exists", "token-expires", "query", "query-unknown", "query-value",
	"configuration-wrong", "attempt-decided", "attempt-id", "ca-aik", "ca-expired", "ca-key",
	"ca-known", "ca-manufacturers", "ca-no-path", "ca-not-a-ca", "ca-not-sent", "ca-purpose",
	"ca-role", "ca-signature", "ca-unreadable", "ca-weak", "certificate-digest", "ek-digest",
	"labels", "which", "device-id", "serial", "issuer-id", "revocation-reason",
	"already-revoked", "already-held", "not-revoked", "not-held", "certificate-ended",
	"rebind-same-device", "rebind-ek-registered", "rebind-ek-bound", "labels-too-many"};

static bool is_before_the_proof(const char *code)
{
	for (size_t i = 0; i < COUNT(before_the_proof); i++)
		if (strcmp(before_the_proof[i], code) == 0)
			return true;
	return false;
}

/* A line "| `code` | 403 | ..." of PROTOCOL.md; false for any other. */
static bool read_row(const char *line, char code[static 65], long *status)
{
	const char *end;

	if (strncmp(line, "| `", 3) != 0 || (end = strstr(line, "` | ")) == NULL ||
		end - line - 3 > 64)
		return false;
	snprintf(code, 65, "%.*s", (int)(end - line - 3), line + 3);
	*status = strtol(end + 4, NULL, 10);
	return *status >= 400;
}

static void each_reason_that_a_proven_device_can_be_refused_with_has_a_remedy(void **state)
{
	AUTO(buf_free) struct buf text = BUF(1 << 20);
	size_t rows = 0;

	(void)state;
	assert_int_equal(OK, file_read("enroll/proto/PROTOCOL.md", &text));
	for (const char *line = buf_text(&text); *line != '\0'; line += strcspn(line, "\n") + 1) {
		char code[65];
		long status;
		bool wanted;

		if (!read_row(line, code, &status))
			continue;
		rows++;
		/* As is_a_refusal() of enroll/flow/enroll.c has it. */
		wanted = (status == 400 || status == 403 || status == 409 || status == 422) &&
			 !is_before_the_proof(code);
		if (wanted != (remedy_for(code) != NULL))
			fail_msg("%s (%ld): %s", code, status,
				wanted ? "no remedy" : "a remedy, and who would need it?");
	}
	assert_true(rows > 50);
}

static void an_unknown_reason_has_none(void **state)
{
	(void)state;
	assert_null(remedy_for("nonsense"));
	assert_null(remedy_for(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_that_a_proven_device_can_be_refused_with_has_a_remedy),
		cmocka_unit_test(an_unknown_reason_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
