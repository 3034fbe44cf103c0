#include "enroll/proto/finding.h"

#include "ca/base/printable.h"

#include <stdarg.h>
#include <stdio.h>

const char *finding_level_text(enum finding_level level)
{
	static const char *const levels[] = {
		[FINDING_OK] = "ok",
		[FINDING_WARN] = "warn",
		[FINDING_FAIL] = "fail",
		[FINDING_SKIPPED] = "skipped",
	};

	return levels[level];
}

static void add(
	struct findings *findings, const char *area, enum finding_level level, const char *text)
{
	struct finding *finding = &findings->item[findings->n++];

	snprintf(finding->area, sizeof(finding->area), "%s", area);
	finding->level = level;
	printable(text, finding->text, sizeof(finding->text));
}

/* One for all that is beyond, as bad as the worst of them: a failure is not hidden by many words. */
static void add_rest(struct findings *findings, enum finding_level level)
{
	const char *text = level == FINDING_FAIL
				   ? "there is more than fits here, and some of it fails: see to "
				     "what is told, and look again"
				   : "there is more than fits here";

	if (findings->n == FINDINGS_MAX && findings->item[FINDINGS_MAX - 1].level >= level)
		return;
	findings->n = FINDINGS_MAX - 1;
	add(findings, "doctor", level == FINDING_FAIL ? level : FINDING_WARN, text);
}

void finding_add(
	struct findings *findings, const char *area, enum finding_level level, const char *fmt, ...)
{
	char text[FINDING_TEXT];
	va_list ap;

	if (findings->n >= FINDINGS_MAX - 1) {
		add_rest(findings, level);
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add(findings, area, level, text);
}

size_t findings_count(const struct findings *findings, enum finding_level level)
{
	size_t n = 0;

	for (size_t i = 0; i < findings->n; i++)
		n += findings->item[i].level == level;
	return n;
}

void finding_print(enum finding_level level, const char *area, const char *text)
{
	/* What is wrong is to be seen among many lines, and what was not looked at is not. */
	static const char *const marks[] = {
		[FINDING_OK] = "ok",
		[FINDING_WARN] = "warn",
		[FINDING_FAIL] = "FAIL",
		[FINDING_SKIPPED] = "-",
	};

	printf("%-4s %-10s %s\n", marks[level], area, text);
}

void findings_print(const struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		finding_print(
			findings->item[i].level, findings->item[i].area, findings->item[i].text);
}
