/* enrollment.h - what the state directory remembers of the last enrollment: `key=value` lines. */
#pragma once

#include "ca/base/crypt.h"
#include "enroll/proto/limits.h"

#define ENROLLMENT_MAX (8 * 1024)
#define ENROLLMENT_URL 1023

/* Every member is a text without control characters; the two after ak_kind may be missing. */
struct enrollment {
	char server[ENROLLMENT_URL + 1];
	char service[LIMIT_SERVICE + 1];
	char host[LIMIT_HOST + 1];
	char device_id[LIMIT_DEVICE_ID + 1];
	char ek_template[16]; /* "L-1" */
	char ek_sha256[2 * SHA256_SIZE + 1]; /* of its SubjectPublicKeyInfo */
	char ak_kind[16]; /* "p256" */
	char ak_hierarchy[16]; /* device_ak_place() */
	char ak_handle[16]; /* "0x81010002", where it is persistent */
	char enrolled_at[32]; /* RFC 3339 */
};

/*
 * Reads the text that enrollment_encode() writes: each key once, none missing but those that may
 * be, none unknown, values that are not empty and fit. ERR_INTERNAL "enrollment-file". `*out` is
 * untouched on failure.
 */
CHECKED enum err enrollment_parse(struct view text, struct enrollment *out);

/* ERR_INTERNAL "enrollment-file" when a value is empty or has control characters. */
CHECKED enum err enrollment_encode(const struct enrollment *enrollment, struct buf *text);
