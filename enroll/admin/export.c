/* export.c - nothing yet. */
