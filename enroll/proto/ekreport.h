/* ekreport.h - what was found out about one EK certificate, for a person and as JSON (endorsectl(1)). */
#pragma once

#include "ca/base/buf.h"

#include <stdint.h>

#define REPORT_TEXT 513
#define REPORT_STEPS 8

enum ek_outcome {
	EK_ACCEPTED, /* some policy may give it a name */
	EK_REFUSED,
	EK_UNJUDGED, /* it could not be read */
};
/* "accepted", "refused", "unjudged": by the outcome, and then NULL. */
extern const char *const ek_outcome_words[];

/* One certificate above the EK's. */
struct ek_report_step {
	char subject[REPORT_TEXT], sha256[65];
	char from[16]; /* "sent", "intermediate", "anchor" */
	char source[REPORT_TEXT]; /* "" for one that was sent */
	int64_t not_before, not_after;
};

/* Texts are "" where nothing is known, and printable. */
struct ek_report {
	char file[REPORT_TEXT];
	enum ek_outcome outcome;
	char kind[64]; /* what the file holds: "certificate", "private key" */
	/* What the certificate says; proven when it is accepted. */
	char manufacturer[REPORT_TEXT]; /* "id:49465800" */
	char manufacturer_name[REPORT_TEXT]; /* "Infineon Technologies" */
	char model[REPORT_TEXT], version[REPORT_TEXT];
	char key[REPORT_TEXT]; /* "rsa2048" */
	char template[16]; /* of a public area: "L-1" */
	char serial[REPORT_TEXT], subject[REPORT_TEXT], issuer[REPORT_TEXT];
	char ek_digest[65],
		sha256[65]; /* of the EK's SubjectPublicKeyInfo; of the certificate's DER */
	int64_t not_before, not_after; /* 0: not known */
	int64_t bytes, before, behind; /* of the certificate; around it, as NV storage has them */
	/* What came of it. */
	char code[65], sentence[REPORT_TEXT], clause[REPORT_TEXT], advice[1025];
	char class[32], source[REPORT_TEXT]; /* of an accepted one: "manufacturer", and who */
	struct ek_report_step step[REPORT_STEPS]; /* from the EK's issuer to the anchor */
	size_t steps;
	bool is_expired, is_bad_firmware, is_crl_old;
	char remark[REPORT_TEXT];
	/* Whose certificate is missing. */
	char missing[REPORT_TEXT], missing_key_id[REPORT_TEXT], missing_url[REPORT_TEXT];
	int64_t judged_at; /* the moment by which it was judged */
	char trust_version[65];
};
CHECKED enum err ek_report_encode(const struct ek_report *report, struct buf *json);
