/* certificate.c - nothing yet. */
