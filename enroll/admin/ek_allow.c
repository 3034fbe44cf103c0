#include "enroll/admin/command.h"

#include "ca/base/cert.h"
#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "enroll/admin/allow_post.h"
#include "enroll/admin/allow_print.h"
#include "enroll/admin/ekfile.h"
#include "enroll/admin/manifest.h"
#include "enroll/admin/words.h"
#include "enroll/tpm/ekcert.h"
#include "enroll/tpm/public.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char add_usage[] =
	"usage: endorsectl ek allow add (--ek-digest HEX | --ek-public FILE | --ek-certificate "
	"FILE)\n"
	"                               [--host NAME] [--serial TEXT] [--label NAME=TEXT]...\n"
	"                               --why TEXT [--admin URL] [--token-file FILE]\n"
	"\n"
	"Puts an EK on the allow-list: a TPM that proves to have it is believed without a "
	"manufacturer\n"
	"wherever the policy's rule has allow-list in its trust.\n"
	"\n"
	"  --ek-digest HEX    SHA-256 of the EK's SubjectPublicKeyInfo, as endorse doctor, "
	"pending\n"
	"                     show and vendors verify tell it\n"
	"  --ek-public FILE   the EK's public area (TPM2B_PUBLIC): bytes, hexadecimal, or base64\n"
	"  --ek-certificate FILE\n"
	"                     the EK's certificate: DER, PEM, or NV content; nobody judges it\n"
	"  --host NAME        registers it: only this name and this EK go together, whatever the\n"
	"                     EK is trusted by, and the device may leave the name out\n"
	"  --serial TEXT      of the machine, for people\n"
	"  --label NAME=TEXT  for people too; several times\n"
	"  --why TEXT         what the audit keeps beside the act\n" ADMIN_USAGE;

static const char remove_usage[] =
	"usage: endorsectl ek allow remove DIGEST --why TEXT [--admin URL] [--token-file FILE]\n"
	"\n"
	"Takes an EK off the allow-list, and with it the name it was registered for. What was "
	"issued "
	"to\n"
	"its device stays valid until it ends; it enrolls no more unless something else vouches "
	"for "
	"it.\n"
	"\n"
	"  --why TEXT         what the audit keeps beside the act\n" ADMIN_USAGE;

static const char list_usage[] =
	"usage: endorsectl ek allow list [--host PATTERN] [--serial TEXT] [--json] [--admin URL]\n"
	"                                [--token-file FILE]\n"
	"\n"
	"Tells which EKs are on the allow-list, by digest.\n"
	"\n"
	"  --host PATTERN     only those registered for such a name; * stands for anything\n"
	"  --serial TEXT      only those with this serial\n"
	"  --json             one JSON object a line\n" ADMIN_USAGE;

struct wish {
	struct admin_server server;
	struct allow_request request;
	struct allow_entry entry;
	struct buf labels; /* "name=text;..." */
	unsigned eks; /* how often an EK was said */
	const char *host, *serial; /* of a list */
	enum print_form form;
	char why[LIMIT_WHY + 1];
};

static void wish_free(struct wish *wish)
{
	allow_entry_free(&wish->entry);
	buf_free(&wish->labels);
}
#define WISH                                                                                       \
	((struct wish){.server = ADMIN_SERVER,                                                     \
		.entry = {.ek_public = BUF(LIMIT_PUBLIC)},                                         \
		.labels = BUF(LIMIT_LABELS)})

static enum err read_public(const char *path, struct buf *out)
{
	AUTO(buf_free) struct buf bytes = BUF(4 * LIMIT_PUBLIC);

	TRY(file_read(path, &bytes));
	return manifest_public(buf_view(&bytes), out);
}

static enum err digest_certificate(const char *path, char out[static EK_DIGEST_DIGITS + 1])
{
	AUTO(ekfile_free) struct ekfile file;
	AUTO(x509_free) X509 *cert = NULL;
	uint8_t digest[SHA256_SIZE];
	struct view der;

	ekfile_init(&file);
	TRY(ekfile_read(path, &file));
	if (file.content.n == 0)
		return fail(ERR_MALFORMED, "ek-certificate", "%s: no certificate (%s)", path,
			file.kind);
	TRY(ek_certificate_read(buf_view(&file.content), &der, &cert));
	if (X509_get0_pubkey(cert) == NULL)
		return fail(ERR_MALFORMED, "ek-certificate", "%s: its key cannot be read", path);
	TRY(spki_sha256(X509_get0_pubkey(cert), digest));
	hex_write(VIEW(digest), out);
	return OK;
}

static enum err take_text(const char *value, size_t max, const char *option, char **out)
{
	free(*out);
	*out = NULL;
	if (strlen(value) > max)
		return fail(ERR_MALFORMED, "value", "%s: at most %zu bytes", option, max);
	return (*out = strdup(value)) == NULL ? fail(ERR_INTERNAL, "out-of-memory", "ek allow")
					      : OK;
}

static enum err take_value(int option, const char *value, struct wish *wish)
{
	switch (option) {
	case 'd':
		wish->eks++;
		return manifest_digest(value, wish->entry.ek_digest);
	case 'p':
		wish->eks++;
		return read_public(value, &wish->entry.ek_public);
	case 'c':
		wish->eks++;
		return digest_certificate(value, wish->entry.ek_digest);
	case 'H':
		return take_text(value, LIMIT_HOST, "--host", &wish->entry.host);
	case 's':
		return take_text(value, LIMIT_SERIAL, "--serial", &wish->entry.serial);
	default:
		buf_fmt(&wish->labels, "%s%s", wish->labels.n > 0 ? ";" : "", value);
		return buf_ok(&wish->labels);
	}
}

/* An exit code, or -1 to go on. */
static int take(int option, const char *value, const char *usage, struct wish *wish)
{
	if (option == 'h')
		return command_told(usage);
	if (option == 'w')
		return why_option(value, wish->why) ? -1 : EXIT_WRONG_USAGE;
	if (option == '?' || option == ':')
		return command_misused(usage);
	if (admin_option(&wish->server, option, value))
		return -1;
	if (take_value(option, value, wish) == OK)
		return -1;
	fprintf(stderr, "endorsectl: %s\n", why()->sentence);
	return EXIT_WRONG_USAGE;
}

static int add(struct wish *wish)
{
	AUTO(allow_answer_free) struct allow_answer answer = {0};
	AUTO(buf_free) struct buf labels = BUF(LIMIT_LABELS);
	struct problem problem = {0};
	enum err err = labels_from_pairs(buf_text(&wish->labels), &labels);

	if (err == OK && wish->labels.n > 0)
		wish->entry.labels = buf_take(&labels);
	if (err == OK)
		err = manifest_judge(&wish->entry);
	wish->request = (struct allow_request){.entries = &wish->entry, .n = 1};
	snprintf(wish->request.why, sizeof(wish->request.why), "%s", wish->why);
	if (err == OK)
		err = allow_post(&wish->server, &wish->request, &answer, &problem);
	if (err == ERR_DENIED)
		return command_refused(&problem);
	if (err != OK)
		return command_failed();
	if (answer.bad_n > 0) {
		fprintf(stderr, "endorsectl: refused: %s (%s)\n",
			allow_fate_sentence(answer.bad[0].fate),
			allow_fate_words[answer.bad[0].fate]);
		return EXIT_REFUSED;
	}
	printf("EK %s is %s the allow-list%s%s\n", wish->entry.ek_digest,
		answer.added > 0 ? "on" : "already on", wish->entry.host == NULL ? "" : ", for ",
		wish->entry.host == NULL ? "" : wish->entry.host);
	puts("no certificate is needed for it where the name's rule takes allow-list (trust, in "
	     "the "
	     "policy)");
	return EXIT_DONE;
}

int command_ek_allow_add(int argc, char **argv)
{
	static const struct option options[] = {
		{"ek-digest", required_argument, NULL, 'd'},
		{"ek-public", required_argument, NULL, 'p'},
		{"ek-certificate", required_argument, NULL, 'c'},
		{"host", required_argument, NULL, 'H'},
		{"serial", required_argument, NULL, 's'},
		{"label", required_argument, NULL, 'l'},
		{"why", required_argument, NULL, 'w'},
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	AUTO(wish_free) struct wish wish = WISH;
	int option, code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if ((code = take(option, optarg, add_usage, &wish)) >= 0)
			return code;
	if (wish.eks == 1 && optind == argc && wish.why[0] == '\0')
		return command_lacks_why();
	if (wish.eks != 1 || optind != argc)
		return command_misused(add_usage);
	return add(&wish);
}

int command_ek_allow_remove(int argc, char **argv)
{
	static const struct option options[] = {
		{"why", required_argument, NULL, 'w'},
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	AUTO(wish_free) struct wish wish = WISH;
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_BODY), answer = BUF(LIMIT_ADMIN_BODY);
	struct disallow_request request = {0};
	struct problem problem = {0};
	int option, code;
	enum err err;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if ((code = take(option, optarg, remove_usage, &wish)) >= 0)
			return code;
	if (optind + 1 == argc && wish.why[0] == '\0')
		return command_lacks_why();
	if (optind + 1 != argc)
		return command_misused(remove_usage);
	snprintf(request.why, sizeof(request.why), "%s", wish.why);
	if ((err = manifest_digest(argv[optind], request.ek_digest)) == OK &&
		(err = disallow_request_encode(&request, &json)) == OK)
		err = admin_post(
			&wish.server, "/v1/admin/ek/disallow", buf_view(&json), &answer, &problem);
	if (err == ERR_DENIED)
		return command_refused(&problem);
	if (err != OK)
		return command_failed();
	printf("EK %s is off the allow-list\n", request.ek_digest);
	return EXIT_DONE;
}

static enum err list_page(const struct wish *wish, char after[static EK_DIGEST_DIGITS + 1],
	bool *more, struct problem *problem)
{
	AUTO(buf_free) struct buf path = BUF(4096), json = BUF(LIMIT_ALLOW_BODY);
	AUTO(allow_list_free) struct allow_list list = {0};

	buf_str(&path, "/v1/admin/ek/allowed");
	query_add(&path, "after", after[0] == '\0' ? NULL : after);
	query_add(&path, "host", wish->entry.host);
	query_add(&path, "serial", wish->entry.serial);
	TRY(buf_ok(&path));
	TRY(admin_get(&wish->server, buf_text(&path), &json, problem));
	TRY(allow_list_parse(buf_view(&json), &list));
	for (size_t i = 0; i < list.n; i++) {
		TRY(allow_item_print(&list.items[i], wish->form));
		snprintf(after, EK_DIGEST_DIGITS + 1, "%s", list.items[i].ek_digest);
	}
	*more = list.more && list.n > 0;
	return OK;
}

int command_ek_allow_list(int argc, char **argv)
{
	static const struct option options[] = {
		{"host", required_argument, NULL, 'H'},
		{"serial", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	AUTO(wish_free) struct wish wish = WISH;
	char after[EK_DIGEST_DIGITS + 1] = "";
	struct problem problem = {0};
	enum err err = OK;
	bool more = true;
	int option, code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == 'j')
			wish.form = PRINT_JSON;
		else if ((code = take(option, optarg, list_usage, &wish)) >= 0)
			return code;
	if (optind != argc)
		return command_misused(list_usage);
	while (err == OK && more)
		err = list_page(&wish, after, &more, &problem);
	return command_ended(err, &problem);
}
