/* proof.h - the keys that come out of an activated credential, and what they prove and seal.
 * PROTOCOL.md, "Proof" and "Seal"; both sides compute the same. */
#pragma once

#include "ca/base/crypt.h"

#define PROOF_SIZE 32

/* What a proof is over: decoded bytes, as they crossed the wire. */
struct transcript {
	struct view ticket;
	struct view claim;
	struct view request;
};

/*
 * HMAC-SHA-256(k_proof, "endorse/1 enroll" 00 | SHA-256(ticket) | SHA-256(claim) |
 * SHA-256(request)), k_proof = HKDF-SHA-256(session key, salt = SHA-256(ticket), info = "endorse/1
 * proof" 00).
 */
CHECKED enum err proof_make(const struct secret_key *session, const struct transcript *transcript,
	uint8_t proof[static PROOF_SIZE]);

/* Compares in constant time; ERR_UNPROVEN "proof-invalid". */
CHECKED enum err proof_check(const struct secret_key *session, const struct transcript *transcript,
	const uint8_t proof[static PROOF_SIZE]);

/*
 * nonce (12 random bytes) | AES-256-GCM(k_answer, nonce, aad = proof; answer), appended to
 * `sealed`. k_answer = HKDF-SHA-256(session key, salt = SHA-256(ticket), info = "endorse/1 answer"
 * 00 | SHA-256(claim) | SHA-256(request)).
 */
CHECKED enum err answer_seal(const struct secret_key *session, const struct transcript *transcript,
	const uint8_t proof[static PROOF_SIZE], struct view answer, struct buf *sealed);

/* The reverse; ERR_UNPROVEN "seal". Opening says nothing of who sealed: TLS and the anchors do. */
CHECKED enum err answer_open(const struct secret_key *session, const struct transcript *transcript,
	const uint8_t proof[static PROOF_SIZE], struct view sealed, struct buf *answer);
