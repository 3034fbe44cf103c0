/* krl_file.c - nothing yet. */
