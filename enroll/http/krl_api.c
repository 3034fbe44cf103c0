/* krl_api.c - nothing yet. */
