/* token.c - nothing yet. */
