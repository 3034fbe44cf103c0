/* words.h - what admins type, on its way into a request. */
#pragma once

#include "enroll/proto/admin.h"

/* Takes --why; false, and told why, when it is too long. */
bool why_option(const char *value, char out[static LIMIT_WHY + 1]);
/* False, and told why, when it is neither "any" nor a list of ids. */
bool manufacturer_option(const char *value);
/* Appends "name=value" to a URL's query, percent-encoded, after '?' or '&'; nothing for NULL. */
void query_add(struct buf *path, const char *name, const char *value);
