#include "enroll/admin/ca.h"

#include "enroll/admin/command.h"

#include "ca/base/mem.h"

#include <getopt.h>
#include <stdio.h>

static const char init_usage[] =
	"usage: endorsectl ca init --dir DIR --organization NAME [--key-type TYPE]\n"
	"\n"
	"Makes the CAs of a new installation in DIR: a root, an issuing CA for devices, an edge\n"
	"CA for the service's own TLS certificate, the OpenSSH CAs of hosts and of users, and an\n"
	"admin CA for those who administer; keys are encrypted, each with a random passphrase in\n"
	"a file beside it. Nothing is ever overwritten.\n"
	"\n"
	"  --key-type TYPE   p256 (the default), p384, rsa2048, rsa3072 or ed25519, for all of\n"
	"                    them. The edge's own TLS key is P-256 with each of them.\n";

static const char init_ssh_usage[] =
	"usage: endorsectl ca init-ssh --dir DIR [--key-type TYPE]\n"
	"\n"
	"Makes the OpenSSH CAs of hosts and of users in DIR, for an installation whose other\n"
	"CAs are older than these; \"ca init\" has made them together since. Nothing is ever\n"
	"overwritten.\n"
	"\n"
	"  --key-type TYPE   p256 (the default), p384, rsa2048, rsa3072 or ed25519.\n";

static const char edge_usage[] =
	"usage: endorsectl ca edge --dir DIR --name NAME [--name NAME ...] --out FILE\n"
	"\n"
	"Issues a TLS server certificate by the edge CA of DIR for DNS names and IP addresses, "
	"and\n"
	"writes it with the edge CA's certificate and its new key into FILE, as HAProxy reads "
	"it.\n";

static void tell_ssh_made(const char *dir)
{
	printf("SSH host CA  %s/ssh-host-ca.pub   clients trust hosts by it (known_hosts: "
	       "@cert-authority)\n"
	       "SSH user CA  %s/ssh-user-ca.pub   servers trust users by it (sshd_config: "
	       "TrustedUserCAKeys)\n"
	       "             endorsed needs their keys for OpenSSH certificates: ssh_host_ca and "
	       "ssh_user_ca\n"
	       "             of endorsed.yaml; without, it gives none\n",
		dir, dir);
}

void ca_tell_admin(const char *dir)
{
	printf("admin CA     %s/admin-ca.pem      signs operators' certificates; endorsed and the "
	       "edge\n"
	       "             need this file (admin_ca of endorsed.yaml), and not its key. The "
	       "first admin:\n"
	       "               endorsectl ca operator NAME --dir %s --out NAME.pem\n"
	       "               endorsectl operator add NAME --role admin --why \"the first one\"\n",
		dir, dir);
}

static void tell_made(const char *dir)
{
	printf("root CA      %s/root.pem          relying parties and devices trust this\n"
	       "issuing CA   %s/issuing.pem       signs devices' certificates; endorsed needs its "
	       "key\n"
	       "edge CA      %s/edge-ca.pem       signs the TLS certificate: endorsectl ca edge\n"
	       "root key     %s/offline/          nothing in daily use needs it: move this "
	       "directory,\n"
	       "             key and passphrase apart, to where it cannot be stolen with the "
	       "machine\n",
		dir, dir, dir, dir);
}

static bool read_type(const char *word, enum key_type *out)
{
	if (key_type_read(word, out))
		return true;
	fprintf(stderr, "endorsectl: --key-type: there is no \"%s\"\n", word);
	return false;
}

bool ca_read_wish(int argc, char **argv, const char *usage, bool has_organization,
	struct ca_wish *out, int *code)
{
	/* The first one is not for all. */
	static const struct option options[] = {
		{"organization", required_argument, NULL, 'o'},
		{"dir", required_argument, NULL, 'd'},
		{"key-type", required_argument, NULL, 'k'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const struct option *taken = has_organization ? options : options + 1;
	int option;

	*out = (struct ca_wish){.type = KEY_TYPE_P256};
	while ((option = getopt_long(argc, argv, "", taken, NULL)) != -1)
		switch (option) {
		case 'd':
			out->dir = optarg;
			break;
		case 'o':
			out->organization = optarg;
			break;
		case 'k':
			if (!read_type(optarg, &out->type)) {
				*code = command_misused(usage);
				return false;
			}
			break;
		case 'h':
			*code = command_told(usage);
			return false;
		default:
			*code = command_misused(usage);
			return false;
		}
	if (out->dir != NULL && (out->organization != NULL) == has_organization && optind == argc)
		return true;
	*code = command_misused(usage);
	return false;
}

int command_ca_init(int argc, char **argv)
{
	struct ca_wish wish;
	int code;

	if (!ca_read_wish(argc, argv, init_usage, true, &wish, &code))
		return code;
	if (hierarchy_make(wish.dir, wish.organization, wish.type) != OK)
		return command_failed();
	tell_made(wish.dir);
	tell_ssh_made(wish.dir);
	ca_tell_admin(wish.dir);
	return EXIT_DONE;
}

int command_ca_init_ssh(int argc, char **argv)
{
	struct ca_wish wish;
	int code;

	if (!ca_read_wish(argc, argv, init_ssh_usage, false, &wish, &code))
		return code;
	if (hierarchy_ssh(wish.dir, wish.type) != OK)
		return command_failed();
	tell_ssh_made(wish.dir);
	return EXIT_DONE;
}

int command_ca_edge(int argc, char **argv)
{
	static const struct option options[] = {
		{"dir", required_argument, NULL, 'd'},
		{"name", required_argument, NULL, 'n'},
		{"out", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *dir = NULL, *path = NULL, *names[32];
	size_t n = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'd':
			dir = optarg;
			break;
		case 'o':
			path = optarg;
			break;
		case 'n':
			if (n == COUNT(names))
				return command_misused(edge_usage);
			names[n++] = optarg;
			break;
		case 'h':
			return command_told(edge_usage);
		default:
			return command_misused(edge_usage);
		}
	if (dir == NULL || path == NULL || n == 0 || optind != argc)
		return command_misused(edge_usage);
	if (hierarchy_edge(dir, names, n, path) != OK)
		return command_failed();
	printf("edge certificate %s (397 days; make the next one before it ends)\n", path);
	return EXIT_DONE;
}
