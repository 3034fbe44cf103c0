/* csv.h - records of comma-separated values (RFC 4180), one after another, with the lines they are on. */
#pragma once

#include "ca/base/buf.h"

#define CSV_FIELDS 64 /* of a record */
#define CSV_RECORD (64 * 1024) /* bytes of a record */

/* A text that is being read; borrowed. Made by csv_begin(). */
struct csv {
	struct view rest;
	size_t line; /* of what comes next, from 1 */
};

struct csv_record {
	size_t line; /* where it begins */
	size_t n;
	const char *field[CSV_FIELDS]; /* without their quotes */
	struct buf text; /* what they point into */
};

/* Passes over a byte order mark. */
void csv_begin(struct view text, struct csv *csv);
/*
 * Reads the next record into `out`, which is overwritten and for csv_record_free() also after a failure;
 * lines with nothing on them are passed over, and lines end with LF or CRLF. False at the end.
 * ERR_MALFORMED "csv" in `*err`, naming no line: a quote where none may be, one that is never closed, a NUL,
 * more fields or bytes than there may be. What follows is read from the next line on.
 */
bool csv_next(struct csv *csv, struct csv_record *out, enum err *err);
void csv_record_free(struct csv_record *record); /* for AUTO; accepts zeroes */
