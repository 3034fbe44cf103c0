/* ocsp_api.c - nothing yet. */
