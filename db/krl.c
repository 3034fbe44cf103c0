/* krl.c - nothing yet. */
