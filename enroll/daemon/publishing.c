/* publishing.c - nothing yet. */
