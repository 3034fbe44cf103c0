#include "enroll/admin/vendors.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "enroll/admin/command.h"
#include "enroll/admin/paragraph.h"
#include "enroll/admin/vendors_print.h"
#include "enroll/proto/attempts.h"
#include "enroll/trust/bundle.h"
#include "enroll/trust/candidate.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define LIST_USAGE "usage: endorsectl vendors list [--role root|intermediate|crl] [--json]\n"
#define SHOW_USAGE "usage: endorsectl vendors show SHA256\n"
#define REMOVE_USAGE "usage: endorsectl vendors remove SHA256 --why TEXT\n"
#define EXPORT_USAGE "usage: endorsectl vendors export [--out FILE]\n"

enum err vendors_fetch(const struct admin_server *server, bool is_export, struct trust_list *list,
	struct problem *problem)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_ANSWER);

	*list = (struct trust_list){.n = 0};
	TRY(admin_get(server, is_export ? "/v1/admin/vendors/export" : "/v1/admin/vendors", &json,
		problem));
	return trust_list_parse(buf_view(&json), list);
}

/* Lower-case digits, without colons; `out` is of SHA256_TEXT bytes. */
static enum err read_digits(const char *text, char *out)
{
	size_t n = 0;

	for (const char *at = text; *at != '\0'; at++) {
		if (*at == ':')
			continue;
		if (!isxdigit((unsigned char)*at) || n + 1 == SHA256_TEXT)
			return fail(ERR_MALFORMED, "certificate-digest",
				"\"%s\" is no SHA-256 of a certificate", text);
		out[n++] = (char)tolower((unsigned char)*at);
	}
	out[n] = '\0';
	return n >= SHA256_PREFIX_MIN
		       ? OK
		       : fail(ERR_MALFORMED, "certificate-digest",
				 "\"%s\": wanted %d digits at least", text, SHA256_PREFIX_MIN);
}

enum err vendors_pick(
	const struct trust_list *list, const char *digits, const struct trust_list_item **out)
{
	char wanted[SHA256_TEXT];
	const struct trust_list_item *found = NULL;

	TRY(read_digits(digits, wanted));
	for (size_t i = 0; i < list->n; i++) {
		if (strncmp(list->items[i].sha256, wanted, strlen(wanted)) != 0)
			continue;
		if (found != NULL && strcmp(found->sha256, list->items[i].sha256) != 0)
			return fail(ERR_MALFORMED, "certificate-digest",
				"several begin with %s: say more digits", wanted);
		found = &list->items[i];
	}
	if (found == NULL)
		return fail(ERR_NOT_FOUND, "certificate-unknown",
			"the service trusts no certificate whose SHA-256 begins with %s; what was "
			"just "
			"imported is in force within five seconds",
			wanted);
	*out = found;
	return OK;
}

/* The options of all four; each has those that its `takes` has. */
struct wish {
	struct admin_server server;
	const char *why, *role, *out;
	bool is_json, is_help;
};

static bool read_wish(int argc, char **argv, const char *takes, struct wish *wish)
{
	static const struct option options[] = {
		{"why", required_argument, NULL, 'w'},
		{"role", required_argument, NULL, 'r'},
		{"out", required_argument, NULL, 'o'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		ADMIN_OPTIONS,
		{0},
	};
	int option;

	*wish = (struct wish){.server = ADMIN_SERVER};
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			wish->is_help = true;
		else if (option < 256 && strchr(takes, option) == NULL)
			return false;
		else if (option == 'w')
			wish->why = optarg;
		else if (option == 'r')
			wish->role = optarg;
		else if (option == 'o')
			wish->out = optarg;
		else if (option == 'j')
			wish->is_json = true;
		else if (!admin_option(&wish->server, option, optarg))
			return false;
	}
	return true;
}

static int told(enum err err, const struct problem *problem)
{
	return err == ERR_DENIED ? command_refused(problem) : command_failed();
}

int command_vendors_list(int argc, char **argv)
{
	static const char usage[] = LIST_USAGE
		"\n"
		"Lists what the service trusts: roots and whom they may vouch for, intermediates,\n"
		"CRLs, by class and source.\n"
		"\n"
		"  --role ROLE        only these\n"
		"  --json             as the service answers\n" ADMIN_USAGE;
	AUTO(trust_list_free) struct trust_list list = {.n = 0};
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_ANSWER);
	struct problem problem = {0};
	struct wish wish;
	enum err err;

	if (!read_wish(argc, argv, "rj", &wish) || optind != argc)
		return command_misused(usage);
	if (wish.is_help)
		return command_told(usage);
	if (!wish.is_json) {
		if ((err = vendors_fetch(&wish.server, false, &list, &problem)) != OK)
			return told(err, &problem);
		vendors_print_list(stdout, &list, wish.role);
		return EXIT_DONE;
	}
	if ((err = admin_get(&wish.server, "/v1/admin/vendors", &json, &problem)) != OK)
		return told(err, &problem);
	puts(buf_text(&json));
	return EXIT_DONE;
}

int command_vendors_show(int argc, char **argv)
{
	static const char usage[] = SHOW_USAGE "\n"
					       "Shows one certificate that the service trusts, and "
					       "how it came to that. SHA256 may\n"
					       "be its first digits, 8 at least.\n"
					       "\n" ADMIN_USAGE;
	AUTO(trust_list_free) struct trust_list list = {.n = 0};
	const struct trust_list_item *entry;
	struct problem problem = {0};
	struct wish wish;
	enum err err;

	if (!read_wish(argc, argv, "", &wish))
		return command_misused(usage);
	if (wish.is_help)
		return command_told(usage);
	if (optind + 1 != argc)
		return command_misused(usage);
	if ((err = vendors_fetch(&wish.server, true, &list, &problem)) != OK)
		return told(err, &problem);
	if (vendors_pick(&list, argv[optind], &entry) != OK)
		return command_failed();
	vendors_print_entry(stdout, entry);
	return EXIT_DONE;
}

static int remove_entry(const struct wish *wish, const struct trust_list_item *entry)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY), answer = BUF(LIMIT_ADMIN_BODY);
	struct remove_request request = {.why = ""};
	struct problem problem = {0};
	enum err err;

	snprintf(request.sha256, sizeof(request.sha256), "%s", entry->sha256);
	snprintf(request.why, sizeof(request.why), "%s", wish->why);
	if ((err = remove_request_encode(&request, &json)) == OK)
		err = admin_post(&wish->server, "/v1/admin/vendors/remove", buf_view(&json),
			&answer, &problem);
	if (err != OK)
		return told(err, &problem);
	printf("removed: %s %s\n", entry->role, entry->subject);
	return EXIT_DONE;
}

int command_vendors_remove(int argc, char **argv)
{
	static const char usage[] = REMOVE_USAGE
		"\n"
		"Takes a certificate out of the trust set that was imported. Devices that are\n"
		"enrolled stay; no new EK is believed by it. SHA256 may be its first digits.\n"
		"\n"
		"  --why TEXT         what the audit keeps beside the act\n" ADMIN_USAGE;
	AUTO(trust_list_free) struct trust_list list = {.n = 0};
	const struct trust_list_item *entry;
	struct problem problem = {0};
	struct wish wish;
	enum err err;

	if (!read_wish(argc, argv, "w", &wish))
		return command_misused(usage);
	if (wish.is_help)
		return command_told(usage);
	if (optind + 1 == argc && wish.why == NULL)
		return command_lacks_why();
	if (optind + 1 != argc || strlen(wish.why) > LIMIT_WHY)
		return command_misused(usage);
	if ((err = vendors_fetch(&wish.server, false, &list, &problem)) != OK)
		return told(err, &problem);
	if (vendors_pick(&list, argv[optind], &entry) != OK)
		return command_failed();
	return remove_entry(&wish, entry);
}

static enum err add_entry(struct buf *out, const struct trust_list_item *entry)
{
	struct trust_item item = {.der = entry->der, .source = entry->source};

	for (item.role = TRUST_ROOT; candidate_role_words[item.role] != NULL; item.role++)
		if (strcmp(candidate_role_words[item.role], entry->role) == 0)
			break;
	if (candidate_role_words[item.role] == NULL)
		return fail(ERR_MALFORMED, "bundle-value", "\"%s\" is no role", entry->role);
	TRY(trust_class_read(entry->class, &item.class));
	item.manufacturers = strcmp(entry->manufacturers, "any") == 0 ? "" : entry->manufacturers;
	return bundle_add(out, &item);
}

static enum err make_bundle(const struct trust_list *list, struct buf *out)
{
	char lines[256], date[CLOCK_TEXT_SIZE];

	clock_text(clock_now(), date);
	snprintf(lines, sizeof(lines), "Date: %.10s\nTrust set: %s\n", date, list->trust_version);
	bundle_begin(out, "What an Endorse service trusts", lines);
	for (size_t i = 0; i < list->n; i++)
		TRY(add_entry(out, &list->items[i]));
	return buf_ok(out);
}

int command_vendors_export(int argc, char **argv)
{
	static const char usage[] = EXPORT_USAGE
		"\n"
		"Writes everything that the service trusts as one bundle: PEM, with lines before "
		"each\n"
		"certificate that vendors import and vendors verify --trust read.\n"
		"\n"
		"  --out FILE         where to (default: standard output)\n" ADMIN_USAGE;
	AUTO(trust_list_free) struct trust_list list = {.n = 0};
	AUTO(buf_free) struct buf bundle = BUF(BUNDLE_MAX);
	struct problem problem = {0};
	struct wish wish;
	enum err err;

	if (!read_wish(argc, argv, "o", &wish) || optind != argc)
		return command_misused(usage);
	if (wish.is_help)
		return command_told(usage);
	if ((err = vendors_fetch(&wish.server, true, &list, &problem)) != OK)
		return told(err, &problem);
	if (make_bundle(&list, &bundle) != OK ||
		(wish.out != NULL && file_replace(wish.out, 0644, buf_view(&bundle)) != OK))
		return command_failed();
	if (wish.out != NULL)
		fprintf(stderr, "%s: %zu certificates and CRLs\n", wish.out, list.n);
	else if (paragraph_put(&bundle) != OK)
		return command_failed();
	return EXIT_DONE;
}
