/* hosts.c - nothing yet. */
