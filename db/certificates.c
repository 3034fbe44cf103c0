/* certificates.c - nothing yet. */
