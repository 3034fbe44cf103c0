/* nvcert.h - certificates cut out of what manufacturers leave in NV indices. */
#pragma once

#include "ca/base/buf.h"

/*
 * The one DER certificate in an NV index: after a TCG_PCCLIENT_STORED_CERT header, where there is
 * one (TCG PC Client TPM 1.2, 7.4.5: 1001 00 length 1002), and as long as its outer SEQUENCE says.
 * What follows must be padding (FF, 00 or 11). `*der` borrows from `content`, its bytes are the
 * original ones. ERR_MALFORMED "ek-certificate".
 */
CHECKED enum err nv_certificate_cut(struct view content, struct view *der);

/*
 * The next certificate in `*rest`, the joined contents of the chain's indices (TCG EK Credential
 * Profile 2.x, 2.2.1.5.1), in which certificates follow each other with or without padding between
 * them. False at the end, or where no further SEQUENCE is whole.
 */
bool nv_chain_next(struct view *rest, struct view *der);
