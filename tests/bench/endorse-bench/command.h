/* command.h - the subcommands of endorse-bench: one file each, one table in main.c. */
#pragma once

#include "ca/base/err.h"

/* Exit codes, documented in endorse-bench(1). */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* a file, the network, or devices that were not served */
	EXIT_WRONG_USAGE = 2,
};

/* Gets the arguments from the subcommand's word on; returns the exit code. */
int command_crl(int argc, char **argv);
int command_enroll(int argc, char **argv);
int command_fleet(int argc, char **argv);
int command_floor(int argc, char **argv);
int command_ocsp(int argc, char **argv);
int command_plot(int argc, char **argv);
int command_reject(int argc, char **argv);
int command_renew(int argc, char **argv);

int bench_misused(const char *usage); /* usage on standard error */
int bench_told(const char *usage); /* --help: usage on standard output */
int bench_misread(const char *usage); /* why(), and the usage, on standard error */
int bench_failed(void); /* why() on standard error */
