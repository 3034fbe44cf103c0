/* ourdir.h - can nobody but this user and root change what a directory's path leads to? */
#pragma once

#include <stdbool.h>

/*
 * `dir` is absolute, without symbolic links, and is, as everything above it, this user's or root's and written to by nobody
 * else; above it also a directory with the sticky bit, such as /tmp, will do. What is written there then lands there.
 */
bool ourdir_is(const char *dir);
