/* hierarchy_crl.c - nothing yet. */
