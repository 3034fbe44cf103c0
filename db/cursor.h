/* cursor.h - where a page of a list ended. Not for other folders. */
#pragma once

#include "db/query.h"

#define CURSOR_KEY 20 /* bytes of a key: a uuid or a serial number */
#define CURSOR_NAME 254

/* The order that a cursor is good for; the first character of its text. */
enum cursor_order {
	CURSOR_TIME = 't', /* "tMICROSECONDS-KEY": from the newest on */
	CURSOR_HOST = 'h', /* "hNAME" */
	CURSOR_TAIL = 'r', /* "rNAME": by the reversed name */
	CURSOR_HOST_TIME = 'c', /* "cMICROSECONDS-KEY-NAME" */
	CURSOR_ID = 'i', /* "iNUMBER": from the newest on */
};

struct cursor {
	int64_t number; /* microseconds, or an id */
	uint8_t key[CURSOR_KEY];
	size_t key_n;
	char name[CURSOR_NAME];
};

/* `text` NULL leaves `out`, which is the order's beginning, as it is. ERR_MALFORMED "query-value": no cursor
 * of this order. */
CHECKED enum err cursor_read(const char *text, enum cursor_order order, struct cursor *out);

/* For the index over reversed names. */
void cursor_reverse(struct cursor *cursor);
