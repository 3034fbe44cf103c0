/* crl_api.c - nothing yet. */
