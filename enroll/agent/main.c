/* main.c - endorse, the device tool: `endorse SUBCOMMAND [options]`. */
#include "enroll/agent/access.h"
#include "enroll/agent/command.h"
#include "enroll/agent/exit.h"
#include "enroll/agent/hook.h"
#include "enroll/agent/interrupt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} subcommands[] = {
	{"enroll", enroll_command, "prove this machine's TPM and get certificates"},
	{"renew", renew_command, "keep what was issued current; for a timer"},
	{"status", status_command, "what this machine holds, and until when"},
	{"ssh-config", ssh_config_command, "what sshd and known_hosts need of that"},
	{"krl-sync", krl_sync_command, "keep the list of revoked OpenSSH certificates current"},
	{"doctor", doctor_command, "what would fail and why, before anything does"},
	{"measure-endpoint", measure_command,
		"put a TLS endpoint's key into a PCR, and into the log of it"},
	{"quote", quote_command, "show a relying party which endpoints are this machine's"},
	{"link-check", link_check_command, "is a TLS endpoint the machine that it says?"},
	{"self-sign", self_sign_command,
		"a short-lived TLS certificate of this machine's own making"},
	{"skae-check", skae_check_command, "is a certificate's key in a TPM, as it says?"},
};

#define SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static void print_usage(FILE *out)
{
	fputs("usage: endorse SUBCOMMAND [options]\n"
	      "       endorse SUBCOMMAND --help\n"
	      "       endorse --version\n\n",
		out);
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		fprintf(out, "  %-16s %s\n", subcommands[i].name, subcommands[i].summary);
	fputs("\nExit codes: 0 done, 1 this machine, 2 usage, 3 TPM, 4 service away, 5 refused,\n"
	      "6 service not trusted, 7 nothing valid held, 8 waiting for an admin,\n"
	      "9 does not hold. See endorse(1).\n",
		out);
}

/* A summary that did not reach its reader is not "done". */
static int finish(int code)
{
	if (fflush(stdout) != 0 && code == EXIT_DONE)
		code = EXIT_LOCAL;
	interrupt_release();
	return code;
}

int main(int argc, char **argv)
{
	const char *name = argc < 2 ? "" : argv[1];

	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_usage(stdout);
		return finish(EXIT_DONE);
	}
	if (strcmp(name, "--version") == 0) {
		puts("endorse " ENDORSE_VERSION);
		return finish(EXIT_DONE);
	}
	hooks_inherit(environ);
	access_credentials_in(getenv("CREDENTIALS_DIRECTORY"));
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		if (strcmp(subcommands[i].name, name) == 0)
			return finish(subcommands[i].run(argc - 1, argv + 1));
	if (name[0] != '\0')
		fprintf(stderr, "endorse: there is no subcommand \"%s\"\n", name);
	print_usage(stderr);
	return EXIT_USAGE;
}
