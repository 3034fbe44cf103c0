/* ocsp.c - nothing yet. */
