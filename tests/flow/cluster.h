/* cluster.h - the test program's private PostgreSQL, and what is in its databases. */
#pragma once

#include "ca/base/mem.h"

#include <sys/types.h>

/*
 * The directory with the server's unix socket. The first call makes the cluster (about a second) in
 * supervise_dir(); it lives as long as the test program.
 */
const char *cluster_socket(void);

/* Creates an empty database. */
void cluster_create(const char *database);
/* "host=DIR user=postgres dbname=DATABASE", for free(). */
char *cluster_conninfo(const char *socket_dir, const char *database);

/*
 * For the next start: has the server load a library of the build's before all others, with one more
 * "NAME=value" in its environment. Before anything else of this file.
 */
void cluster_preload(const char *library, const char *variable);

/*
 * For the next start: what is committed is on the disk, as in production; the server of a test that
 * measures nothing does not wait for it. Before anything else of this file.
 */
void cluster_durable(void);
/*
 * Has all of it be about a cluster that is there, stopped, below this directory, and stays when the program
 * has ended. cluster_create() takes a database that is there as it is. Before anything else of this file.
 */
void cluster_take(const char *data);
/* The server's first process, whose children are all others. */
pid_t cluster_pid(void);

/* Stops the server with SIGQUIT (connections are cut), and starts it again. */
void cluster_stop(void);
/* The same by another signal: SIGINT is PostgreSQL's fast shutdown. */
void cluster_stop_by(int signal);
void cluster_start(void);
/* Waits until it answers, and starts it where it has given up. */
void cluster_revive(void);

/* The first value of the first row as text, for free(); "" when there is no row or it is NULL. */
char *sql_text(const char *conninfo, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same as a number. */
long sql_number(const char *conninfo, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
