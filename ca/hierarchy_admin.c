/* hierarchy_admin.c - nothing yet. */
