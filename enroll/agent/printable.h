/* printable.h - text from strangers, on its way to somebody's terminal. */
#pragma once

#include <stddef.h>

/* Copies `text`, cut to `room` bytes with its NUL; all but visible ASCII and spaces becomes "?". */
void printable(const char *text, char *out, size_t room);

/* Room for manufacturer_text(). */
#define MANUFACTURER_SIZE 64
/*
 * The manufacturer of an EK certificate, "id:49465800", as the letters that it stands for: "IFX"
 * (TCG Vendor ID Registry). Anything else comes back as printable() gives it.
 */
void manufacturer_text(const char *id, char out[static MANUFACTURER_SIZE]);
