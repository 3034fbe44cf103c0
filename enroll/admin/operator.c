/* operator.c - nothing yet. */
