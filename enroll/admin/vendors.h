/* vendors.h - the words that the commands about the trust set share. */
#pragma once

#include "enroll/admin/client.h"
#include "enroll/proto/trustlist.h"

#define SHA256_PREFIX_MIN 8 /* digits by which one certificate is named */

/* Asks for what the service trusts, with the bytes when `is_export`; `list` is overwritten. */
CHECKED enum err vendors_fetch(const struct admin_server *server, bool is_export,
	struct trust_list *list, struct problem *problem);

/*
 * The one whose SHA-256 begins with these digits, with or without colons. ERR_NOT_FOUND "certificate-unknown",
 * ERR_MALFORMED "certificate-digest" when they are too few, or several begin so.
 */
CHECKED enum err vendors_pick(
	const struct trust_list *list, const char *digits, const struct trust_list_item **out);
