/* ca_api.c - nothing yet. */
