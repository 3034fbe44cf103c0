/* fetch.h - a certificate from the place where another certificate says that it is. */
#pragma once

#include "enroll/agent/anchor.h"

/*
 * One GET of a http or https URL (RFC 5280 4.2.2.1: DER): no redirect, no proxy, 16 KiB and 20
 * seconds at most; TLS leads to the anchors. Whoever wrote the URL makes this machine ask there, so
 * it must be somebody believed. What comes is judged as any other certificate: where it came from
 * proves nothing. `*out` is the caller's. ERR_REJECTED "skae-location": no such URL, or no
 * certificate there; ERR_BUSY "location-away"; ERR_INTERNAL "curl".
 */
CHECKED enum err fetch_certificate(const char *url, struct anchors *anchors, X509 **out);
