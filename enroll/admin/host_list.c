/* host_list.c - nothing yet. */
