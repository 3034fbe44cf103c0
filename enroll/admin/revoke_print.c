/* revoke_print.c - nothing yet. */
