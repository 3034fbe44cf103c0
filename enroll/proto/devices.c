/* devices.c - nothing yet. */
