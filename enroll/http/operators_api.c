/* operators_api.c - nothing yet. */
