/* enrollment_batch.h - the second trip of several new devices in one transaction. Not for other folders. */
#pragma once

#include "db/company.h"
#include "db/enrollment.h"

#define BATCH_MAX COMPANY_MAX /* records of one transaction */

/* One that is of the usual shape: a new device, certificates issued now, nobody approved it by hand. */
bool enrollment_is_batchable(const struct enrollment_record *record);

/*
 * All or nothing of 1 to BATCH_MAX batchable records. An error says nothing about which record it is for: each
 * is to be recorded alone then, except after ERR_BUSY, which is everybody's. ERR_CONFLICT "database-late" is not:
 * one of them may have waited for a lock.
 */
CHECKED enum err enrollment_batch_record(
	struct db *db, const struct enrollment_record *const *records, size_t n);
