#include "enroll/agent/kept.h"

#include <stdio.h>
#include <string.h>

#define VERSION "endorse-certificates 1"

static enum err bad(const char *what)
{
	return fail(ERR_INTERNAL, "certificates-file", "%s", what);
}

/*
 * Up to `end`, or to the end of the text where that is 0; false when it does not fit or has a
 * control character.
 */
static bool next_field(struct view *rest, char end, char *out, size_t room)
{
	const uint8_t *at = memchr(rest->p, end, rest->n);
	size_t n = end == '\0' || at == NULL ? rest->n : (size_t)(at - rest->p);

	if ((end != '\0' && at == NULL) || n >= room)
		return false;
	for (size_t i = 0; i < n; i++)
		if (rest->p[i] < 0x20 || rest->p[i] == 0x7f)
			return false;
	memcpy(out, rest->p, n);
	out[n] = '\0';
	n += end == '\0' ? 0 : 1;
	*rest = (struct view){rest->p + n, rest->n - n};
	return true;
}

static enum err read_line(struct view line, struct wanted *out)
{
	char key[WANT_PATH + 1], hook[8];
	struct want want = {.key = WANT_AK};

	if (!next_field(&line, '\t', want.template, sizeof(want.template)) ||
		!next_field(&line, '\t', key, sizeof(key)) ||
		!next_field(&line, '\t', hook, sizeof(hook)) ||
		!next_field(&line, '\0', want.command, sizeof(want.command)))
		return bad("a line without four fields that can be used");
	if (!want_is_name(want.template) || !want_key_read(&want, key))
		return bad("a template or a key that nobody could ask for");
	if (wanted_find(out, want.template) != NULL || out->n == COUNT(out->items))
		return bad("a template twice, or too many of them");
	want.is_hook_due = strcmp(hook, "due") == 0;
	if (strcmp(hook, want.command[0] == '\0' ? "-" : want.is_hook_due ? "due" : "done") != 0)
		return bad("a command that neither ran nor is due");
	out->items[out->n++] = want;
	return OK;
}

static bool is_complete(const struct wanted *wanted)
{
	return wanted->n > 0 && wanted->items[wanted_ak(wanted)].key == WANT_AK;
}

enum err kept_parse(struct view text, struct wanted *out)
{
	const struct view version = view_str(VERSION "\n");
	struct wanted read = {.n = 0};

	if (text.n < version.n || !view_equal((struct view){text.p, version.n}, version))
		return bad("the first line is not \"" VERSION "\"");
	text = (struct view){text.p + version.n, text.n - version.n};
	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t n;

		if (end == NULL)
			return bad("the last line is not whole");
		n = (size_t)(end - text.p);
		TRY(read_line((struct view){text.p, n}, &read));
		text = (struct view){text.p + n + 1, text.n - n - 1};
	}
	if (!is_complete(&read))
		return bad("no certificate for the AK");
	*out = read;
	return OK;
}

enum err kept_encode(const struct wanted *wanted, struct buf *text)
{
	char key[WANT_PATH + 1];

	buf_str(text, VERSION "\n");
	for (size_t i = 0; i < wanted->n; i++) {
		const struct want *want = &wanted->items[i];

		want_key_text(want, key, sizeof(key));
		buf_fmt(text, "%s\t%s\t%s\t%s\n", want->template, key,
			want->command[0] == '\0' ? "-"
			: want->is_hook_due	 ? "due"
						 : "done",
			want->command);
	}
	return buf_ok(text);
}
