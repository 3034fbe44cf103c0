/* revocation.c - nothing yet. */
