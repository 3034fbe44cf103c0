/* crl_export.c - nothing yet. */
