/* captured.h - what a call writes to standard output. */
#pragma once

#include "ca/base/buf.h"

/* Standard output is a file meanwhile; the call must end well. */
void captured(enum err (*call)(const void *what), const void *what, struct buf *out);
