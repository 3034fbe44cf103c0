/* status.c - nothing yet. */
