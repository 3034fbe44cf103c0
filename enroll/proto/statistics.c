/* statistics.c - nothing yet. */
