/* ssh_config.c - `endorse ssh-config`. */
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "enroll/agent/command.h"
#include "enroll/agent/exit.h"
#include "enroll/agent/held.h"
#include "enroll/agent/krl_file.h"
#include "enroll/agent/options.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX_SIZE 8192
#define PUB ".pub"

const char ssh_config_usage[] =
	"usage: endorse ssh-config [--state DIR] [--trust-users] [--krl FILE]\n"
	"\n"
	"Prints what goes into sshd_config, so that sshd shows its certificates, and behind \"#\"\n"
	"the line for everybody's known_hosts, so that nobody is asked about a host key again.\n"
	"\n"
	"  --trust-users  let in whom the service's CA for users certified: TrustedUserCAKeys,\n"
	"                 which is only a comment otherwise\n"
	"  --krl FILE     what endorse krl-sync keeps current, for RevokedKeys, which is only a\n"
	"                 comment until it is there: sshd lets nobody in by a key while it cannot\n"
	"                 read it; default " KRL_FILE_DEFAULT "\n"
	"  --state DIR    default " STATE_DEFAULT "\n";

struct options {
	const char *state_dir, *krl;
	bool trusts_users;
	bool help;
};

static enum err read_option(int id, const char *value, void *into)
{
	struct options *out = into;

	if (id == 'u')
		out->trusts_users = true;
	else if (id == 'k')
		out->krl = value;
	else
		out->state_dir = value;
	return OK;
}

static enum err read_options(int argc, char **argv, struct options *out)
{
	static const struct option options[] = {
		{"trust-users", no_argument, NULL, 'u'},
		{"krl", required_argument, NULL, 'k'},
		{"state", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};

	*out = (struct options){.state_dir = STATE_DEFAULT, .krl = KRL_FILE_DEFAULT};
	return options_read(argc, argv, options, read_option, out, &out->help);
}

/* The private half's file; false when nobody says where that is. */
static bool private_half(const struct want *want, char out[static WANT_PATH + 1])
{
	size_t n = strlen(want->file), end = strlen(PUB);

	if (want->key != WANT_FILE || n <= end || strcmp(want->file + n - end, PUB) != 0)
		return false;
	snprintf(out, WANT_PATH + 1, "%.*s", (int)(n - end), want->file);
	return true;
}

/* sshd has these by itself as long as no line names one, and then only those that are named. */
static bool is_default(const char *key)
{
	static const char *const defaults[] = {"/etc/ssh/ssh_host_rsa_key",
		"/etc/ssh/ssh_host_ecdsa_key", "/etc/ssh/ssh_host_ed25519_key"};

	for (size_t i = 0; i < COUNT(defaults); i++)
		if (strcmp(key, defaults[i]) == 0)
			return true;
	return false;
}

/* A line that sshd cannot use may keep it from starting, and everybody out: it is a comment then. */
static void print_key(const char *key, const char *certificate)
{
	if (is_default(key))
		printf("# sshd has %s by itself, unless some line says HostKey\n", key);
	else
		printf("# sshd has only the keys that are named, once one is: name the others too\n"
		       "HostKey %s\n",
			key);
	printf("HostCertificate %s\n", certificate);
}

static void print_unusable(const struct want *want, const char *pub, const char *certificate)
{
	if (want->key == WANT_TPM)
		printf("# %s: the key is in the TPM, where sshd reaches it only through an agent\n"
		       "# that signs with it (HostKeyAgent), and Endorse has none:\n",
			want->template);
	else
		printf("# %s: sshd wants the file of the private key:\n", want->template);
	printf("# HostKey %s\n# HostCertificate %s\n", pub, certificate);
}

static enum err print_host(struct state *state, const struct want *want)
{
	AUTO(mem_free) char *certificate = state_file(state, want->template, STATE_SSH);
	AUTO(mem_free) char *pub = state_file(state, want->template, STATE_SSH_PUB);
	char key[WANT_PATH + 1];

	if (certificate == NULL || pub == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%s", want->template);
	if (private_half(want, key))
		print_key(key, certificate);
	else
		print_unusable(want, pub, certificate);
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

/*
 * Hosts of this one's domain are what its CA is likely to be for. One without a dot in it may be all
 * that ends in ".com", and without any domain it would be every host there is: then it is this one.
 */
static void print_known_hosts(const char *host, const char *ca)
{
	const char *domain = strchr(host, '.');

	printf("# known_hosts: @cert-authority %s", host);
	if (domain != NULL && strchr(domain + 1, '.') != NULL)
		printf(",*%s", domain);
	printf(" %s\n", ca);
}

static void print_authorities(
	const struct options *options, struct state *state, const struct held *held)
{
	char ca[LINE_MAX_SIZE];

	if (read_ca(state, STATE_SSH_USER_CA, ca))
		printf("%sTrustedUserCAKeys %s\n", options->trusts_users ? "" : "# ",
			state_path(state, STATE_SSH_USER_CA));
	if (read_ca(state, STATE_SSH_HOST_CA, ca))
		print_known_hosts(held->enrollment.host, ca);
}

/* What is no list would keep everybody out. */
static void print_revoked(const struct options *options)
{
	AUTO(krl_file_free) struct krl_file file = {.is_good = false};
	bool is_usable = krl_file_read(options->krl, &file) == OK && file.is_good;

	if (!is_usable)
		printf("# once endorse krl-sync has put it there:\n");
	printf("%sRevokedKeys %s\n# ssh_config: RevokedHostKeys %s\n", is_usable ? "" : "# ",
		options->krl, options->krl);
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
	print_revoked(options);
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
	return exit_failed();
}
