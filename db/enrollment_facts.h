/* enrollment_facts.h - the first trip: what the database knows of those who enroll. */
#pragma once

#include "ca/base/buf.h"
#include "db/pool.h"

#define DEVICE_ID_SIZE 16
#define DIGEST_SIZE 32
#define SERIAL_MAX 20
#define ENROLLMENT_CERTIFICATES 8 /* that one ticket brings */
#define REUSABLE_CERTIFICATES 16
#define ENROLLMENT_LABELS 32
#define ENROLLMENT_ISSUERS 3 /* CAs that sign for one answer: X.509, OpenSSH hosts', users' */
#define NO_SHARD (-1) /* of a certificate that is in no CRL */
#define CRL_BASE_SIZE 256 /* bytes of what URLs of CRLs begin with, with the NUL */

struct stored_certificate {
	uint8_t serial[SERIAL_MAX];
	size_t serial_n;
	char *template; /* malloc'd */
	struct buf der;
};

/* A certificate for an AK, by which evidence in others can name that AK. */
struct ak_certificate {
	char template[65];
	uint8_t sha256[DIGEST_SIZE]; /* of its DER */
};

/* One of the labels that the operator gave to a device. */
struct stored_label {
	char *name, *value; /* malloc'd */
};

/* What an enrollment asks about; everything is borrowed. */
struct enrollment_key {
	const uint8_t *ticket_digest; /* DIGEST_SIZE: SHA-256 of the ticket */
	const uint8_t *ek_digest; /* DIGEST_SIZE: SHA-256 of the EK's SubjectPublicKeyInfo */
	struct view ak_name; /* the AK's Name, 34 to 66 bytes */
	const char *host; /* NULL: the one that the EK is registered for, where there is one */
	/*
	 * DEVICE_ID_SIZE: the AK is known to be this device's, so certificates are there to be given
	 * again; then `host` is not NULL. NULL: nobody knows, and they cost a device that has some a
	 * trip of their own.
	 */
	const uint8_t *device_id;
	unsigned ssh_serials; /* how many to take for OpenSSH certificates, 0 to 8 */
	bool wants_ak_certificates;
	unsigned crl_places; /* how many to draw for X.509 certificates, 0 to 8 */
	const uint8_t *issuers[ENROLLMENT_ISSUERS]; /* DIGEST_SIZE: the CAs that would sign */
	size_t issuers_n;
};

enum device_state { DEVICE_ACTIVE, DEVICE_HELD, DEVICE_REVOKED };
/* As records have it; "" is one that is not there, and what is not known counts as revoked. */
enum device_state device_state_named(const char *state);

/* What the database knows: the answer of the first trip. Free with enrollment_facts_free(). */
struct enrollment_facts {
	/* The device that this EK belongs to. Where the EK is new and its AK is not: the device of
	 * the AK, for an AK proven under a second EK of one TPM makes both EKs one device, with its
	 * names and its ban. enrollment_record() then adds the EK to it. */
	bool device_known;
	bool ek_known;
	uint8_t device_id[DEVICE_ID_SIZE];
	enum device_state device_state;
	int64_t revision; /* moves with every change to the device or what hangs on it */
	/* The device that the AK's Name was enrolled under before, when it is another one than the
	 * EK's. Both are known then, and nothing that this folder offers makes them one. */
	bool ak_of_other_device;
	uint8_t ak_device_id[DEVICE_ID_SIZE];
	bool ak_known; /* under this device */
	bool ak_live; /* and neither superseded nor revoked */
	bool ak_other_dialect; /* known under another dialect than "native" */
	/* The host name: that asked for, otherwise registered_host; nothing without both. */
	bool host_barred; /* nobody may have it until it is reinstated */
	bool host_bound;
	bool host_is_ours; /* bound to this very device */
	unsigned device_hosts; /* names that this device has, aliases included */
	/* The allow-list (allowed.h). A registered EK may ask for another name: the flow judges. */
	bool ek_allowed;
	char allowed_source[128]; /* which file or act put it there; cut */
	char registered_host[254]; /* the name that this EK is registered for; "" */
	bool host_of_other_ek; /* the name is registered for another EK */
	bool has_labels;
	/* The device's labels, by name; of a device that is not known yet, those that its EK has in the
	 * allow-list, with their digest for the record (all zero: none). */
	struct stored_label labels[ENROLLMENT_LABELS];
	size_t labels_n;
	uint8_t allowed_labels[DIGEST_SIZE];
	/* The attempt of this EK for this name that was held (pending.h). */
	bool attempt_known; /* pending_hold() is to be given that same name */
	uint8_t attempt_id[16];
	bool attempt_accepted, attempt_rejected; /* neither: nobody decided */
	bool ticket_held; /* this ticket was answered with it: it is good for no certificate */
	/* The ticket, when it was used before. */
	bool ticket_used;
	uint8_t ticket_request_digest[DIGEST_SIZE]; /* see struct enrollment_record */
	bool ticket_revoked; /* any certificate it brought was revoked, or its name or AK moved on */
	/* One of the CAs that were asked about is revoked: nothing that it signs is recorded. */
	bool ca_revoked;
	uint8_t revoked_ca[DIGEST_SIZE];
	int64_t clock; /* the database's, seconds since 1970; db_clock_judge() knows it too */
	/* With ticket_used: the certificates it brought, in their order. Otherwise: this device's,
	 * for this AK and host as they are bound now, which are not revoked and have at least half
	 * of their life before them at `now`, newest first, with the digest of the grant each was
	 * issued by; those of one answer in their order. Looked for among the last 64. */
	struct stored_certificate certificates[REUSABLE_CERTIFICATES];
	uint8_t grant_digest[REUSABLE_CERTIFICATES][DIGEST_SIZE];
	size_t certificates_n;
	/* As many as were asked for; nobody else's. */
	uint64_t ssh_serials[ENROLLMENT_CERTIFICATES];
	/*
	 * The shards of as many places as were asked for; nobody else's. Their CRLs are fetched at
	 * URLs that begin so.
	 */
	int64_t crl_shards[ENROLLMENT_CERTIFICATES];
	char crl_base[CRL_BASE_SIZE];
	/* When they were asked for: X.509 certificates for this AK under this host that are in
	 * force and not over, the newest of each template, newest first. */
	struct ak_certificate ak_certificates[ENROLLMENT_CERTIFICATES];
	size_t ak_certificates_n;
};
void enrollment_facts_free(struct enrollment_facts *facts);

/*
 * The first trip: everything known of the EK, the host, the AK and the ticket, in one pipeline with
 * one Sync, which those share who come together under load; a second one, each his own, only where there
 * is something that few have: labels, certificates to be given again, a ticket that was used. `facts` is
 * overwritten (free what an earlier call left in it first), and needs to be freed after a failure too.
 * ERR_BUSY "database-unreachable", "database-busy" and whatever else keeps the database from answering;
 * ERR_BUSY "crl-plan" when places are asked for and nobody has said what a shard is (shard.h).
 */
CHECKED enum err enrollment_lookup(struct db *db, const struct enrollment_key *key, int64_t now,
	struct enrollment_facts *facts);
