/* expiry.c - nothing yet. */
