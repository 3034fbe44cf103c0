/* credential.c - nothing yet. */
