/* database.h - a database that is empty at the start of each test, and a look behind the product's
 * back. */
#pragma once

#include "ca/base/mem.h"
#include "db/pool.h"

#include <cmocka.h>
#include <stdint.h>

/* From ENDORSE_TEST_DB, which names a database that may be emptied; fails the test without one. */
const char *database_conninfo(void);

/* For setup and teardown: `*state` becomes a pool of 8 over an empty or a migrated database. */
int database_empty(void **state);
int database_migrated(void **state);
int database_close(void **state);
/* For setup: nobody administers, and nothing was audited. Cheaper than a database for each test. */
int database_unadministered(void **state);

/* Runs SQL on a connection of its own. */
void database_do(const char *sql);
/* The SQLSTATE that it fails with, "" when it does not; valid until the next call of this thread. */
const char *database_try(const char *sql);
/* The number that is the only field of the only row. */
int64_t database_count(const char *sql);
/* The same for text; for free(). */
char *database_text(const char *sql);
/* Asks until the number is `n` at least; fails the test after 20 seconds. */
void database_until(const char *sql, int64_t n);

/* Runs `act` in `n` threads that start together; `arguments` is an array of n pointers. */
void at_once(unsigned n, void *(*act)(void *), void *const *arguments);
