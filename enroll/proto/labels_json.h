/* labels_json.h - labels as a member of a message, for the files of this folder only. */
#pragma once

#include "enroll/proto/json.h"

/* Appends the text of an object of texts, as labels.h has it. ERR_MALFORMED "labels". */
CHECKED enum err labels_read(const json_t *labels, struct buf *json);
/* The object of such a text; NULL, which json_write() refuses, when it is none. */
json_t *labels_object(const char *json);
