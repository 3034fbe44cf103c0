/* rebind.c - nothing yet. */
