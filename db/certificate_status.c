/* certificate_status.c - nothing yet. */
