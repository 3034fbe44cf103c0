/* published_crl.c - nothing yet. */
