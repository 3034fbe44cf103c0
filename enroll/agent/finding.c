#include "enroll/agent/finding.h"

#include "ca/base/printable.h"
#include "enroll/agent/jsontext.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT 1024
#define JSON_MAX (256 * 1024)

void findings_begin(struct findings *findings, bool as_json)
{
	*findings = (struct findings){.as_json = as_json, .json = BUF(JSON_MAX)};
}

void findings_free(struct findings *findings)
{
	buf_free(&findings->json);
}

static void add_json(
	struct findings *findings, enum finding_kind kind, const char *look, const char *text)
{
	static const char *const kinds[] = {"ok", "warn", "fail", "skipped"};

	buf_str(&findings->json, findings->json.n == 0 ? "[" : ",");
	jsontext_begin(&findings->json);
	jsontext_string(&findings->json, "look", look);
	jsontext_string(&findings->json, "kind", kinds[kind]);
	jsontext_string(&findings->json, "text", text);
	jsontext_end(&findings->json);
}

void finding(
	struct findings *findings, enum finding_kind kind, const char *look, const char *fmt, ...)
{
	static const char *const kinds[] = {"ok", "warn", "FAIL", "-"};
	char raw[TEXT], text[TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	printable(raw, text, sizeof(text));
	findings->count[kind]++;
	if (findings->as_json) {
		add_json(findings, kind, look, text);
		return;
	}
	printf("%-4s %-8s %s\n", kinds[kind], look, text);
	/* The next look may take long. */
	fflush(stdout);
}

enum err findings_end(struct findings *findings)
{
	const unsigned *n = findings->count;

	if (findings->as_json) {
		buf_str(&findings->json, findings->json.n == 0 ? "[]\n" : "]\n");
		TRY(buf_ok(&findings->json));
		fputs(buf_text(&findings->json), stdout);
		return OK;
	}
	printf("\n%s: %u ok, %u to know, %u wrong, %u not looked at\n",
		n[FINDING_FAIL] > 0	 ? "Something is wrong"
		: n[FINDING_SKIPPED] > 0 ? "Nothing wrong was seen"
					 : "Nothing is wrong",
		n[FINDING_OK], n[FINDING_WARN], n[FINDING_FAIL], n[FINDING_SKIPPED]);
	return OK;
}
