#include "enroll/agent/diagnosis.h"

#include "ca/base/printable.h"
#include "enroll/agent/jsontext.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT 1024
#define JSON_MAX (256 * 1024)

void diagnosis_begin(struct diagnosis *diagnosis, bool as_json)
{
	*diagnosis = (struct diagnosis){.as_json = as_json, .json = BUF(JSON_MAX)};
}

void diagnosis_free(struct diagnosis *diagnosis)
{
	buf_free(&diagnosis->json);
}

static void add_json(
	struct diagnosis *diagnosis, enum finding_level level, const char *area, const char *text)
{
	buf_str(&diagnosis->json, diagnosis->json.n == 0 ? "[" : ",");
	jsontext_begin(&diagnosis->json);
	jsontext_string(&diagnosis->json, "area", area);
	jsontext_string(&diagnosis->json, "level", finding_level_text(level));
	jsontext_string(&diagnosis->json, "text", text);
	jsontext_end(&diagnosis->json);
}

void diagnosis_add(struct diagnosis *diagnosis, enum finding_level level, const char *area,
	const char *fmt, ...)
{
	char said[TEXT], shown[TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	printable(said, shown, sizeof(shown));
	diagnosis->count[level]++;
	if (diagnosis->as_json) {
		add_json(diagnosis, level, area, shown);
		return;
	}
	finding_print(level, area, shown);
	/* The next look may take long. */
	fflush(stdout);
}

enum err diagnosis_end(struct diagnosis *diagnosis)
{
	const unsigned *n = diagnosis->count;

	if (diagnosis->as_json) {
		buf_str(&diagnosis->json, diagnosis->json.n == 0 ? "[]\n" : "]\n");
		TRY(buf_ok(&diagnosis->json));
		fputs(buf_text(&diagnosis->json), stdout);
		return OK;
	}
	printf("\n%s: %u ok, %u to know, %u wrong, %u not looked at\n",
		n[FINDING_FAIL] > 0	 ? "Something is wrong"
		: n[FINDING_SKIPPED] > 0 ? "Nothing wrong was seen"
					 : "Nothing is wrong",
		n[FINDING_OK], n[FINDING_WARN], n[FINDING_FAIL], n[FINDING_SKIPPED]);
	return OK;
}
