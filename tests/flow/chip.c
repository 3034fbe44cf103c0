#include "tests/flow/chip.h"

#include "tests/flow/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_A_TIME 8

static pid_t manufacture(const struct maker *maker, const struct chip *chip, size_t number)
{
	AUTO(mem_free) char *config = text("%s/setup.conf", maker->dir);
	AUTO(mem_free) char *id = text("chip-%zu", number);
	AUTO(mem_free) char *log = text("%s.log", chip->state);
	const char *argv[] = {"swtpm_setup", "--tpm2", "--tpmstate", chip->state,
		"--create-ek-cert", "--lock-nvram", "--overwrite", "--config", config, "--vmid", id,
		NULL};

	must(mkdir(chip->state, 0700) == 0, "%s: %s", chip->state, strerror(errno));
	return process_start(&(struct program){.argv = argv, .log = log});
}

void chips_make(struct maker *maker, const char *dir, struct chip *chips, size_t n)
{
	pid_t pids[AT_A_TIME] = {0};

	for (size_t i = 0; i < n; i++)
		chips[i] = (struct chip){.state = text("%s/chip-%zu", dir, i),
			.socket = text("%s/tpm-%zu", dir, i),
			.tcti = text("swtpm:path=%s/tpm-%zu", dir, i)};
	for (size_t i = 0; i < n + AT_A_TIME; i++) {
		pid_t *pid = &pids[i % AT_A_TIME];
		int status = 0;

		if (*pid != 0)
			must(waitpid(*pid, &status, 0) == *pid && status == 0,
				"swtpm_setup: status %d, see %s.log", status,
				chips[i - AT_A_TIME].state);
		*pid = i < n ? manufacture(maker, &chips[i], i) : 0;
	}
	for (size_t i = 0; i < n; i++)
		chip_start(&chips[i]);
}

static bool listens(void *arg)
{
	const struct chip *chip = arg;
	AUTO(mem_free) char *control = text("%s.ctrl", chip->socket);

	return socket_accepts(chip->socket) && socket_accepts(control);
}

void chip_start(struct chip *chip)
{
	AUTO(mem_free) char *state = text("dir=%s", chip->state);
	AUTO(mem_free) char *server = text("type=unixio,path=%s", chip->socket);
	AUTO(mem_free) char *control = text("type=unixio,path=%s.ctrl", chip->socket);
	AUTO(mem_free) char *log = text("%s.log", chip->state);
	AUTO(mem_free) char *stale = text("%s.ctrl", chip->socket);
	const char *argv[] = {"swtpm", "socket", "--tpm2", "--tpmstate", state, "--server", server,
		"--ctrl", control, "--flags", "not-need-init,startup-clear", NULL};

	unlink(chip->socket);
	unlink(stale);
	chip->pid = process_start(&(struct program){.argv = argv, .log = log});
	must(wait_until(listens, chip, 10000), "swtpm does not start: see %s", log);
}

void chip_stop(struct chip *chip)
{
	process_stop(&chip->pid, SIGTERM);
}

void chip_free(struct chip *chip)
{
	chip_stop(chip);
	free(chip->state);
	free(chip->socket);
	free(chip->tcti);
	*chip = (struct chip){0};
}
