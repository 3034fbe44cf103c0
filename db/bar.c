/* bar.c - nothing yet. */
