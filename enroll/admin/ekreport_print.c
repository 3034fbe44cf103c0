#include "enroll/admin/ekreport_print.h"

#include "ca/base/clock.h"
#include "ca/base/printable.h"
#include "enroll/admin/paragraph.h"
#include "enroll/tpm/manufacturer.h"

#include <stdio.h>
#include <string.h>

#define NOT_KNOWN "-"

static const char *const outcome_words[] = {
	[EK_ACCEPTED] = "ACCEPTED", [EK_REFUSED] = "REFUSED", [EK_UNJUDGED] = "NOT JUDGED"};

/* "2019-05-01 to 2034-05-01", with what that means at the moment of the judgement. */
static void add_dates(
	struct buf *out, int64_t not_before, int64_t not_after, int64_t now, bool is_field)
{
	char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE], text[128];

	if (not_before == 0 && not_after == 0)
		return;
	clock_text(not_before, from);
	clock_text(not_after, until);
	snprintf(text, sizeof(text), "%.10s to %.10s%s", from, until,
		now > not_after		  ? " (EXPIRED)"
		: now < not_before	  ? " (NOT YET VALID)"
		: not_after == CLOCK_LAST ? " (no end)"
					  : "");
	if (is_field)
		paragraph_field(out, "valid", text);
	else
		buf_str(out, text);
}

/* "Infineon Technologies (IFX, id:49465800)" */
static void add_manufacturer(struct buf *out, const struct ek_report *report)
{
	AUTO(buf_free) struct buf text = BUF(4 * REPORT_TEXT);
	char letters[MANUFACTURER_SIZE];

	if (report->manufacturer[0] == '\0')
		return;
	manufacturer_text(report->manufacturer, letters);
	if (report->manufacturer_name[0] != '\0')
		buf_fmt(&text, "%s (%s, %s)", report->manufacturer_name, letters,
			report->manufacturer);
	else if (strcmp(letters, report->manufacturer) != 0)
		buf_fmt(&text, "%s (%s)", letters, report->manufacturer);
	else
		buf_fmt(&text, "%s (not a registered one)", letters);
	paragraph_field(out, "manufacturer", buf_text(&text));
}

static void add_surroundings(struct buf *out, const struct ek_report *report)
{
	char text[160];

	if (report->before == 0 && report->behind == 0)
		return;
	snprintf(text, sizeof(text), "%lld bytes of certificate%s, %lld bytes of padding behind it",
		(long long)report->bytes,
		report->before > 0 ? " after the header that TPM 1.2 storage has" : "",
		(long long)report->behind);
	paragraph_field(out, "in NV", text);
}

static void add_certificate(struct buf *out, const struct ek_report *report)
{
	char key[REPORT_TEXT + 32];

	snprintf(key, sizeof(key), "%s%s%s", report->key,
		report->template[0] != '\0' ? ", template " : "", report->template);
	paragraph_field(out, "what", report->kind);
	add_manufacturer(out, report);
	paragraph_field(out, "model", report->model);
	paragraph_field(out, "version", report->version);
	paragraph_field(out, "key", key);
	paragraph_field(out, "serial", report->serial);
	add_dates(out, report->not_before, report->not_after, report->judged_at, true);
	paragraph_field(out, "subject", report->subject);
	paragraph_field(out, "issuer", report->issuer);
	paragraph_field(out, "EK digest", report->ek_digest);
	paragraph_field(out, "SHA-256", report->sha256);
	add_surroundings(out, report);
}

static void add_step(struct buf *out, const struct ek_report *report, size_t i)
{
	const struct ek_report_step *step = &report->step[i];
	char lead[32];

	snprintf(lead, sizeof(lead), "  %zu  ", i + 1);
	paragraph_add(out, lead, step->subject);
	if (strcmp(step->from, "sent") == 0)
		buf_str(out, "     sent with the EK certificate");
	else
		buf_fmt(out, "     %s of \"%s\"",
			strcmp(step->from, "anchor") == 0 ? "trusted root" : "intermediate",
			step->source);
	buf_str(out, ", ");
	add_dates(out, step->not_before, step->not_after, report->judged_at, false);
	buf_fmt(out, "\n     SHA-256 %s\n", step->sha256);
}

static void add_path(struct buf *out, const struct ek_report *report)
{
	if (report->steps > 0)
		buf_str(out, "path, from the EK's issuer up\n");
	for (size_t i = 0; i < report->steps; i++)
		add_step(out, report, i);
}

static void add_missing(struct buf *out, const struct ek_report *report)
{
	if (report->missing[0] == '\0')
		return;
	buf_str(out, "whose certificate is missing\n");
	paragraph_field(out, "name", report->missing);
	paragraph_field(out, "key identifier", report->missing_key_id);
	paragraph_field(out, "offered at", report->missing_url);
	if (report->missing_url[0] != '\0')
		paragraph_add(out, "  ",
			"(that address is the certificate's own word: nothing is fetched, and what "
			"lies "
			"there is to be believed only if the manufacturer says so)");
}

static void add_verdict(struct buf *out, const struct ek_report *report)
{
	buf_str(out, outcome_words[report->outcome]);
	if (report->outcome == EK_ACCEPTED) {
		buf_fmt(out, "  %s, by \"%s\"\n", report->class, report->source);
		return;
	}
	buf_fmt(out, "  %s\n", report->code);
	paragraph_add(out, "  ", report->sentence);
	if (report->clause[0] != '\0')
		buf_fmt(out, "  (%s)\n", report->clause);
	if (report->advice[0] != '\0')
		paragraph_add(out, "  -> ", report->advice);
}

/* What else is in a report was made printable; a file found in a directory has the name that somebody gave it. */
static void add_file(struct buf *out, const struct ek_report *report)
{
	char shown[REPORT_TEXT];

	printable(report->file, shown, sizeof(shown));
	buf_str(out, shown);
}

static void add_report(struct buf *out, const struct ek_report *report)
{
	add_file(out, report);
	buf_str(out, "\n");
	add_certificate(out, report);
	add_path(out, report);
	add_missing(out, report);
	if (report->remark[0] != '\0') {
		buf_str(out, "remarks\n");
		paragraph_add(out, "  ! ", report->remark);
	}
	add_verdict(out, report);
}

enum err ek_report_print(const struct ek_report *report, enum print_form form)
{
	AUTO(buf_free) struct buf out = BUF(1 << 16);

	if (form == PRINT_JSON) {
		TRY(ek_report_encode(report, &out));
		buf_str(&out, "\n");
	} else {
		add_report(&out, report);
	}
	return paragraph_put(&out);
}

enum err ek_report_print_line(const struct ek_report *report)
{
	AUTO(buf_free) struct buf out = BUF(1 << 13);
	char letters[MANUFACTURER_SIZE];

	manufacturer_text(report->manufacturer, letters);
	buf_fmt(&out, "%-10s %-22s %-5s %-7s ", outcome_words[report->outcome],
		report->outcome == EK_ACCEPTED ? report->class : report->code,
		letters[0] == '\0' ? NOT_KNOWN : letters,
		report->key[0] == '\0' || strchr(report->key, ' ') != NULL ? NOT_KNOWN
									   : report->key);
	add_file(&out, report);
	if (report->outcome == EK_ACCEPTED)
		buf_fmt(&out, "  by \"%s\"%s%s", report->source,
			report->remark[0] == '\0' ? "" : "; ", report->remark);
	buf_str(&out, "\n");
	return paragraph_put(&out);
}
