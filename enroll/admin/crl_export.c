/* crl_export.c - endorsectl crl export: the CRLs as files, for web servers that are not the service. */

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "enroll/admin/client.h"
#include "enroll/admin/command.h"
#include "enroll/proto/attempts.h"
#include "enroll/proto/crls.h"

#include <errno.h>
#include <getopt.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char usage[] =
	"usage: endorsectl crl export DIR\n"
	"\n"
	"Writes each CRL that the service publishes into DIR, under the name that its URL ends "
	"with,\n"
	"where it is newer than what is there; each file is replaced at one stroke. What is in "
	"DIR\n"
	"already is good for answering /crl/ of public_url from there. DIR is made where there is "
	"none.\n"
	"\n" ADMIN_USAGE;

struct exporting {
	struct admin_server server;
	struct problem problem;
	const char *dir;
	size_t n, written;
	int64_t first_end; /* of those that are there: the nearest next update; 0: none */
};

static void crl_release(X509_CRL **crl)
{
	X509_CRL_free(*crl);
	*crl = NULL;
}

/* -1 when it is none. */
static int64_t number_of(struct view der)
{
	const uint8_t *at = der.p;
	AUTO(crl_release) X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.n);
	ASN1_INTEGER *number =
		crl == NULL ? NULL : X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	int64_t value = -1;

	if (number != NULL && ASN1_INTEGER_get_int64(&value, number) != 1)
		value = -1;
	ASN1_INTEGER_free(number);
	return value;
}

/* A file that cannot be read, or is no CRL, is replaced. */
static bool is_there(const char *path, int64_t number)
{
	AUTO(buf_free) struct buf der = BUF(LIMIT_ADMIN_ANSWER);

	return file_read(path, &der) == OK && number_of(buf_view(&der)) >= number;
}

static enum err export_one(struct exporting *exporting, const struct crl_item *item)
{
	AUTO(mem_free) char *path = path_join(exporting->dir, item->name);
	AUTO(buf_free) struct buf der = BUF(LIMIT_ADMIN_ANSWER), from = BUF(256);

	if (path == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "path_join");
	if (is_there(path, item->number))
		return OK;
	buf_fmt(&from, "/v1/admin/crl?issuer=%s&shard=%lld", item->issuer, (long long)item->shard);
	TRY(buf_ok(&from));
	TRY(admin_get(&exporting->server, buf_text(&from), &der, &exporting->problem));
	if (number_of(buf_view(&der)) < item->number)
		return fail(
			ERR_BUSY, "unreachable", "%s: the service sent no such CRL", item->name);
	exporting->written++;
	return file_replace(path, 0644, buf_view(&der));
}

/* It comes from the service, and is a path here. */
static bool is_plain(const char *name)
{
	return strlen(name) > 4 && strspn(name, "0123456789abcdef-.crl") == strlen(name) &&
	       name[0] != '.';
}

static enum err export_page(struct exporting *exporting, const struct crls_answer *page)
{
	for (size_t i = 0; i < page->n; i++) {
		const struct crl_item *item = &page->items[i];

		if (!is_plain(item->name))
			return fail(
				ERR_BUSY, "unreachable", "\"%s\" is no name of a CRL", item->name);
		TRY(export_one(exporting, item));
		exporting->n++;
		if (item->next_update > 0 &&
			(exporting->first_end == 0 || item->next_update < exporting->first_end))
			exporting->first_end = item->next_update;
	}
	return OK;
}

static enum err export_all(struct exporting *exporting)
{
	char after[CRLS_AFTER_MAX + 1] = "";

	do {
		AUTO(crls_answer_free) struct crls_answer page = {0};
		AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_ANSWER), path = BUF(256);

		buf_fmt(&path, "/v1/admin/crls%s%s", after[0] == '\0' ? "" : "?after=", after);
		TRY(admin_get(&exporting->server, buf_text(&path), &json, &exporting->problem));
		TRY(crls_answer_parse(buf_view(&json), &page));
		TRY(export_page(exporting, &page));
		snprintf(after, sizeof(after), "%s", page.next);
	} while (after[0] != '\0');
	return OK;
}

static void tell(const struct exporting *exporting)
{
	char end[CLOCK_TEXT_SIZE];

	printf("%zu CRL(s) in %s, %zu of them new\n", exporting->n, exporting->dir,
		exporting->written);
	if (exporting->first_end == 0)
		return;
	clock_text(exporting->first_end, end);
	printf("the first of them is good until %s: export again before\n", end);
}

int command_crl_export(int argc, char **argv)
{
	static const struct option options[] = {
		ADMIN_OPTIONS, {"help", no_argument, NULL, 'h'}, {0}};
	struct exporting exporting = {.server = ADMIN_SERVER};
	enum err err;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == 'h')
			return command_told(usage);
		else if (!admin_option(&exporting.server, option, optarg))
			return command_misused(usage);
	if (argc - optind != 1)
		return command_misused(usage);
	exporting.dir = argv[optind];
	if (mkdir(exporting.dir, 0755) != 0 && errno != EEXIST) {
		fprintf(stderr, "endorsectl: %s: %s\n", exporting.dir, strerror(errno));
		return EXIT_FAILED;
	}
	err = export_all(&exporting);
	if (err == ERR_DENIED)
		return command_refused(&exporting.problem);
	if (err != OK)
		return command_failed();
	tell(&exporting);
	return EXIT_DONE;
}
