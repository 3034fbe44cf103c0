/* supervise.h - a test program's parent, which cleans up after it however it ends. */
#pragma once

/*
 * Runs `tests` in a child with a new, empty directory (mode 0755, a short path below /tmp), which
 * supervise_dir() names. When the child has ended, in whatever way, everything that it started is
 * killed and the directory is removed. Returns main()'s value. ENDORSE_KEEP set: the directory
 * stays.
 */
int supervise(int (*tests)(void));
const char *supervise_dir(void);
