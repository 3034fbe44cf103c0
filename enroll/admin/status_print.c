/* status_print.c - nothing yet. */
