#include "enroll/admin/command.h"

#include "ca/base/clock.h"
#include "ca/base/printable.h"
#include "enroll/admin/client.h"
#include "enroll/admin/gather.h"
#include "enroll/admin/vendors_print.h"
#include "enroll/admin/words.h"
#include "enroll/proto/attempts.h"
#include "enroll/proto/vendors.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char import_usage[] =
	"usage: endorsectl vendors import PATH... --why TEXT [--dry-run] [--manufacturer LIST]\n"
	"       [--pin] [--source NAME] [--vendors DIR]\n"
	"       [--cab-root FILE --cab-root-sha256 HEX]\n"
	"       [--cab-stamp-root FILE --cab-stamp-root-sha256 HEX]\n"
	"\n"
	"Adds CA certificates and CRLs of TPM manufacturers to what all servers of this service\n"
	"trust. PATH is a file (PEM with one or more, DER, PKCS#7, a bundle of\n"
	"tpm-ca-certificates or of vendors export, Microsoft's TrustedTpm.cab), or a directory\n"
	"of them. What is no CA of EKs is left out, and told.\n"
	"\n"
	"  --why TEXT         what the audit keeps beside the act\n"
	"  --dry-run          only tell what would change\n"
	"  --manufacturer L   whom the roots may vouch for: id:XXXXXXXX[,...], or any\n"
	"  --pin              every CA is a root, also one that somebody else has signed\n"
	"  --source NAME      what to call where they come from (default: the file's name)\n"
	"  --vendors DIR      by whose vendor.yaml roots are known (default: " ENDORSE_VENDORS_DIR
	")\n"
	"  --cab-root FILE    the root that a cabinet must be signed under, a certificate\n"
	"  --cab-root-sha256 HEX        and its SHA-256\n"
	"  --cab-stamp-root FILE        the root of its time stamp, where that is another\n"
	"  --cab-stamp-root-sha256 HEX  and its SHA-256\n" ADMIN_USAGE;

/* What is wanted. */
struct wish {
	struct admin_server server;
	const char *why, *source, *vendors;
	bool is_dry_run, is_help;
	struct cab_trust cab;
	struct gather_wish gather;
};

enum {
	WHY = 256,
	DRY_RUN,
	MANUFACTURER,
	PIN,
	SOURCE,
	VENDORS,
	ROOT,
	ROOT_SHA,
	STAMP,
	STAMP_SHA,
	HELP
};

static bool take_option(struct wish *wish, int option, const char *value)
{
	switch (option) {
	case WHY:
		wish->why = value;
		return true;
	case DRY_RUN:
		return wish->is_dry_run = true;
	case MANUFACTURER:
		wish->gather.manufacturers = value;
		return true;
	case PIN:
		return wish->gather.pins = true;
	case SOURCE:
		wish->source = value;
		return true;
	case VENDORS:
		wish->vendors = value;
		return true;
	case ROOT:
		wish->cab.root = value;
		return true;
	case ROOT_SHA:
		wish->cab.root_sha256 = value;
		return true;
	case STAMP:
		wish->cab.stamp_root = value;
		return true;
	case STAMP_SHA:
		wish->cab.stamp_root_sha256 = value;
		return true;
	case HELP:
		return wish->is_help = true;
	default:
		return admin_option(&wish->server, option, value);
	}
}

static bool read_wish(int argc, char **argv, struct wish *wish)
{
	static const struct option options[] = {
		{"why", required_argument, NULL, WHY},
		{"dry-run", no_argument, NULL, DRY_RUN},
		{"manufacturer", required_argument, NULL, MANUFACTURER},
		{"pin", no_argument, NULL, PIN},
		{"source", required_argument, NULL, SOURCE},
		{"vendors", required_argument, NULL, VENDORS},
		{"cab-root", required_argument, NULL, ROOT},
		{"cab-root-sha256", required_argument, NULL, ROOT_SHA},
		{"cab-stamp-root", required_argument, NULL, STAMP},
		{"cab-stamp-root-sha256", required_argument, NULL, STAMP_SHA},
		{"help", no_argument, NULL, HELP},
		ADMIN_OPTIONS,
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!take_option(wish, option, optarg))
			return false;
	if (wish->is_help)
		return true;
	return optind < argc;
}

static bool has_half_a_root(const struct wish *wish)
{
	return (wish->cab.root == NULL) != (wish->cab.root_sha256 == NULL) ||
	       (wish->cab.stamp_root == NULL) != (wish->cab.stamp_root_sha256 == NULL);
}

/* Without a tree of vendors there is only less to go by, unless one was named. */
static enum err load_vendors(const struct wish *wish, struct vendors **out)
{
	struct problems problems;
	enum err err;

	problems_init(&problems);
	err = vendors_load(
		wish->vendors == NULL ? ENDORSE_VENDORS_DIR : wish->vendors, &problems, out);
	if (problems.n > 0)
		fprintf(stderr, "endorsectl: %s", buf_text(&problems.text));
	problems_free(&problems);
	if (err == OK || wish->vendors != NULL)
		return err;
	if (wish->gather.manufacturers == NULL)
		fprintf(stderr,
			"endorsectl: %s: no vendors are installed there by which roots would be "
			"known: "
			"say where they are (--vendors DIR)\n",
			ENDORSE_VENDORS_DIR);
	return OK;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL || slash[1] == '\0' ? path : slash + 1;
}

/* Below the PATH that was named: where that lay on this machine tells nobody anything later. */
static const char *below(const struct gathered *from)
{
	size_t n = strlen(from->origin);

	while (n > 0 && from->origin[n - 1] == '/')
		n--;
	return strncmp(from->path, from->origin, n) == 0 && from->path[n] == '/'
		       ? from->path + n + strspn(from->path + n, "/")
		       : last_part(from->path);
}

/* The texts of a request: as the wire takes them. */
struct words {
	char (*source)[LIMIT_IMPORT_TEXT + 1], (*path)[LIMIT_IMPORT_TEXT + 1];
};

static void words_free(struct words *words)
{
	free(words->source);
	free(words->path);
}

static void fill_item(const struct wish *wish, const struct gathered *from, struct words *words,
	size_t i, struct import_item *out)
{
	const char *source = wish->source != NULL	  ? wish->source
			     : from->entry.source != NULL ? from->entry.source
							  : last_part(from->origin);
	bool is_root = from->candidate.role == TRUST_ROOT;

	printable(source, words->source[i], sizeof(words->source[i]));
	printable(below(from), words->path[i], sizeof(words->path[i]));
	*out = (struct import_item){
		.role = candidate_role_words[from->candidate.role],
		.manufacturers =
			is_root && from->manufacturers[0] == '\0' ? "any" : from->manufacturers,
		.source = words->source[i],
		.path = words->path[i],
		.der = {from->entry.der, from->entry.der_n},
	};
}

static enum err ask(const struct wish *wish, const struct gathered *const *sent, size_t n,
	struct import_answer *answer, struct problem *problem)
{
	AUTO(import_request_free) struct import_request request = {.n = 0};
	AUTO(words_free) struct words words = {NULL, NULL};
	AUTO(buf_free) struct buf json = BUF(LIMIT_IMPORT_BODY), said = BUF(LIMIT_ADMIN_ANSWER);

	if (n > LIMIT_IMPORT_ITEMS)
		return fail(ERR_TOO_LARGE, "gather-size",
			"%zu certificates: at most %d go in one import, so do it in parts", n,
			LIMIT_IMPORT_ITEMS);
	words = (struct words){
		calloc(n + 1, sizeof(*words.source)), calloc(n + 1, sizeof(*words.path))};
	if (words.source == NULL || words.path == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "vendors import");
	TRY(import_request_init(&request, n));
	for (size_t i = 0; i < n; i++)
		fill_item(wish, sent[i], &words, i, &request.items[i]);
	request.n = n;
	request.is_dry_run = wish->is_dry_run;
	snprintf(request.why, sizeof(request.why), "%s", wish->why == NULL ? "" : wish->why);
	if (import_request_encode(&request, &json) != OK)
		return fail(ERR_TOO_LARGE, "gather-size", "more than %d MiB: import it in parts",
			LIMIT_IMPORT_BODY >> 20);
	TRY(admin_post(&wish->server, "/v1/admin/vendors/import", buf_view(&json), &said, problem));
	TRY(import_answer_parse(buf_view(&said), answer));
	return answer->n == n
		       ? OK
		       : fail(ERR_BUSY, "unreachable",
				 "the service answered for %zu of %zu certificates", answer->n, n);
}

static int import(const struct wish *wish, const struct gathering *gathering)
{
	AUTO(mem_free) const struct gathered **sent = calloc(gathering->n + 1, sizeof(*sent));
	AUTO(import_answer_free) struct import_answer answer = {.n = 0};
	struct problem problem = {0};
	size_t n = 0;
	enum err err;

	if (sent == NULL)
		return EXIT_FAILED;
	for (size_t i = 0; i < gathering->n; i++)
		if (gathering->item[i].code[0] == '\0' && !gathering->item[i].is_double)
			sent[n++] = &gathering->item[i];
	err = n == 0 ? OK : ask(wish, sent, n, &answer, &problem);
	if (err == ERR_DENIED)
		return command_refused(&problem);
	if (err != OK)
		return command_failed();
	vendors_print_import(stdout, gathering, sent, &answer, wish->is_dry_run);
	if (n > 0 && !wish->is_dry_run)
		puts("every server of the service has it within five seconds");
	if (n > 0)
		return EXIT_DONE;
	fputs("endorsectl: there is nothing to import\n", stderr);
	return EXIT_FAILED;
}

int command_vendors_import(int argc, char **argv)
{
	AUTO(vendors_free) struct vendors *vendors = NULL;
	AUTO(gathering_free) struct gathering gathering;
	struct wish wish = {.server = ADMIN_SERVER};

	gathering_init(&gathering);
	if (!read_wish(argc, argv, &wish))
		return command_misused(import_usage);
	if (wish.is_help)
		return command_told(import_usage);
	if (wish.why == NULL && !wish.is_dry_run)
		return command_lacks_why();
	if (has_half_a_root(&wish)) {
		fputs("endorsectl: --cab-root FILE and --cab-root-sha256 HEX go together, and so "
		      "do the two of --cab-stamp-root\n",
			stderr);
		return EXIT_WRONG_USAGE;
	}
	if (wish.gather.manufacturers != NULL && !manufacturer_option(wish.gather.manufacturers))
		return EXIT_WRONG_USAGE;
	if (wish.why != NULL && strlen(wish.why) > LIMIT_WHY) {
		fprintf(stderr, "endorsectl: TEXT has at most %d bytes\n", LIMIT_WHY);
		return EXIT_WRONG_USAGE;
	}
	if (load_vendors(&wish, &vendors) != OK)
		return command_failed();
	wish.gather.cab = &wish.cab;
	wish.gather.vendors = vendors;
	wish.gather.now = clock_now();
	for (; optind < argc; optind++)
		if (gather(argv[optind], &wish.gather, &gathering) != OK)
			return command_failed();
	return import(&wish, &gathering);
}
