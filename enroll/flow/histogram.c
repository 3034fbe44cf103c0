/* histogram.c - nothing yet. */
