#include "enroll/admin/command.h"

#include "ca/base/cert.h"
#include "ca/lint.h"
#include "ca/template.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: endorsectl template check DIR [--ca FILE]\n"
	"       endorsectl template check --list-rules\n"
	"\n"
	"Reads the templates of DIR as the service does, and tells what it would refuse, and\n"
	"what would hurt later, one finding a line: file:line:column: [rule] what is wrong\n"
	"(clause). The service does not start with any, and keeps what it has at a reload.\n"
	"\n"
	"  --ca FILE      the issuing CA's certificate, PEM: is it one for such certificates?\n"
	"  --list-rules   tell the rules and their clauses\n"
	"\n"
	"Exit status: 0 nothing found; 1 something was found; 2 wrong usage, or a file that\n"
	"cannot be read.\n";

/* Other commands have other codes: a script asks this one a question. */
enum { EXIT_GOOD = 0, EXIT_FOUND = 1, EXIT_UNREAD = 2 };

static int unread(void)
{
	fprintf(stderr, "endorsectl: %s (%s)\n", why()->sentence, why()->code);
	return EXIT_UNREAD;
}

static int list_rules(void)
{
	const struct lint_rule *rule;

	for (size_t i = 0; (rule = lint_rule_at(i)) != NULL; i++)
		printf("%-20s %s (%s)\n", rule->name, rule->what, rule->clause);
	return EXIT_GOOD;
}

/* What cannot be opened is no finding. */
static enum err check_directory(const char *path)
{
	DIR *dir = opendir(path);

	if (dir == NULL)
		return fail(ERR_INTERNAL, "file-read", "%s: %s", path, strerror(errno));
	closedir(dir);
	return OK;
}

/* How many there are; whatever is wrong with any is among the problems. */
static size_t look(const char *dir, const X509 *issuer, struct problems *problems)
{
	AUTO(templates_free) struct templates *templates = NULL;
	size_t n = 0;

	if (templates_load(dir, problems, &templates) != OK ||
		templates_lint(templates, issuer, problems) != OK)
		return 0;
	while (template_at(templates, n) != NULL)
		n++;
	return n;
}

static int check(const char *dir, const char *ca)
{
	AUTO(problems_free) struct problems problems;
	AUTO(x509_stack_free) STACK_OF(X509) *certs = NULL;
	size_t n;

	problems_init(&problems);
	if ((ca != NULL && certs_read(ca, "ca-certificate", &certs) != OK) ||
		check_directory(dir) != OK)
		return unread();
	n = look(dir, ca == NULL ? NULL : sk_X509_value(certs, 0), &problems);
	fputs(buf_text(&problems.text), stdout);
	if (problems.n > 0) {
		fprintf(stderr, "endorsectl: %zu finding%s\n", problems.n,
			problems.n == 1 ? "" : "s");
		return EXIT_FOUND;
	}
	printf("%zu template%s, nothing found\n", n, n == 1 ? "" : "s");
	return EXIT_GOOD;
}

int command_template_check(int argc, char **argv)
{
	static const struct option options[] = {
		{"ca", required_argument, NULL, 'c'},
		{"list-rules", no_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *ca = NULL;
	bool is_list = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'c':
			ca = optarg;
			break;
		case 'l':
			is_list = true;
			break;
		case 'h':
			return command_told(usage);
		default:
			return command_misused(usage);
		}
	if (optind + !is_list != argc)
		return command_misused(usage);
	return is_list ? list_rules() : check(argv[optind], ca);
}
