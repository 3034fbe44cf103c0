/* service.h - what a running service consists of, as one snapshot of its configuration. */
#pragma once

#include "ca/admin_ca.h"
#include "ca/signer/client.h"
#include "db/pool.h"
#include "enroll/flow/ticket.h"
#include "enroll/proto/admin.h"
#include "enroll/proto/limits.h"
#include "enroll/trust/trust.h"
#include "policy/policy.h"

struct tally;
struct traffic;
struct ocsp;
struct findings;
struct judged;

/* How the service takes its configuration anew; enroll/daemon fills it in. */
struct reloader {
	/* `by` is for the log. ERR_REJECTED "configuration-wrong", with the problems in `out`. */
	enum err (*run)(void *ctx, const char *by, struct reload_answer *out);
	void *ctx;
};

/* What operators imported, as it was read from the database last. */
struct imported_state {
	int64_t revision;
	size_t certificates; /* and CRLs: how many of them are in the trust set */
	int64_t since; /* when this server took them; 0: it has read nothing yet */
};

/*
 * Made by enroll/daemon from one reading of the configuration; nothing of it changes while anybody
 * holds it (current.h). A reload makes another one.
 */
struct service {
	/* The same as long as the process lives, and borrowed. */
	const char *name; /* part of every AK and every ticket: "https://endorse.example.org" */
	const struct ticket_keys *tickets;
	struct db *db;
	const struct reloader *reloader;
	struct tally *tally; /* what was answered, see tally.h */
	struct traffic *traffic; /* and how often and how fast, see traffic.h */
	struct ocsp *ocsp; /* what is kept for it, see ocsp.h */
	const char *path; /* of the configuration */
	/* Adds what only the program around the service knows, such as its files; may be NULL. */
	void (*examine)(const char *path, struct findings *findings);
	/* The snapshot's own, but for what it borrows of `parent`. */
	struct trust *trust;
	struct judged *
		judged; /* by this trust set and policy, see judged.h; NULL: nothing is remembered */
	struct policy *policy;
	struct signer *signer;
	struct admin_ca *admin_ca; /* NULL: no operator has a certificate */
	unsigned live_aks_max; /* per device */
	/* Where relying parties fetch certificates, without a slash at its end; malloc'd. NULL: at
	 * the service's name. */
	char *public_url;
	unsigned renewal_proof_days; /* so long a proof by the EK is good for renewals */
	unsigned crl_bytes; /* that no CRL is larger than */
	unsigned crl_lifetime; /* seconds until its next update */
	unsigned drain; /* seconds that a stop waits for what is in flight */
	int64_t certificates_kept; /* seconds after their end; 0: for ever */
	uint8_t edge_secret[SECRET_SIZE], admin_token[SECRET_SIZE];
	uint8_t admin_edge_secret[SECRET_SIZE]; /* where has_admin_edge */
	bool has_admin_edge;
	/* Of the trust set: what operators imported, which is not of the configuration. */
	struct imported_state imported;
	/* The snapshot that a reading of the configuration made, which this one differs from in the
	 * trust set alone; held, and the owner of policy, signer and admin CA. NULL: it is that snapshot. */
	struct service *parent;
	unsigned holders; /* counted by current.h, atomically; the last member */
};
void service_free(struct service **service); /* one that calloc() made, and what is its own */
void service_release(struct service **held); /* the last holder frees it; for current.h */

/* Who asks, and when. */
struct caller {
	const char *request_id;
	const char *client_address;
	int64_t now;
	const char
		*who; /* of the admin listener, see struct admitted; NULL: a device, or anybody */
};

#define VERSION_SHOWN 12 /* hexadecimal digits, in logs */

/* What a request came to, for the log; texts are "" while not known. */
struct outcome {
	/* "issued", "returned", "repeated", "checked"; with ERR_PENDING "held", or "" when nothing was
	 * recorded */
	const char *what;
	bool is_proven; /* the device proved that EK and AK are in one TPM */
	/* It was refused, and nobody vouches for its EK: told with strangers, for the audit has no
	 * room for all the EKs that software can make. */
	bool is_nobodys;
	bool is_untagged; /* the AK has no tag, and a rule takes that */
	bool is_unrecorded; /* it was refused, and the audit could not be written */
	char host[LIMIT_HOST + 1];
	char device_id[LIMIT_DEVICE_ID + 1];
	char rule[RULE_NAME_MAX + 1];
	char templates[LIMIT_KEYS * (LIMIT_TEMPLATE_NAME + 1)]; /* "ak,tls-server" */
	/* The beginnings of the versions that judged it. */
	char trust[VERSION_SHOWN + 1], policy[VERSION_SHOWN + 1];
	bool is_moved; /* the ticket was made by other versions */
	char remark[512]; /* what was let pass of the EK */
	char attempt[33]; /* with ERR_PENDING: which one is held */
	unsigned retry_after; /* seconds; 0: the service's usual ones */
};

/* Notes by which trust set and policy a request is judged. */
void outcome_rules(struct outcome *outcome, const struct service *service);

/* Database reachable with our schema and our time, CA key usable: ERR_BUSY with what is wrong
 * otherwise. */
CHECKED enum err service_ready(const struct service *service);

/*
 * May anything be judged by the time of this request? ERR_BUSY "clock-differs"; see
 * db_clock_judge().
 */
CHECKED enum err service_clock(const struct service *service, const struct caller *caller);
