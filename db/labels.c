/* labels.c - nothing yet. */
