/* audit.c - nothing yet. */
