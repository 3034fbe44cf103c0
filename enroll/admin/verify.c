#include "enroll/admin/command.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/folder.h"
#include "enroll/admin/ekreport_print.h"
#include "enroll/admin/examine.h"
#include "enroll/admin/paragraph.h"
#include "enroll/admin/truststore.h"
#include "enroll/admin/words.h"
#include "enroll/tpm/nvcert.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define TRUST_MAX 32

/* Other commands have other codes: a script asks this one a question. */
enum { EXIT_ACCEPTED = 0, EXIT_REFUSES = 1, EXIT_UNJUDGED = 2 };

static const char usage[] =
	"usage: endorsectl vendors verify FILE... [--trust PATH]... [--chain FILE]... [--at DATE]\n"
	"                                 [--manufacturer LIST] [--expired strict|warn] "
	"[--ek-public FILE]\n"
	"                                 [--json]\n"
	"\n"
	"Judges EK certificates as the service would, by the same code and without it: DER, PEM, "
	"or\n"
	"the content of an NV index as it was read; FILE - is standard input, of a directory all "
	"files\n"
	"are judged. Tells what it is, through which path it is believed, or why not and what to "
	"do.\n"
	"One FILE is told in full, several in a line each. Nothing is fetched from anywhere.\n"
	"\n"
	"  --trust PATH       whom to believe: a tree of vendors, a bundle (vendors export), a\n"
	"                     directory with roots/ and intermediates/ in it, or a file or other\n"
	"                     directory as vendors import takes it; several times; default: the\n"
	"                     vendors that are installed\n"
	"  --manufacturer L   whom all roots of such a file or directory may vouch for:\n"
	"                     id:XXXXXXXX[,...], or any\n"
	"  --chain FILE       intermediates that the device has, PEM, DER or as NV has them "
	"joined;\n"
	"                     those that follow in a PEM FILE are taken by themselves\n"
	"  --at DATE          judge by this day, 2026-11-22, or moment, 2026-11-22T12:00:00Z\n"
	"  --expired WORD     strict (default): expired is refused; warn: it is a remark, as with\n"
	"                     expired_ek: warn in a policy\n"
	"  --ek-public FILE   the EK's public area (TPM2B_PUBLIC), to be compared; without FILE "
	"it\n"
	"                     is all there is\n"
	"  --json             one JSON object a line for each FILE\n"
	"\n"
	"Exit status: 0 all accepted; 1 any refused; 2 any could not be judged (no such file,\n"
	"nobody to trust, wrong usage).\n";

struct wish {
	struct examiner examiner;
	const char *trust[TRUST_MAX], *manufacturers;
	size_t trust_n;
	struct view chain[LIMIT_INTERMEDIATES];
	struct ekfile chain_files[LIMIT_INTERMEDIATES];
	size_t chain_files_n;
	struct buf ek_public;
	enum print_form form;
	bool is_many;
	size_t accepted, refused, unjudged;
};

static int unjudged(void)
{
	fprintf(stderr, "endorsectl: %s (%s)\n", why()->sentence, why()->code);
	return EXIT_UNJUDGED;
}

/* A day by its beginning. */
static bool read_date(const char *text, int64_t *out)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"};

	for (size_t i = 0; i < COUNT(forms); i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);

		if (end != NULL && *end == '\0') {
			*out = timegm(&tm);
			return true;
		}
	}
	fprintf(stderr, "endorsectl: --at: \"%s\" is no date such as 2026-11-22\n", text);
	return false;
}

static bool read_expired(const char *word, bool *out)
{
	*out = strcmp(word, "warn") == 0;
	if (*out || strcmp(word, "strict") == 0)
		return true;
	fprintf(stderr, "endorsectl: --expired: \"%s\" is neither strict nor warn\n", word);
	return false;
}

static enum err add_chain_view(struct wish *wish, struct view der)
{
	if (wish->examiner.chain_n == LIMIT_INTERMEDIATES)
		return fail(ERR_TOO_LARGE, "chain",
			"--chain: a device sends at most %d certificates", LIMIT_INTERMEDIATES);
	wish->chain[wish->examiner.chain_n++] = der;
	return OK;
}

static enum err add_chain(struct wish *wish, const char *path)
{
	struct ekfile *file;
	struct view rest, der;

	if (wish->chain_files_n == LIMIT_INTERMEDIATES)
		return fail(
			ERR_TOO_LARGE, "chain", "--chain: at most %d files", LIMIT_INTERMEDIATES);
	file = &wish->chain_files[wish->chain_files_n++];
	ekfile_init(file);
	TRY(ekfile_read(path, file));
	if (file->content.n == 0)
		return fail(ERR_MALFORMED, "chain", "%s: no certificate (%s)", path, file->kind);
	rest = buf_view(&file->content);
	while (nv_chain_next(&rest, &der))
		TRY(add_chain_view(wish, der));
	for (size_t i = 0; i < file->chain_n; i++)
		TRY(add_chain_view(wish, buf_view(&file->chain[i])));
	return OK;
}

static void wish_free(struct wish *wish)
{
	for (size_t i = 0; i < wish->chain_files_n; i++)
		ekfile_free(&wish->chain_files[i]);
	buf_free(&wish->ek_public);
}

static enum err tell(struct wish *wish, const struct ek_report *report)
{
	wish->accepted += report->outcome == EK_ACCEPTED;
	wish->refused += report->outcome == EK_REFUSED;
	wish->unjudged += report->outcome == EK_UNJUDGED;
	return wish->is_many && wish->form == PRINT_TEXT ? ek_report_print_line(report)
							 : ek_report_print(report, wish->form);
}

static enum err verify_file(struct wish *wish, const char *path)
{
	AUTO(ekfile_free) struct ekfile file;
	AUTO(mem_free) struct ek_report *report = calloc(1, sizeof(*report));

	if (report == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "vendors verify");
	ekfile_init(&file);
	snprintf(report->file, sizeof(report->file), "%s",
		strcmp(path, "-") == 0 ? "standard input" : path);
	if (ekfile_read(path, &file) != OK)
		examine_failed(report);
	else
		examine(&wish->examiner, &file, report);
	return tell(wish, report);
}

static enum err verify_public(struct wish *wish)
{
	AUTO(mem_free) struct ek_report *report = calloc(1, sizeof(*report));

	if (report == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "vendors verify");
	snprintf(report->file, sizeof(report->file), "the EK's public area");
	examine(&wish->examiner, NULL, report);
	return tell(wish, report);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum err verify_directory(struct wish *wish, const char *path)
{
	AUTO(folder_free) struct folder folder;

	TRY(folder_read(path, &folder));
	for (size_t i = 0; i < folder.n; i++)
		if (!is_directory(folder.entry[i].path))
			TRY(verify_file(wish, folder.entry[i].path));
	return OK;
}

static enum err verify_all(struct wish *wish, char **files, int n)
{
	wish->is_many = n > 1 || (n == 1 && is_directory(files[0]));
	wish->examiner.is_thorough = !wish->is_many || wish->form == PRINT_JSON;
	if (n == 0)
		TRY(verify_public(wish));
	for (int i = 0; i < n; i++)
		TRY(is_directory(files[i]) ? verify_directory(wish, files[i])
					   : verify_file(wish, files[i]));
	if (wish->is_many && wish->form == PRINT_TEXT)
		printf("%zu accepted, %zu refused, %zu not judged\n", wish->accepted, wish->refused,
			wish->unjudged);
	return fflush(stdout) == 0 ? OK : fail(ERR_INTERNAL, "output", "%s", strerror(errno));
}

static int run(struct wish *wish, char **files, int n)
{
	AUTO(truststore_free) struct truststore store;

	enum err err;

	truststore_init(&store);
	store.manufacturers = wish->manufacturers;
	err = truststore_load(wish->trust, wish->trust_n, wish->examiner.now, &store);
	fputs(buf_text(&store.notes), stderr);
	if (err != OK)
		return unjudged();
	wish->examiner.trust = store.trust;
	wish->examiner.chain = wish->chain;
	wish->examiner.ek_public = buf_view(&wish->ek_public);
	if (verify_all(wish, files, n) != OK)
		return unjudged();
	if (wish->accepted + wish->refused + wish->unjudged == 0) {
		fputs("endorsectl: there is no file to judge\n", stderr);
		return EXIT_UNJUDGED;
	}
	return wish->unjudged > 0  ? EXIT_UNJUDGED
	       : wish->refused > 0 ? EXIT_REFUSES
				   : EXIT_ACCEPTED;
}

/* False: it was told what is wrong. */
static bool take(int option, const char *value, struct wish *wish)
{
	switch (option) {
	case 't':
		if (wish->trust_n == TRUST_MAX)
			return false;
		wish->trust[wish->trust_n++] = value;
		return true;
	case 'c':
		if (add_chain(wish, value) == OK)
			return true;
		break;
	case 'a':
		return read_date(value, &wish->examiner.now);
	case 'e':
		return read_expired(value, &wish->examiner.takes_expired);
	case 'p':
		if (file_read(value, &wish->ek_public) == OK)
			return true;
		break;
	case 'm':
		wish->manufacturers = value;
		return manufacturer_option(value);
	case 'j':
		wish->form = PRINT_JSON;
		return true;
	default:
		return command_misused(usage) == EXIT_DONE;
	}
	return unjudged() == EXIT_ACCEPTED;
}

int command_vendors_verify(int argc, char **argv)
{
	static const struct option options[] = {
		{"trust", required_argument, NULL, 't'},
		{"manufacturer", required_argument, NULL, 'm'},
		{"chain", required_argument, NULL, 'c'},
		{"at", required_argument, NULL, 'a'},
		{"expired", required_argument, NULL, 'e'},
		{"ek-public", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	AUTO(wish_free)
	struct wish wish = {.examiner.now = clock_now(), .ek_public = BUF(LIMIT_PUBLIC)};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return command_told(usage);
		if (!take(option, optarg, &wish))
			return EXIT_UNJUDGED;
	}
	if (optind == argc && wish.ek_public.n == 0)
		return command_misused(usage);
	return run(&wish, argv + optind, argc - optind);
}
