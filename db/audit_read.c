/* audit_read.c - nothing yet. */
