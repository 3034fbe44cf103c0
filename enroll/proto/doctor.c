#include "enroll/proto/doctor.h"

#include "ca/base/printable.h"
#include "enroll/proto/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const levels[] = {"ok", "warn", "fail"};

const char *finding_level_text(enum finding_level level)
{
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

enum err doctor_answer_encode(const struct doctor_answer *answer, struct buf *json)
{
	json_t *object = json_object(), *findings = json_array();

	for (size_t i = 0; i < answer->findings.n; i++) {
		const struct finding *finding = &answer->findings.item[i];
		json_t *one = json_object();

		json_put_string(one, "area", finding->area);
		json_put_string(one, "level", finding_level_text(finding->level));
		json_put_string(one, "text", finding->text);
		json_append(findings, one);
	}
	json_put_string(object, "service", answer->service);
	json_put(object, "findings", findings);
	return json_write(object, json);
}

static enum err read_level(const char *text, enum finding_level *out)
{
	for (size_t i = 0; i < COUNT(levels); i++)
		if (strcmp(text, levels[i]) == 0) {
			*out = (enum finding_level)i;
			return OK;
		}
	return refuse(
		ERR_MALFORMED, "json-type", "PROTOCOL admin", "\"level\" is ok, warn or fail");
}

static enum err read_finding(const json_t *object, struct finding *out)
{
	const char *area, *level, *text;

	TRY(JSON_ONLY(object, "area", "level", "text"));
	TRY(json_string_of(object, "area", sizeof(out->area) - 1, &area));
	TRY(json_string_of(object, "level", 8, &level));
	TRY(json_string_of(object, "text", sizeof(out->text) - 1, &text));
	snprintf(out->area, sizeof(out->area), "%s", area);
	snprintf(out->text, sizeof(out->text), "%s", text);
	return read_level(level, &out->level);
}

enum err doctor_answer_parse(struct view json, struct doctor_answer *out)
{
	AUTO(json_free) json_t *object = NULL;
	json_t *findings = NULL;
	const char *service;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "service", "findings"));
	TRY(json_string_of(object, "service", LIMIT_SERVICE, &service));
	snprintf(out->service, sizeof(out->service), "%s", service);
	TRY(json_member(object, "findings", JSON_ARRAY, &findings));
	out->findings.n = json_array_size(findings);
	if (out->findings.n > FINDINGS_MAX)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d findings", FINDINGS_MAX);
	for (size_t i = 0; i < out->findings.n; i++)
		TRY(read_finding(json_array_get(findings, i), &out->findings.item[i]));
	return OK;
}
