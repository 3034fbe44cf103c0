/* revoke.c - nothing yet. */
