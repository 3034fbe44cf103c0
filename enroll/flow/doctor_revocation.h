/* doctor_revocation.h - do relying parties hear what was revoked? For doctor.c only. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/finding.h"

/* CRLs, KRL and OCSP responders in the database, and where they are fetched. Says nothing of a database that is away. */
void doctor_revocation(const struct service *service, int64_t now, struct findings *findings);
