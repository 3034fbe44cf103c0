/* crl.c - nothing yet. */
