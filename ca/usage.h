/* usage.h - the names of key usages. */
#pragma once

/* The bit of a key usage by its name in RFC 5280 4.2.1.3 ("digitalSignature" is 0); -1: no such. */
int usage_bit(const char *name);
