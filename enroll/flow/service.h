/* service.h - what a running service consists of; filled by enroll/daemon, read by the flow. */
#pragma once

#include "ca/signer/client.h"
#include "db/pool.h"
#include "enroll/flow/ticket.h"
#include "enroll/tpm/trust.h"
#include "policy/policy.h"

/* Nothing of it changes while requests run. Borrowed. */
struct service {
	const char *name; /* part of every AK and every ticket: "https://endorse.example.org" */
	const struct trust *trust;
	const struct policy *policy;
	const struct ticket_keys *tickets;
	struct signer *signer;
	struct db *db;
	unsigned live_aks_max; /* per device */
};

/* Who asks, and when. */
struct caller {
	const char *request_id;
	const char *client_address;
	int64_t now;
};

/* What a request came to, for the log; texts are "" while not known. */
struct outcome {
	const char *what; /* "issued", "returned", "repeated" */
	bool is_proven; /* the device proved that EK and AK are in one TPM */
	bool is_unrecorded; /* it was refused, and the audit could not be written */
	char host[254];
	char device_id[33];
	char rule[65];
};

/* Database reachable with our schema and our time, CA key usable: ERR_BUSY with what is wrong
 * otherwise. */
CHECKED enum err service_ready(const struct service *service);

/* May anything be judged by the time of this request? ERR_BUSY "clock-differs"; see db_clock_judge(). */
CHECKED enum err service_clock(const struct service *service, const struct caller *caller);
