/* metrics.c - nothing yet. */
