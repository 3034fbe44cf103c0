/* examine.h - a file judged as the service would judge it, and all there is to say about it. */
#pragma once

#include "enroll/admin/ekfile.h"
#include "enroll/proto/ekreport.h"
#include "enroll/trust/trust.h"

/* By what files are judged; borrowed. */
struct examiner {
	const struct trust *trust;
	int64_t now;
	bool takes_expired;
	const struct view *chain; /* DER, what the device would send */
	size_t chain_n;
	struct view ek_public; /* TPM2B_PUBLIC, beside the certificate or alone; empty */
	bool is_thorough; /* tells whose certificate is missing: it looks at the whole set */
};

/* Judges one file; `file` NULL: the EK's public area alone. `out` is overwritten, but for its `file`. */
void examine(const struct examiner *examiner, const struct ekfile *file, struct ek_report *out);
/* The same for a file that could not be read: the last reason tells why. */
void examine_failed(struct ek_report *out);
