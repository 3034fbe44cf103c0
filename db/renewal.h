/* renewal.h - what the records know of an AK that asks for a renewal: the EK it was proven under,
 * to judge it anew. */
#pragma once

#include "db/enrollment_facts.h"

#define RENEWAL_CHAIN 8 /* certificates above the EK's, as the device sent them */

struct renewal_facts {
	bool ak_known; /* enrolled here, by the native dialect; nothing below is filled in otherwise */
	uint8_t device_id[DEVICE_ID_SIZE];
	enum device_state device_state;
	bool host_barred; /* nobody may have the name until it is reinstated */
	bool host_is_ours; /* the name is bound to that device */
	bool ek_recorded; /* all that a renewal judges; not so in records of older versions */
	int64_t proven_at; /* when EK and AK were last shown to be in one TPM, seconds since 1970 */
	struct buf ek_public; /* TPM2B_PUBLIC */
	struct buf ek_certificate; /* DER; empty: it had none */
	struct buf chain[RENEWAL_CHAIN]; /* DER */
	size_t chain_n;
};
void renewal_facts_free(struct renewal_facts *facts);

/*
 * One look, by primary keys. `facts` is overwritten (free what an earlier call left in it first),
 * and needs to be freed after a failure too. Whatever it says may have changed when the renewal is
 * recorded: enrollment_lookup() and the device's revision see to that. Errors of db_run().
 */
CHECKED enum err renewal_lookup(
	struct db *db, struct view ak_name, const char *host, struct renewal_facts *facts);
