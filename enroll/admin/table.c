/* table.c - nothing yet. */
