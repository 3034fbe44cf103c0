/* published_crl.h - CRLs for relying parties. */
#pragma once

#include "db/crl.h"
#include "enroll/flow/service.h"
#include "enroll/proto/crls.h"

/*
 * Makes the CRL of a shard and publishes it; false in `is_ours` when another server was faster, or the
 * shard is over and was taken out of the records. Errors of db_run() and signer_crl().
 */
CHECKED enum err crl_make(
	const struct service *service, const struct crl_key *key, int64_t now, bool *is_ours);

/*
 * GET /crl/NAME, "SHORTID-N.crl": what was published last, or, of a shard that has just begun, its
 * first one, made now. Free `out->der`. ERR_NOT_FOUND "crl-unknown"; ERR_BUSY as crl_make(),
 * and "clock-differs" for a first one when our clock is not the database's.
 */
CHECKED enum err published_crl(
	const struct service *service, const char *name, int64_t now, struct crl_published *out);

/*
 * GET /v1/admin/crls: a page of them, behind `after`, which is "HEX-N" of an earlier answer; NULL: from
 * the first. `out` is overwritten. ERR_MALFORMED "query-value".
 */
CHECKED enum err published_crls(
	const struct service *service, const char *after, struct crls_answer *out);

/*
 * GET /v1/admin/crl: by the whole of the CA's id, 64 hexadecimal digits, and the number of the shard.
 * As published_crl(); also ERR_MALFORMED "query-value" for what is neither, or lacks.
 */
CHECKED enum err published_crl_of(const struct service *service, const char *issuer,
	const char *shard, int64_t now, struct crl_published *out);
