/* ca_operator.c - nothing yet. */
