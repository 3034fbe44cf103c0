/* inventory_api.c - nothing yet. */
