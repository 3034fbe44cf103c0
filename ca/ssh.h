/* ssh.h - OpenSSH certificates: their body by hand, signed by a CA key (draft-miller-ssh-cert,
 * PROTOCOL.certkeys). */
#pragma once

#include "ca/grant.h"
#include "ca/issue.h"
#include "ca/template.h"

#include <openssl/evp.h>

#define SSH_CERTIFICATE_MAX 16384 /* bytes */
#define SSH_CERTIFICATE_SUFFIX "-cert-v01@openssh.com" /* of the type, behind the key's */

struct ssh_ca; /* a key that signs certificates of one kind: hosts', or users' */

/*
 * The key is one that key_save() wrote, of a kind that key_signs_with() knows; there is no
 * certificate above it, OpenSSH has none. `*out` is the caller's, for ssh_ca_free(). ERR_INTERNAL
 * "ca-key", and those of key_load().
 */
CHECKED enum err ssh_ca_load(const char *key, const char *passphrase, struct ssh_ca **out);
void ssh_ca_free(struct ssh_ca **ca);
struct view ssh_ca_public(const struct ssh_ca *ca); /* its public key blob; borrowed */

/* By what the records know it: SHA-256 over that blob, as ssh-keygen -l prints it. SHA256_SIZE bytes. */
const uint8_t *ssh_ca_id(const struct ssh_ca *ca);

/*
 * Appends a signature over the text, as a certificate has it (RFC 4253 6.6): the algorithm's name,
 * and the signature, packed as one string. For what the signer itself wrote. ERR_INTERNAL "crypto".
 */
CHECKED enum err ssh_ca_sign(const struct ssh_ca *ca, struct view text, struct buf *out);

/* Does the key sign, and is it the one of ssh_ca_public()? ERR_BUSY "ca-key". */
CHECKED enum err ssh_ca_ready(const struct ssh_ca *ca);

/* Does the grant have what a certificate of the template states? As certificate_judge(), and
 * ERR_REJECTED "ssh-principals" when it would be for nobody, which is everybody to OpenSSH. */
CHECKED enum err ssh_judge(const struct template *tmpl, const struct grant *grant);

/*
 * Builds and signs: `out->der` is the certificate's blob, the serial the grant's, in 8 bytes. It begins
 * `backdate` before `now` and ends a lifetime after it. Whom it is for is the template's to say and
 * nothing that a device asks for. An RSA CA signs rsa-sha2-512 (RFC 8332); options are sorted. Errors
 * of ssh_judge(); ERR_MALFORMED "ssh-key" as sshkey_blob(); ERR_INTERNAL "crypto", "random".
 */
CHECKED enum err ssh_issue(const struct ssh_ca *ca, const struct template *tmpl,
	const struct grant *grant, int64_t now, struct issued *out);

#define SSH_USER 1
#define SSH_HOST 2

/* What a certificate blob says; everything points into the blob, texts are not terminated. */
struct ssh_certificate {
	struct view key_type, nonce;
	struct view public_key; /* of the certified key: its fields, without the type */
	uint64_t serial;
	uint32_t type; /* SSH_USER, SSH_HOST */
	struct view key_id, principals; /* packed strings */
	uint64_t valid_after, valid_before;
	struct view critical_options, extensions, signature_key, signature;
	struct view body; /* what is signed */
};

/*
 * Reads a blob whole, of the types that sshkey_parse() knows with "-cert-v01@openssh.com" behind, with
 * at least one principal; options are whole pairs. ERR_MALFORMED "ssh-certificate".
 */
CHECKED enum err ssh_certificate_parse(struct view blob, struct ssh_certificate *out);
/* Signed by its signature_key, and not by RSA with SHA-1? ERR_REJECTED "ssh-signature". */
CHECKED enum err ssh_certificate_verify(const struct ssh_certificate *certificate);
/*
 * Is this (algorithm and signature, packed) a signature of the key, a public key blob, over the
 * text, and not by RSA with SHA-1? ERR_REJECTED "ssh-signature".
 */
CHECKED enum err ssh_signature_verify(
	struct view key_blob, struct view text, struct view signature);
/* The next of packed strings; false at the end. */
bool ssh_string_next(struct view *rest, struct view *out);
/* Is the certified key this one? */
bool ssh_certificate_is_for(const struct ssh_certificate *certificate, struct view key_blob);
