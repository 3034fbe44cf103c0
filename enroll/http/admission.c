/* admission.c - nothing yet. */
