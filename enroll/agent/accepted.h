/* accepted.h - what a service issued, after this device found that it is what it asked for. */
#pragma once

#include "enroll/agent/anchor.h"
#include "enroll/agent/keys.h"
#include "enroll/proto/answer.h"

/* One certificate, in the order in which they were asked for. */
struct accepted_one {
	X509 *x509; /* NULL: it is OpenSSH's */
	struct view blob; /* DER, or OpenSSH's blob; the answer's */
};

/*
 * Only accepted_check() makes one: every certificate is for the key that was asked for, and by whom
 * this machine trusts.
 */
struct accepted {
	struct answer *answer;
	struct accepted_one items[LIMIT_KEYS];
	size_t n;
	STACK_OF(X509) *intermediates;
	size_t ak; /* which of the certificates is the AK's own */
};

/*
 * Checks an answer: its host is `host`, or any host's name when that is NULL; its certificates are those of `keys`, in that
 * order and of the form that their templates have. One in X.509 has the key, is no CA's, leads to an
 * anchor through the answer's intermediates; where it names hosts (dNSName, otherwise common name) this
 * one is among them, and no address or mail; where it names the device (permanentIdentifier, RFC 4043)
 * it says the answer's device_id or host. One of OpenSSH has the key, is in force now, names this host
 * among its principals when it is a host's, and is signed by the answer's CA for hosts or for users, as
 * its type says; that CA is believed as far as the answer is. That of the template that wanted_ak() says
 * is an AK certificate.
 * ERR_DENIED "service-not-trusted"; ERR_MALFORMED "service-answer". Takes `*answer` over, also on failure. `*out` is the
 * caller's, for accepted_free().
 */
CHECKED enum err accepted_check(struct answer **answer, const struct anchors *anchors,
	const struct keys *keys, const char *host, struct accepted **out);
void accepted_free(struct accepted **accepted);
