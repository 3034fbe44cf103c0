/* main.c - endorsectl: what operators and admins type. */

#include "ca/base/mem.h"
#include "enroll/admin/command.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: endorsectl COMMAND ...\n"
	"\n"
	"  attempts                     watch which devices are refused, why, and what to do\n"
	"  audit                        tell what was done and refused, by whom and why\n"
	"  ca crl                       make the root's CRL, and take a CA back\n"
	"  ca edge                      make the TLS certificate of the service's edge\n"
	"  ca init                      make the CAs of a new installation\n"
	"  ca init-admin                make the CA of operators' certificates alone\n"
	"  ca init-ssh                  make the OpenSSH CAs alone, for CAs that are older\n"
	"  ca operator                  make the certificate of somebody who administers\n"
	"  certificate download         write one as it was issued\n"
	"  certificate list             look for certificates that were issued\n"
	"  certificate show             tell all about one\n"
	"  crl export                   write the CRLs as files, for a web server\n"
	"  device labels                change the labels of one\n"
	"  device list                  look for devices by whatever is known of them\n"
	"  device show                  tell all about one\n"
	"  doctor                       look at the service and say what would fail\n"
	"  ek allow add                 believe an EK, or await it under a name\n"
	"  ek allow import              the same for all of a factory's list\n"
	"  ek allow list                tell which EKs are believed so\n"
	"  ek allow remove              believe one no longer\n"
	"  export certificates          write all certificates as CSV or JSON lines\n"
	"  export devices               write all devices as CSV or JSON lines\n"
	"  hold certificate             revoke one certificate for the time being\n"
	"  hold device                  cut a machine off for the time being\n"
	"  host list                    tell which host names are bound, or barred\n"
	"  host rebind                  let a name go on with another TPM, after a board swap\n"
	"  host retire                  revoke what a name has, and free it\n"
	"  host unbind                  take a host name away from its device\n"
	"  krl export                   write the list of what OpenSSH is not to take any more\n"
	"  operator add                 let somebody administer\n"
	"  operator disable             let him in no more\n"
	"  operator list                tell who may administer\n"
	"  operator revoke-certificate  take one certificate of an operator back\n"
	"  operator role                change what somebody may\n"
	"  pending accept-once          let this one TPM enroll under the name it asked for\n"
	"  pending list                 tell which attempts are held for somebody to decide\n"
	"  pending reject               keep it out\n"
	"  pending show                 tell all about one, and what can be decided\n"
	"  pending trust-ca             trust the CA that vouches for it\n"
	"  reinstate device             let a revoked machine enroll again\n"
	"  reinstate host               let a revoked name be had again\n"
	"  reload                       have the service take its configuration anew\n"
	"  revocation                   tell what of it is still to be published\n"
	"  revoke ca-key                take back a CA, with all that it signed\n"
	"  revoke certificate           revoke one certificate\n"
	"  revoke device                cut a machine off, everywhere and in one act\n"
	"  revoke host                  revoke what a name has, and keep it from everybody\n"
	"  statistics                   tell how many there are of what\n"
	"  status                       tell of a server in a few lines\n"
	"  template check               tell what of templates is wrong, or would hurt later\n"
	"  template list                tell which templates the service works with\n"
	"  template show                show what a device would be given by one\n"
	"  token create                 make a token for a program that administers\n"
	"  token list                   tell which there are\n"
	"  token revoke                 let nobody in by one any more\n"
	"  unhold certificate           give back one certificate that was held\n"
	"  unhold device                give a machine back what was held\n"
	"  vendors export               write all that the service trusts as one bundle\n"
	"  vendors import               trust more manufacturers\n"
	"  vendors list                 tell what the service trusts about TPMs\n"
	"  vendors remove               trust one no more\n"
	"  vendors show                 tell one certificate of that\n"
	"  vendors verify               judge an EK certificate as the service would\n"
	"  whoami                       tell as whom the service knows you\n"
	"\n"
	"endorsectl COMMAND --help tells more.\n"
	"Exit status: 0 done; 1 a failure; 2 wrong usage; 5 refused by the service.\n";

static const struct {
	const char *words; /* joined by blanks */
	int (*run)(int argc, char **argv);
} commands[] = {
	{"attempts", command_attempts},
	{"audit", command_audit},
	{"ca crl", command_ca_crl},
	{"ca edge", command_ca_edge},
	{"ca init", command_ca_init},
	{"ca init-admin", command_ca_init_admin},
	{"ca init-ssh", command_ca_init_ssh},
	{"ca operator", command_ca_operator},
	{"certificate download", command_certificate_download},
	{"certificate list", command_certificate_list},
	{"certificate show", command_certificate_show},
	{"crl export", command_crl_export},
	{"device labels", command_device_labels},
	{"device list", command_device_list},
	{"device show", command_device_show},
	{"doctor", command_doctor},
	{"ek allow add", command_ek_allow_add},
	{"ek allow import", command_ek_allow_import},
	{"ek allow list", command_ek_allow_list},
	{"ek allow remove", command_ek_allow_remove},
	{"export certificates", command_export_certificates},
	{"export devices", command_export_devices},
	{"hold certificate", command_hold_certificate},
	{"hold device", command_hold_device},
	{"host list", command_host_list},
	{"host rebind", command_host_rebind},
	{"host retire", command_host_retire},
	{"host unbind", command_host_unbind},
	{"krl export", command_krl_export},
	{"operator add", command_operator_add},
	{"operator disable", command_operator_disable},
	{"operator list", command_operator_list},
	{"operator revoke-certificate", command_operator_revoke_certificate},
	{"operator role", command_operator_role},
	{"pending accept-once", command_pending_accept_once},
	{"pending list", command_pending_list},
	{"pending reject", command_pending_reject},
	{"pending show", command_pending_show},
	{"pending trust-ca", command_pending_trust_ca},
	{"reinstate device", command_reinstate_device},
	{"reinstate host", command_reinstate_host},
	{"reload", command_reload},
	{"revocation", command_revocation},
	{"revoke ca-key", command_revoke_ca},
	{"revoke certificate", command_revoke_certificate},
	{"revoke device", command_revoke_device},
	{"revoke host", command_revoke_host},
	{"statistics", command_statistics},
	{"status", command_status},
	{"template check", command_template_check},
	{"template list", command_template_list},
	{"template show", command_template_show},
	{"token create", command_token_create},
	{"token list", command_token_list},
	{"token revoke", command_token_revoke},
	{"unhold certificate", command_unhold_certificate},
	{"unhold device", command_unhold_device},
	{"vendors export", command_vendors_export},
	{"vendors import", command_vendors_import},
	{"vendors list", command_vendors_list},
	{"vendors remove", command_vendors_remove},
	{"vendors show", command_vendors_show},
	{"vendors verify", command_vendors_verify},
	{"whoami", command_whoami},
};

/* How many arguments are the command's words; 0: it is another command. */
static int words_of(const char *words, int argc, char **argv)
{
	int n = 0;

	while (*words != '\0') {
		size_t length = strcspn(words, " ");

		if (++n >= argc || strlen(argv[n]) != length ||
			strncmp(argv[n], words, length) != 0)
			return 0;
		words += length + (words[length] == ' ');
	}
	return n;
}

/* Tells of the commands that begin with the words, such as "vendors"; false: there are none. */
static bool tell_group(const char *words, FILE *out)
{
	size_t n = strlen(words), told = 0;

	for (const char *line = usage; *line != '\0'; line += strcspn(line, "\n") + 1) {
		if (strncmp(line, "  ", 2) != 0 || strncmp(line + 2, words, n) != 0 ||
			line[2 + n] != ' ')
			continue;
		if (told++ == 0)
			fprintf(out, "usage: endorsectl %s ...\n\n", words);
		fprintf(out, "%.*s\n", (int)strcspn(line, "\n"), line);
	}
	if (told > 0)
		fputs("\nendorsectl COMMAND --help tells more.\n", out);
	return told > 0;
}

/* What is no command: a group of them, or a mistake. */
static int told_otherwise(int argc, char **argv)
{
	bool asks = strcmp(argv[argc - 1], "--help") == 0;
	int n = argc - 1 - asks;
	char words[64];

	snprintf(words, sizeof(words), "%s%s%s", n > 0 ? argv[1] : "", n > 1 ? " " : "",
		n > 1 ? argv[2] : "");
	if (n > 0 && n < 3 && tell_group(words, asks ? stdout : stderr))
		return asks ? EXIT_DONE : EXIT_WRONG_USAGE;
	fprintf(stderr, "endorsectl: there is no command \"%s\"\n", words);
	if (n > 1 && tell_group(argv[1], stderr))
		return EXIT_WRONG_USAGE;
	return command_misused(usage);
}

int main(int argc, char **argv)
{
	static char name[64];

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("endorsectl " ENDORSE_VERSION);
		return EXIT_DONE;
	}
	if (argc >= 2 && strcmp(argv[1], "--help") == 0)
		return command_told(usage);
	for (size_t i = 0; i < COUNT(commands); i++) {
		int words = words_of(commands[i].words, argc, argv);

		if (words > 0) {
			/* getopt_long() begins its messages with it. */
			snprintf(name, sizeof(name), "endorsectl %s", commands[i].words);
			argv[words] = name;
			return commands[i].run(argc - words, argv + words);
		}
	}
	return argc >= 2 ? told_otherwise(argc, argv) : command_misused(usage);
}
