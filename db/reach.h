/* reach.h - what an act of revocation reached, for who did it. */
#pragma once

#include "db/host.h"

#include <stddef.h>

#define REACHED_TOLD 100 /* certificates, and names, that are told one by one */

struct reached_certificate {
	char kind[16]; /* "x509", "ssh-host", "ssh-user" */
	char template[65], serial[2 * SERIAL_MAX + 1], host[254];
	int64_t not_after;
};

/* One of zeroes is empty; free with reached_free(). */
struct reached {
	uint8_t device_id[DEVICE_ID_SIZE]; /* zero: the act was about no device */
	int64_t x509, ssh_host, ssh_user; /* certificates that were in force, or held */
	struct reached_certificate *certificates; /* the first REACHED_TOLD of them */
	size_t certificates_n;
	int64_t unlisted; /* of x509: such as name no CRL */
	int64_t crls; /* that are to be made anew */
	/* Nobody keeps one of their predecessors for longer than this; 0: there were none. */
	int64_t crls_until;
	int64_t names; /* that are free now */
	char (*name)[254]; /* the first REACHED_TOLD of them */
	size_t name_n;
	int64_t devices; /* of an act by name: whose certificates or name it took */
	int64_t eks, aks; /* that the device has */
	int64_t registered; /* of the EKs, those that are on the allow-list */
	char registered_host[254]; /* that one of them is registered for; "" */
	int64_t attempts; /* held or accepted ones that are gone */
};
void reached_free(struct reached *reached); /* for AUTO; accepts zeroes */
