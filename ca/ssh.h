/* ssh.h - OpenSSH certificates: their body by hand, signed by a CA key (draft-miller-ssh-cert, PROTOCOL.certkeys). */
#pragma once

#include "ca/grant.h"
#include "ca/issue.h"
#include "ca/template.h"

#include <openssl/evp.h>

struct ssh_ca; /* a key that signs certificates of one kind: hosts', or users' */

/* The key is one that key_save() wrote. `*out` is the caller's. ERR_INTERNAL "ca-key", those of key_load(). */
CHECKED enum err ssh_ca_load(const char *key, const char *passphrase, struct ssh_ca **out);
void ssh_ca_free(struct ssh_ca **ca);
struct view ssh_ca_public(const struct ssh_ca *ca); /* its public key blob; borrowed */

/* Does the grant have what a certificate of the template states? As certificate_judge(). */
CHECKED enum err ssh_judge(const struct template *tmpl, const struct grant *grant);

/*
 * Builds and signs: `out->der` is the certificate's blob, the serial 8 bytes. RSA CAs sign rsa-sha2-512; options sorted;
 * principals never empty. ERR_REJECTED "ssh-principals"; ERR_INTERNAL "crypto", "random".
 */
CHECKED enum err ssh_issue(const struct ssh_ca *ca, const struct template *tmpl,
	const struct grant *grant, int64_t now, struct issued *out);

/* What a certificate blob says; everything points into the blob, texts are not terminated. */
struct ssh_certificate {
	struct view key_type, nonce,
		public_key; /* of the certified key: its fields, without the type */
	uint64_t serial;
	uint32_t type; /* 1 user, 2 host */
	struct view key_id, principals; /* packed strings */
	uint64_t valid_after, valid_before;
	struct view critical_options, extensions, signature_key, signature;
	struct view body; /* what is signed */
};
/* Reads a blob whole. ERR_MALFORMED "ssh-certificate". */
CHECKED enum err ssh_certificate_parse(struct view blob, struct ssh_certificate *out);
/* Signed by its signature_key? ERR_REJECTED "ssh-signature". */
CHECKED enum err ssh_certificate_verify(const struct ssh_certificate *certificate);
/* The next of packed strings; false at the end. */
bool ssh_string_next(struct view *rest, struct view *out);
/* Is the certified key this one? */
bool ssh_certificate_is_for(const struct ssh_certificate *certificate, struct view key_blob);
