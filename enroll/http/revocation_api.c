/* revocation_api.c - nothing yet. */
