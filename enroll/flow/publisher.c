/* publisher.c - nothing yet. */
