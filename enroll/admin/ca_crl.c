/* ca_crl.c - nothing yet. */
