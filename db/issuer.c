/* issuer.c - nothing yet. */
