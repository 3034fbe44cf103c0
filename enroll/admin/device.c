/* device.c - nothing yet. */
