/* crl.c - nothing yet. */
#include "db/connection.h"

const struct statement *const crl_statements[] = {NULL};
