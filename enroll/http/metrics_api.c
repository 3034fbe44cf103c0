/* metrics_api.c - nothing yet. */
