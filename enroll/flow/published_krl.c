/* published_krl.c - nothing yet. */
