/* ssh_config.c - `endorse ssh-config`. */
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "enroll/agent/command.h"
#include "enroll/agent/exit.h"
#include "enroll/agent/held.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_SIZE 8192

const char ssh_config_usage[] =
	"usage: endorse ssh-config [--state DIR] [--trust-users]\n"
	"\n"
	"Prints what goes into sshd_config, so that sshd shows its certificates, and behind \"#\"\n"
	"the line for everybody's known_hosts, so that nobody is asked about a host key again.\n"
	"\n"
	"  --trust-users  let in whom the service's CA for users certified: TrustedUserCAKeys,\n"
	"                 which is only a comment otherwise\n"
	"  --state DIR    default " STATE_DEFAULT "\n";

struct options {
	const char *state_dir;
	bool trusts_users;
	bool help;
};

static enum err read_options(int argc, char **argv, struct options *out)
{
	static const struct option options[] = {
		{"trust-users", no_argument, NULL, 'u'},
		{"state", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int id;

	*out = (struct options){.state_dir = STATE_DEFAULT};
	optind = 1;
	while ((id = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (id == 'u')
			out->trusts_users = true;
		else if (id == 's')
			out->state_dir = optarg;
		else if (id == 'h')
			out->help = true;
		else
			return fail(ERR_MALFORMED, "usage", "see endorse ssh-config --help");
	}
	if (optind < argc)
		return fail(
			ERR_MALFORMED, "usage", "\"%s\" is one argument too many", argv[optind]);
	return OK;
}

/* The private half, as sshd wants it named; a key of the TPM is known to an agent by its public half. */
static void print_key(const struct want *want, const char *pub)
{
	size_t n = strlen(want->file);

	if (want->key == WANT_FILE && n > 4 && strcmp(want->file + n - 4, ".pub") == 0)
		printf("HostKey %.*s\n", (int)(n - 4), want->file);
	else
		printf("# sshd reaches a key in the TPM through an agent: HostKeyAgent\n"
		       "HostKey %s\n",
			pub);
}

static enum err print_host(struct state *state, const struct want *want)
{
	AUTO(mem_free) char *certificate = state_file(state, want->template, STATE_SSH);
	AUTO(mem_free) char *pub = state_file(state, want->template, STATE_SSH_PUB);

	if (certificate == NULL || pub == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%s", want->template);
	print_key(want, pub);
	printf("HostCertificate %s\n", certificate);
	return OK;
}

/* "TYPE BASE64" of the first line; false when the service has no such CA. */
static bool read_ca(struct state *state, const char *name, char out[static LINE_MAX_SIZE])
{
	AUTO(buf_free) struct buf text = BUF(LINE_MAX_SIZE - 1);
	const char *line;
	size_t type, key;

	if (file_read(state_path(state, name), &text) != OK)
		return false;
	line = buf_text(&text);
	type = strcspn(line, " \n");
	if (line[type] != ' ')
		return false;
	key = strcspn(line + type + 1, " \n");
	snprintf(out, LINE_MAX_SIZE, "%.*s", (int)(type + 1 + key), line);
	return true;
}

/* Hosts of this one's domain are what its CA is likely to be for. */
static void print_authorities(
	const struct options *options, struct state *state, const struct held *held)
{
	const char *domain = strchr(held->enrollment.host, '.');
	char ca[LINE_MAX_SIZE];

	if (read_ca(state, STATE_SSH_USER_CA, ca))
		printf("%sTrustedUserCAKeys %s\n", options->trusts_users ? "" : "# ",
			state_path(state, STATE_SSH_USER_CA));
	if (read_ca(state, STATE_SSH_HOST_CA, ca))
		printf("# known_hosts: @cert-authority %s,*%s %s\n", held->enrollment.host,
			domain == NULL ? "" : domain, ca);
}

static enum err print(const struct options *options)
{
	AUTO(state_close) struct state *state = NULL;
	struct held held;
	size_t hosts = 0;

	TRY(state_open_readonly(options->state_dir, &state));
	held_read(state, NULL, clock_now(), &held);
	for (size_t i = 0; i < held.wanted.n; i++) {
		if (!held.holdings[i].is_ssh || !held.holdings[i].is_for_host)
			continue;
		hosts++;
		TRY(print_host(state, &held.wanted.items[i]));
	}
	if (hosts == 0)
		return fail(ERR_INTERNAL, "state",
			"%s: no OpenSSH certificate for a host is held; endorse enroll --template "
			"ssh-host gets one, where the service's policy gives it",
			options->state_dir);
	print_authorities(options, state, &held);
	return OK;
}

int ssh_config_command(int argc, char **argv)
{
	struct options options;
	enum err err = read_options(argc, argv, &options);

	if (err == OK && options.help) {
		fputs(ssh_config_usage, stdout);
		return EXIT_DONE;
	}
	if (err == OK)
		err = print(&options);
	if (err == OK)
		return EXIT_DONE;
	fprintf(stderr, "endorse: %s\n", why()->sentence);
	return exit_code(why());
}
