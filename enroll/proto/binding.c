/* binding.c - nothing yet. */
