/* vendors.h - admins look at the trust set, add to it, and take from it. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/trustlist.h"

/*
 * Appends the JSON of everything that this server trusts now, with the bytes of the certificates when
 * `is_export`. The errors of trusted_read().
 */
CHECKED enum err vendors_list(const struct service *service, bool is_export, struct buf *json);

/*
 * Judges every item anew and adds those that are good and new, all in one transaction; a dry run only says
 * what would be. `answer` is made here, with one outcome for each item. ERR_MALFORMED "why-missing"; the
 * errors of service_clock() and of trusted_import(). A refused item has the code of candidate_judge(), "ca-manufacturers"
 * or "ca-known" (there already, in another role); the others are added all the same.
 */
CHECKED enum err vendors_import(const struct service *service, const struct caller *caller,
	const char *who, const struct import_request *request, struct import_answer *answer);

/*
 * Takes one that was imported out again. ERR_MALFORMED "why-missing", "certificate-digest"; ERR_NOT_FOUND
 * "certificate-unknown", also for one that comes with the configuration.
 */
CHECKED enum err vendors_remove(const struct service *service, const struct caller *caller,
	const char *who, const struct remove_request *request);
