/* ocsp_cache.c - nothing yet. */
