/* listing.h - rows of the records on their way into an answer. */
#pragma once

#include "db/found.h"
#include "enroll/proto/record.h"

/* A record for each row, with what is not NULL of it, and `next`. `out` is overwritten, and for
 * record_list_free() also after a failure. */
CHECKED enum err listing_make(const struct found *found, struct record_list *out);
/* One row; `but` is a column that is left out, NULL: none. */
CHECKED enum err listing_record(
	const struct found *found, size_t row, const char *but, struct record **out);
/* The text of a column; NULL: none. */
const char *listing_text(const struct found *found, size_t row, const char *column);
