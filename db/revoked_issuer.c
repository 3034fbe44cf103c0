/* revoked_issuer.c - nothing yet. */
