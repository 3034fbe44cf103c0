/* parent.h - the key that an AK is wrapped under: a hierarchy's storage primary, or the EK. */
#pragma once

#include "enroll/agent/ek.h"

/*
 * A parent's handle as key files name it (ASN.1 Specification for TPM 2.0 Key Files, 3.1.5):
 * TPM2_RH_OWNER and TPM2_RH_ENDORSEMENT stand for the default storage primary of the hierarchy, any
 * other is that of a persistent key. An EK is named by the handle at which the TCG's provisioning
 * guidance has it persistent, also on a TPM where it is not.
 */
enum ak_hierarchy { AK_BELOW_OWNER, AK_BELOW_ENDORSEMENT, AK_BELOW_EK };
#define AK_HIERARCHIES "owner, endorsement or ek"

const char *ak_hierarchy_text(enum ak_hierarchy hierarchy); /* "owner", "endorsement", "ek" */
bool ak_hierarchy_read(const char *text, enum ak_hierarchy *out);

TPM2_HANDLE parent_handle(enum ak_hierarchy hierarchy, const struct ek_template *ek);
/* False for a handle that parent_handle() never gives. */
bool parent_hierarchy(TPM2_HANDLE parent, enum ak_hierarchy *out);

/* `ek` may be NULL where the parent is not the EK. */
struct parent {
	struct loaded key;
	struct loaded session; /* of the last parent_authorize() */
	const struct ek_template *ek; /* NULL: a storage primary */
};
#define PARENT(connection)                                                                         \
	((struct parent){.key = LOADED(connection), .session = LOADED(connection)})
void parent_flush(struct parent *parent);

/*
 * Brings the key into the TPM. ERR_REJECTED "tpm-key" for the EK of another template than `ek`'s;
 * errors of device_ek_load() and tpm_primary_create().
 */
CHECKED enum err parent_load(
	struct tpm *tpm, TPM2_HANDLE parent, const struct device_ek *ek, struct parent *out);

/* What authorises the parent's next use, and only that one. Errors of ek_authorize(). */
CHECKED enum err parent_authorize(struct tpm *tpm, struct parent *parent, ESYS_TR *auth);
