/* behind.h - how far CRLs and KRL are behind what was revoked. */
#pragma once

#include "db/revoke.h"

struct behind {
	int64_t crls, crls_behind; /* behind: what they tell of has changed */
	int64_t crls_oldest; /* of those behind: when the oldest was made; 0: none, or never */
	int64_t crls_until; /* the latest nextUpdate of all; 0: there is none */
	bool krl_behind;
	int64_t krl_at; /* when it was made; 0: never */
};
/* Of the CRLs that tell, or would, of the certificates of one device or name, or of one certificate;
 * with an empty key of all. An EK is no key here. Errors of db_run(). */
CHECKED enum err behind_read(
	struct db *db, const struct device_key *key, int64_t now, struct behind *out);
