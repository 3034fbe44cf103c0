/* doctor.h - what `endorse doctor` knows while it looks. */
#pragma once

#include "enroll/agent/diagnosis.h"
#include "enroll/agent/held.h"
#include "enroll/agent/order.h"

/* A look says what it found, and what the later ones can build on. Nothing is changed anywhere. */
struct doctor {
	const struct order *order;
	struct wish wish; /* what an enrollment would want, as far as it is known */
	struct diagnosis diagnosis;
	struct state *state; /* NULL: there is none, or none that may be read */
	struct held held;
	struct anchors *anchors; /* NULL: nobody to trust */
	char anchors_problem[512]; /* why there are none */
	char host[HOSTNAME_MAX + 1];
	struct attempt attempt; /* its EK and AK, where they were found good */
	int64_t date; /* the service's, -1 while it is not known */
	bool has_tpm; /* each: the look at it found nothing that stops an enrollment */
	bool has_ek;
	bool has_ak;
	bool has_name;
	bool has_network;
	bool has_tls;
};

/* doctor_tpm.c: is it there, whose is it, is it free, unlocked and able? */
void doctor_tpm(struct doctor *doctor);
/* doctor_ek.c: which certificates are in NV, and is the key theirs? */
void doctor_ek(struct doctor *doctor);
/* doctor_ak.c: an AK is made as an enrollment would make it, and not kept. */
void doctor_ak(struct doctor *doctor);
/* doctor_local.c: this machine by itself. */
void doctor_clock(struct doctor *doctor);
void doctor_name(struct doctor *doctor);
void doctor_state(struct doctor *doctor);
/* doctor_net.c: the server's name, or the proxy's, and each of its addresses. */
void doctor_network(struct doctor *doctor);
/* doctor_tls.c: a handshake, and is it Endorse that answers? Then its clock. */
void doctor_tls(struct doctor *doctor);
void doctor_service_clock(struct doctor *doctor);
/* doctor_service.c: does the service believe the EK, and would it give the name? */
void doctor_service(struct doctor *doctor);

/* Each look opens the TPM for itself: between them it is free for others. Errors of tpm_open(). */
CHECKED enum err doctor_open_tpm(const struct doctor *doctor, struct tpm **out);

/* "2026-11-22T14:47:38Z" or, for the certificates that never end, "for ever". */
#define DOCTOR_DATE_SIZE 24
void doctor_date(int64_t when, char out[static DOCTOR_DATE_SIZE]);
