/* labels.h - what an operator notes beside an EK: a few names with texts. */
#pragma once

#include "ca/base/buf.h"

#define LABELS_MAX 32
#define LIMIT_LABEL_NAME 64
#define LIMIT_LABEL_TEXT 256
#define LIMIT_LABELS 4096 /* bytes of all of them as one JSON object */

/*
 * "rack=7;site=fra" as one JSON object of texts, appended; "" is {}. A name has letters, digits and ". _ -", a
 * text anything but ";". ERR_MALFORMED "labels": not of that form, a name twice, too many, too long.
 */
CHECKED enum err labels_from_pairs(const char *pairs, struct buf *json);
/* The reverse, appended. ERR_MALFORMED "labels" for what is no object of texts. */
CHECKED enum err labels_to_pairs(const char *json, struct buf *pairs);
