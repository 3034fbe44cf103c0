/* shard.c - nothing yet. */
