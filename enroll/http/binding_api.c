/* binding_api.c - nothing yet. */
