/* sshsig.h - a signature beside a file, as ssh-keygen -Y has it (PROTOCOL.sshsig), armored. */
#pragma once

#include "ca/ssh.h"
#include "ca/sshkey.h"

#define SSHSIG_MAX 16384 /* bytes, armored */
#define SSHSIG_KRL "endorse-krl" /* the namespace that a service's KRL is signed in */

/*
 * Appends the signature of the CA's key over the message, for one purpose alone: `namespace`. With
 * SHA-512; RSA signs rsa-sha2-512. ERR_INTERNAL "crypto".
 */
CHECKED enum err sshsig_make(
	const struct ssh_ca *ca, const char *namespace, struct view message, struct buf *armored);

/*
 * Did one of these keys (public key blobs) sign the message, for this purpose? ERR_MALFORMED
 * "sshsig" for what is no such signature; ERR_REJECTED "sshsig-key" for another key's,
 * "sshsig-namespace", "ssh-signature" for one that is not over this message.
 */
CHECKED enum err sshsig_verify(struct view armored, const char *namespace, struct view message,
	const struct view *keys, size_t keys_n);

/* Appends the public key blob that a signature says it is of, which proves nothing. ERR_MALFORMED "sshsig". */
CHECKED enum err sshsig_signer(struct view armored, struct buf *key);
