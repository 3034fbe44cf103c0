/* device.h - a service without a database, and what a device claims before it. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/claim.h"
#include "tests/unit/trust/pki.h"

#include <tss2/tss2_tpm2_types.h>

#define HOST "web-01.example.org"

/* A good claim; a test changes what it likes before claim_bytes(). */
struct device {
	struct world world;
	TPMT_PUBLIC ak;
	struct buf certificate, ak_public, sent;
	struct claim claim;
};
void device_make(struct device *out);
void device_free(struct device *device); /* for AUTO */
/* Takes the world's leaf and the AK's area as they are now. */
void device_refresh(struct device *device);
void claim_bytes(const struct device *device, struct buf *out);

/* A service that believes a world, and what it owns. */
struct believer {
	struct trust *trust;
	struct policy *policy;
	struct ticket_keys *tickets;
	struct service service;
};
void believer_make(const struct world *world, const char *name, struct believer *out);
/* Another policy, from its text. */
void believer_policy(struct believer *believer, const char *text);
void believer_free(struct believer *believer); /* for AUTO */
