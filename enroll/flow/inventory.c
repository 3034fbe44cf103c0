/* inventory.c - nothing yet. */
