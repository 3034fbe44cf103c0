/* banned.h - functions that this project does not use; naming one does not compile. Included by the
 * build in front of every file, after the system headers that declare them. */
#pragma once

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* Macros of <stdio.h> where the library checks buffers. */
#undef sprintf
#undef vsprintf

/* No bound on what is written. */
#pragma GCC poison gets strcpy stpcpy strcat sprintf vsprintf
/* A bound that is easily wrong, or a result without a NUL. */
#pragma GCC poison strncpy strncat stpncpy
/* Hidden state that threads share. */
#pragma GCC poison strtok gmtime localtime ctime asctime strerror_l tmpnam mktemp tempnam
/* Errors that cannot be told from values. */
#pragma GCC poison atoi atol atoll atof sscanf
/* A shell. */
#pragma GCC poison system popen
/* Predictable. Headers name parameters so, hence not poisoned: a call does not compile. */
int rand(void) __attribute__((deprecated("not random")));
long random(void) __attribute__((deprecated("not random")));
