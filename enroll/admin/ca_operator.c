#include "enroll/admin/ca.h"
#include "enroll/admin/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char init_usage[] =
	"usage: endorsectl ca init-admin --dir DIR --organization NAME [--key-type TYPE]\n"
	"\n"
	"Makes the admin CA in DIR, whose certificates let those in who administer, for an\n"
	"installation whose other CAs are older; \"ca init\" has made them together since.\n"
	"Nothing is ever overwritten.\n"
	"\n"
	"  --key-type TYPE   p256 (the default), p384, rsa2048, rsa3072 or ed25519.\n";

static const char operator_usage[] =
	"usage: endorsectl ca operator NAME --dir DIR --out FILE [--days N]\n"
	"\n"
	"Issues a TLS client certificate for NAME by the admin CA of DIR and writes it with its\n"
	"new key into FILE. It lets nobody in before an admin has typed endorsectl operator add.\n"
	"\n"
	"  --days N          how long it is valid: 1 to 825 (default: 365)\n";

int command_ca_init_admin(int argc, char **argv)
{
	struct ca_wish wish;
	int code;

	if (!ca_read_wish(argc, argv, init_usage, true, &wish, &code))
		return code;
	if (hierarchy_admin(wish.dir, wish.organization, wish.type) != OK)
		return command_failed();
	ca_tell_admin(wish.dir);
	return EXIT_DONE;
}

/* What is no number is 0, which the certificate is not made for. */
static int64_t read_days(const char *text)
{
	char *end;
	long days;

	errno = 0;
	days = strtol(text, &end, 10);
	return *text == '\0' || *end != '\0' || errno != 0 ? 0 : days;
}

static int make(const char *dir, const char *name, int64_t days, const char *path)
{
	if (hierarchy_operator(dir, name, days, path) != OK)
		return command_failed();
	printf("certificate and key of %s: %s (%lld days)\n"
	       "give %s this file by a way that nobody else sees, and let him in:\n"
	       "  endorsectl operator add %s --role auditor|operator|admin --why TEXT\n"
	       "a browser or token takes it as PKCS#12: openssl pkcs12 -export -in %s -out "
	       "FILE.p12\n",
		name, path, (long long)days, name, name, path);
	return EXIT_DONE;
}

int command_ca_operator(int argc, char **argv)
{
	static const struct option options[] = {
		{"dir", required_argument, NULL, 'd'},
		{"out", required_argument, NULL, 'o'},
		{"days", required_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *dir = NULL, *path = NULL;
	int64_t days = OPERATOR_DAYS;
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
			days = read_days(optarg);
			break;
		case 'h':
			return command_told(operator_usage);
		default:
			return command_misused(operator_usage);
		}
	if (dir == NULL || path == NULL || optind + 1 != argc)
		return command_misused(operator_usage);
	return make(dir, argv[optind], days, path);
}
