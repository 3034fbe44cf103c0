/* enrollment.h - the two trips to the database that an enrollment makes. */
#pragma once

#include "db/enrollment_facts.h"

/*
 * One certificate of an answer: recorded earlier, or issued now and to be recorded. Everything is
 * borrowed.
 */
struct handed_certificate {
	const struct stored_certificate *stored; /* NULL: it is new, and what follows says it */
	struct view serial;
	struct view der; /* or the blob of an OpenSSH certificate */
	const char *template;
	unsigned template_version;
	const char *kind; /* "x509", "ssh-host", "ssh-user" */
	const char *key_kind; /* "ak", "certified", "any" */
	const uint8_t *key_sha256; /* DIGEST_SIZE: of the SubjectPublicKeyInfo */
	const uint8_t *grant_digest; /* DIGEST_SIZE */
	int64_t not_before, not_after;
	const uint8_t *issuer; /* DIGEST_SIZE: the CA's id; NULL: not known */
	int64_t shard; /* of x509: in whose CRL it will be when revoked; otherwise NO_SHARD */
};

/* What the second trip writes. Everything is borrowed. The EK is added to the device where it is
 * not there yet. */
struct enrollment_record {
	const uint8_t *device_id; /* DEVICE_ID_SIZE; a fresh random one when the device is new */
	bool device_new; /* then host and AK are new too */
	int64_t revision; /* as the first trip saw it, for a known device */
	const char *manufacturer, *model, *version; /* of the TPM; NULL or "": nobody proved it */
	const char *trust_class, *trust_source;
	const char *trust_version, *policy_version; /* hexadecimal */
	const uint8_t *ek_digest;
	/*
	 * What a renewal will judge anew. With `is_renewal` the EK was not proven now, and stays as
	 * it is recorded.
	 */
	bool is_renewal;
	const char *ek_kind; /* "rsa2048" */
	struct view ek_public; /* TPM2B_PUBLIC */
	struct view ek_certificate; /* DER; empty: it has none */
	const struct view *ek_chain; /* DER, as the device sent it */
	size_t ek_chain_n;
	const char *host;
	bool host_new, host_alias;
	/*
	 * As the first trip saw them, DIGEST_SIZE, for a new device; NULL: the decision did not
	 * look.
	 */
	const uint8_t *allowed_labels;
	bool host_learned; /* the claim named none: the EK must still be registered for this one */
	struct view ak_name;
	struct view ak_public; /* TPM2B_PUBLIC */
	const char *ak_kind;
	bool ak_new;
	unsigned live_aks_max; /* with a new AK the oldest beyond this many are superseded */
	bool ak_alone; /* all others are superseded, by an AK that is known too */
	const uint8_t *ticket_digest;
	const uint8_t *request_digest; /* SHA-256(SHA-256(claim) | SHA-256(request)) */
	/* In the order of the answer, 1 to ENROLLMENT_CERTIFICATES, no two the same. */
	const struct handed_certificate *certificates;
	size_t certificates_n;
	const char *event; /* "enroll.issued" */
	const char *request_id;
	const char *client_address;
	int64_t now;
};

/*
 * The second trip: device, EK, name, AK, ticket, certificates and one audit row, all or nothing, in
 * one pipeline with one Sync. Under load several share a transaction (company.h); one that fails takes
 * nobody with it, nor does one that waits too long for a lock; a lost connection is everybody's. Returns
 * OK only after the commit. A new device gets the labels that its EK has in the allow-list; attempts of
 * this EK that are held go, accepted and rejected ones stay. ERR_CONFLICT "database-moved": somebody
 * changed something that the first trip saw (a device of ours, or the name, EK, AK or ticket was taken;
 * the EK of class allow-list is not allowed any more, the attempt of class approved is not accepted for
 * this EK and name any more; the EK is registered for another name or the name for another EK; the
 * ticket was held): look again. ERR_BUSY "database-unreachable" also when the connection was lost and
 * nobody knows whether the commit happened: the device repeats.
 */
CHECKED enum err enrollment_record(struct db *db, const struct enrollment_record *record);

/*
 * A refusal of a device that proved itself: an audit row, and the last refusal of the device where
 * it is known. Once for each ticket: sent again, it adds nothing. Never fails the request: an error
 * is for the log.
 */
struct refusal_record {
	const uint8_t *ticket_digest; /* DIGEST_SIZE */
	const uint8_t *device_id; /* DEVICE_ID_SIZE; NULL: whose the EK is, where that is known */
	const uint8_t *ek_digest; /* DIGEST_SIZE; NULL: not known */
	const char *host; /* NULL: not known */
	const char *event; /* "enroll.refused", "renew.refused" */
	const char *code, *sentence;
	const char *trust_version, *policy_version; /* hexadecimal: what it was judged by */
	const char *request_id;
	const char *client_address;
	int64_t now;
};
CHECKED enum err enrollment_refused(struct db *db, const struct refusal_record *refusal);
