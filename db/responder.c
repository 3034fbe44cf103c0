/* responder.c - nothing yet. */
