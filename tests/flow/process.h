/* process.h - programs that a test runs: started, captured, and never left behind. */
#pragma once

#include "ca/base/buf.h"

#include <sys/types.h>

/* Ends the test when something that the test itself needs does not work. */
#define must(condition, ...)                                                                       \
	do {                                                                                       \
		if (!(condition))                                                                  \
			harness_failed(__FILE__, __LINE__, #condition, __VA_ARGS__);               \
	} while (0)
void harness_failed(const char *file, int line, const char *condition, const char *fmt, ...)
	__attribute__((format(printf, 4, 5), noreturn));

/* A program to run. Arguments and additions to the environment ("NAME=value") end with NULL. */
struct program {
	const char *const *argv;
	const char *const *env; /* may be NULL */
	const char *log; /* file that gets standard output and error, appended; NULL: inherited */
	const char *input; /* process_run(): what it reads from standard input; NULL: nothing */
	const char *user; /* run as this user when we are root; NULL: as we are */
	int timeout_ms; /* process_run(): killed after this; 0: 60 s */
};

/* Starts it; it is killed when the calling thread ends. */
pid_t process_start(const struct program *program);
/* Sends the signal and waits; after a minute it gets SIGKILL. Returns the status that waitpid() tells;
 * `*pid` becomes 0. */
int process_stop(pid_t *pid, int signal);
bool process_is_alive(pid_t pid);

struct output {
	int code; /* exit code, or 128 + the signal that ended it */
	struct buf out, err; /* standard output and error */
};
void output_free(struct output *output);
/* How many lines of standard output begin so. */
unsigned lines_of(const struct output *output, const char *start);
/* Is there a line of it that begins with `start` and has `words` in it? */
bool has_line(const struct output *output, const char *start, const char *words);
/* Runs it to its end and keeps what it wrote; `output` is overwritten. */
void process_run(const struct program *program, struct output *output);
/* The same, for a helper that has to succeed: its output is the message when it does not. */
void process_must(const struct program *program);
#define MUST_RUN(...)                                                                              \
	process_must(&(struct program){.argv = (const char *const[]){__VA_ARGS__, NULL}})

/* Asks every few milliseconds until it is true or the time is over. */
bool wait_until(bool (*is_true)(void *arg), void *arg, int timeout_ms);
/* Waits until the file has the text in it. */
bool wait_for_text(const char *path, const char *what, int timeout_ms);
/* Milliseconds of a clock that only goes forward. */
int64_t now_ms(void);

/* A formatted string for free(). */
char *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Writes a file; the mode counts also when it exists. */
void write_file(const char *path, mode_t mode, struct view bytes);
/* Does somebody listen at this unix socket? Its file is there before anybody does. */
bool socket_accepts(const char *path);
/* A port of 127.0.0.1 that was free a moment ago. */
int free_port(void);
