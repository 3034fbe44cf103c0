#include "enroll/admin/command.h"

#include "ca/base/file.h"
#include "ca/base/printable.h"
#include "enroll/admin/allow_post.h"
#include "enroll/admin/allow_print.h"
#include "enroll/admin/manifest.h"
#include "enroll/admin/words.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: endorsectl ek allow import FILE.csv --why TEXT [--skip-bad] [--dry-run]\n"
	"                                  [--admin URL] [--token-file FILE]\n"
	"\n"
	"Puts all EKs of a list on the allow-list, in one act: when any line is bad, none is. The "
	"first\n"
	"line names the columns: ek_digest, ek_public (TPM2B_PUBLIC in base64 or hexadecimal), "
	"serial,\n"
	"host, labels (\"name=text;name=text\"); one of the first two is wanted. Every bad line is "
	"told\n"
	"with its number. An EK with a host is registered: only that name and that EK go "
	"together.\n"
	"\n"
	"  --why TEXT         what the audit keeps beside the act\n"
	"  --skip-bad         leave bad lines out, and take the others\n"
	"  --dry-run          tell what would come of it, and change nothing\n" ADMIN_USAGE;

struct wish {
	struct admin_server server;
	char why[LIMIT_WHY + 1];
	bool skip_bad, dry_run;
};

static void tell_bad(
	const char *path, const struct manifest *manifest, const struct allow_answer *answer)
{
	for (size_t i = 0; i < answer->bad_n; i++) {
		size_t entry = (size_t)answer->bad[i].entry;

		if (entry < manifest->request.n)
			fprintf(stderr, "%s:%zu: %s (%s)\n", path, manifest->line[entry],
				allow_fate_sentence(answer->bad[i].fate),
				allow_fate_words[answer->bad[i].fate]);
	}
}

static void tell(
	const struct wish *wish, const struct manifest *manifest, const struct allow_answer *answer)
{
	size_t bad = manifest->bad + answer->bad_n;
	bool none = bad > 0 && !wish->skip_bad;

	printf("%lld new, %lld that were there, %zu bad line(s)", (long long)answer->added,
		(long long)answer->same, bad);
	if (wish->dry_run)
		printf("; nothing was changed: this was a dry run\n");
	else if (none)
		printf("; nothing was imported: mend the bad lines, or leave them out with "
		       "--skip-bad\n");
	else
		printf("; imported\nthey need no certificate where the name's rule takes "
		       "allow-list "
		       "(trust, in the policy)\n");
}

/* With bad lines of our own the service still says what else is bad, and changes nothing. */
static int import(const struct wish *wish, const char *path, struct manifest *manifest)
{
	AUTO(allow_answer_free) struct allow_answer answer = {0};
	struct allow_request *request = &manifest->request;
	struct problem problem = {0};
	const char *name = strrchr(path, '/');
	enum err err;

	printable(name == NULL ? path : name + 1, request->source, sizeof(request->source));
	snprintf(request->why, sizeof(request->why), "%s", wish->why);
	request->skip_bad = wish->skip_bad;
	request->dry_run = wish->dry_run || (manifest->bad > 0 && !wish->skip_bad);
	err = allow_post(&wish->server, request, &answer, &problem);
	if (err == ERR_DENIED)
		return command_refused(&problem);
	if (err != OK)
		return command_failed();
	tell_bad(path, manifest, &answer);
	tell(wish, manifest, &answer);
	return manifest->bad + answer.bad_n == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int run(const struct wish *wish, const char *path)
{
	AUTO(buf_free) struct buf text = BUF(MANIFEST_MAX);
	AUTO(manifest_free) struct manifest manifest;

	manifest_init(&manifest);
	if (file_read(path, &text) != OK || manifest_read(buf_view(&text), path, &manifest) != OK) {
		fputs(buf_text(&manifest.problems), stderr);
		return command_failed();
	}
	fputs(buf_text(&manifest.problems), stderr);
	return import(wish, path, &manifest);
}

int command_ek_allow_import(int argc, char **argv)
{
	static const struct option options[] = {
		{"why", required_argument, NULL, 'w'},
		{"skip-bad", no_argument, NULL, 's'},
		{"dry-run", no_argument, NULL, 'n'},
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct wish wish = {.server = ADMIN_SERVER};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'w':
			if (!why_option(optarg, wish.why))
				return EXIT_WRONG_USAGE;
			break;
		case 's':
			wish.skip_bad = true;
			break;
		case 'n':
			wish.dry_run = true;
			break;
		case 'h':
			return command_told(usage);
		default:
			if (!admin_option(&wish.server, option, optarg))
				return command_misused(usage);
		}
	if (optind + 1 == argc && wish.why[0] == '\0')
		return command_lacks_why();
	if (optind + 1 != argc)
		return command_misused(usage);
	return run(&wish, argv[optind]);
}
