/* progress.c - nothing yet. */
