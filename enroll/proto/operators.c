/* operators.c - nothing yet. */
