/* publication.c - nothing yet. */
