/* published.h - certificates that anybody may fetch who knows their digest. */
#pragma once

#include "ca/base/buf.h"
#include "db/pool.h"

/*
 * Appends the X.509 certificate whose DER has this SHA-256, revoked or not: who asks holds its
 * digest already. ERR_NOT_FOUND "certificate-unknown"; errors of db_run().
 */
CHECKED enum err certificate_published(
	struct db *db, const uint8_t sha256[static 32], struct buf *der);
