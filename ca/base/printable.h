/* printable.h - text that others had a hand in, on its way to a terminal, a database or a wire. */
#pragma once

#include <stddef.h>

/* Copies `text`, cut to `room` bytes with its NUL; all but visible ASCII and spaces becomes "?". */
void printable(const char *text, char *out, size_t room);
