/* krl_sync.c - nothing yet. */
