/* edwards.h - is it a public key of Ed25519 at all? OpenSSL takes any 32 bytes for one. */
#pragma once

#include "ca/base/mem.h"

#define EDWARDS_SIZE 32

/*
 * A point of the curve in its only encoding (RFC 8032 5.1.3), of no small order: for one of those
 * signatures can be made that fit it by chance, without any private key.
 */
bool edwards_is_key(struct view key);
