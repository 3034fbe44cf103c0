#include "enroll/admin/allow_print.h"

#include "ca/base/clock.h"
#include "ca/base/printable.h"
#include "enroll/admin/paragraph.h"

const char *allow_fate_sentence(enum allow_fate fate)
{
	switch (fate) {
	case ALLOW_EK_TAKEN:
		return "this EK is on the list with another name, serial or labels (endorsectl ek "
		       "allow list); remove it first (endorsectl ek allow remove)";
	case ALLOW_HOST_TAKEN:
		return "the host is registered for another EK (endorsectl ek allow list --host); "
		       "remove that one first (endorsectl ek allow remove)";
	case ALLOW_HOST_BOUND:
		return "the host is bound to a device that has another EK; if that machine is "
		       "gone: endorsectl host unbind";
	case ALLOW_EK_BOUND:
		return "the EK's device has another name; if it is to be given up: "
		       "endorsectl host unbind";
	case ALLOW_ADDED:
	case ALLOW_SAME:
		break;
	}
	return NULL;
}

static void add_text(struct buf *out, const char *label, const char *text)
{
	char shown[PARAGRAPH_WIDTH * 6];

	printable(text, shown, sizeof(shown));
	if (shown[0] != '\0')
		buf_fmt(out, "%s%s", label, shown);
}

static void add_item(struct buf *out, const struct allow_item *item)
{
	AUTO(buf_free) struct buf pairs = BUF(LIMIT_LABELS), line = BUF(8192);
	char when[CLOCK_TEXT_SIZE];

	clock_text(item->added_at, when);
	buf_fmt(out, "%s  %-9s", item->ek_digest, item->is_enrolled ? "enrolled" : "awaited");
	add_text(out, "  ", item->host[0] == '\0' ? "(any name)" : item->host);
	add_text(out, "  serial ", item->serial);
	if (labels_to_pairs(item->labels, &pairs) == OK)
		add_text(out, "  ", buf_text(&pairs));
	buf_fmt(&line, "since %s by ", when);
	add_text(&line, "", item->added_by);
	add_text(&line, " from ", item->source);
	add_text(&line, ": ", item->why);
	buf_str(out, "\n");
	paragraph_add(out, "    ", buf_text(&line));
}

enum err allow_item_print(const struct allow_item *item, enum print_form form)
{
	AUTO(buf_free) struct buf out = BUF(1 << 16);

	if (form == PRINT_JSON) {
		TRY(allow_item_encode(item, &out));
		buf_str(&out, "\n");
	} else {
		add_item(&out, item);
	}
	return paragraph_put(&out);
}
