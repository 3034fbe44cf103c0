/* allowlist.h - an admin says which EKs are believed, or awaited under a name. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/allow.h"

/*
 * Adds what is asked for, in one transaction; `out` is overwritten, and for allow_answer_free() also
 * after a failure. ERR_MALFORMED "ek-digest" (none, or not that of the public area), "host-name",
 * "why-missing", "tpm-public"; ERR_REJECTED "ek-template" and others of identity_judge(); those of
 * service_clock() and allowed_add().
 */
CHECKED enum err allowlist_add(const struct service *service, const struct caller *caller,
	const char *who, const struct allow_request *request, struct allow_answer *out);

/* ERR_NOT_FOUND "ek-unknown"; ERR_MALFORMED "why-missing". */
CHECKED enum err allowlist_remove(const struct service *service, const struct caller *caller,
	const char *who, const struct disallow_request *request);

/* Texts as an admin sent them; NULL: not sent. */
struct allowlist_wish {
	const char *after; /* a digest */
	const char *limit; /* "1" to ALLOW_PAGE, which it is unless sent */
	const char *host; /* * stands for anything */
	const char *serial;
};

/* `out` as above. ERR_MALFORMED "query-value", "ek-digest"; ERR_BUSY as allowed_read(). */
CHECKED enum err allowlist_read(
	const struct service *service, const struct allowlist_wish *wish, struct allow_list *out);
