#include "enroll/admin/command.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/hostname.h"
#include "ca/specimen.h"
#include "ca/sshkey.h"
#include "enroll/admin/ssh_print.h"
#include "enroll/admin/throwaway.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: endorsectl template show NAME --host HOST [--templates DIR] [--label "
	"NAME=TEXT]...\n"
	"                                [--ca FILE] [--out FILE]\n"
	"\n"
	"Shows what a device of that name would be given by a template: a dry run, with keys\n"
	"that are made for it and thrown away, as openssl x509 -text or ssh-keygen -L would show\n"
	"it. No service is asked; what it would know of the device's TPM is made up.\n"
	"\n"
	"  --templates DIR    where the template is; default: /etc/endorse/templates\n"
	"  --label NAME=TEXT  a label that the device has\n"
	"  --ca FILE          the issuing CA's certificate, PEM, which the issuer is to look like\n"
	"  --out FILE         write the certificate too, as PEM or as OpenSSH has it\n";

struct wish {
	const char *name, *host, *templates, *ca, *out;
	struct grant_label labels[SPECIMEN_LABELS];
	size_t labels_n;
};

/* The device has those labels and no other, so that what it lacks shows. */
static void fill_in(const struct wish *wish, struct specimen *specimen)
{
	snprintf(specimen->host, sizeof(specimen->host), "%s", wish->host);
	specimen->grant.labels = wish->labels;
	specimen->grant.labels_n = wish->labels_n;
}

static enum err print_x509(const struct issued *issued, struct buf *file)
{
	AUTO(x509_free) X509 *cert = cert_from_der(buf_view(&issued->der));
	AUTO(bio_free) BIO *bio = BIO_new_fp(stdout, BIO_NOCLOSE);

	if (cert == NULL || bio == NULL || X509_print_ex(bio, cert, XN_FLAG_ONELINE, 0) != 1)
		return fail(ERR_INTERNAL, "crypto", "cannot print the certificate");
	return cert_pem_add(cert, file);
}

static enum err print_ssh(const struct issued *issued, struct buf *file)
{
	AUTO(buf_free) struct buf text = BUF(1 << 16);

	TRY(ssh_print(buf_view(&issued->der), &text));
	fputs(buf_text(&text), stdout);
	TRY(sshkey_text(buf_view(&issued->der), file));
	buf_str(file, "\n");
	return buf_ok(file);
}

static enum err show(const struct wish *wish, const struct template *tmpl)
{
	AUTO(throwaway_free) struct throwaway throwaway = {0};
	AUTO(specimen_free) struct specimen specimen = {0};
	AUTO(issued_free) struct issued issued = {0};
	AUTO(buf_free) struct buf file = BUF(1 << 16);

	TRY(throwaway_make(wish->ca, &throwaway));
	TRY(specimen_make(tmpl, authority_certificate(throwaway.authority), &specimen));
	fill_in(wish, &specimen);
	TRY(throwaway_issue(&throwaway, tmpl, &specimen.grant, clock_now(), &issued));
	TRY(template_kind(tmpl) == TEMPLATE_X509 ? print_x509(&issued, &file)
						 : print_ssh(&issued, &file));
	return wish->out == NULL ? OK : file_replace(wish->out, 0644, buf_view(&file));
}

static int run(const struct wish *wish)
{
	AUTO(problems_free) struct problems problems;
	AUTO(templates_free) struct templates *templates = NULL;
	const struct template *tmpl;

	problems_init(&problems);
	if (hostname_check(wish->host) != OK)
		return command_failed();
	if (templates_load(wish->templates, &problems, &templates) != OK) {
		fputs(buf_text(&problems.text), stderr);
		return EXIT_FAILED;
	}
	if ((tmpl = template_named(templates, wish->name)) == NULL) {
		fprintf(stderr, "endorsectl: %s has no template \"%s\"\n", wish->templates,
			wish->name);
		return EXIT_FAILED;
	}
	return show(wish, tmpl) == OK ? EXIT_DONE : command_failed();
}

static int by_name(const void *a, const void *b)
{
	const struct grant_label *first = a, *second = b;

	return strcmp(first->name, second->name);
}

/* NAME=TEXT, which is split where it is. */
static bool add_label(struct wish *wish, char *text)
{
	char *value = strchr(text, '=');

	if (value == NULL || value == text || value[1] == '\0' ||
		wish->labels_n == COUNT(wish->labels)) {
		fprintf(stderr, "endorsectl: --label: wanted NAME=TEXT, at most %zu of them\n",
			COUNT(wish->labels));
		return false;
	}
	*value = '\0';
	wish->labels[wish->labels_n++] = (struct grant_label){text, value + 1};
	qsort(wish->labels, wish->labels_n, sizeof(wish->labels[0]), by_name);
	return true;
}

static bool take_option(int option, struct wish *wish)
{
	switch (option) {
	case 'H':
		wish->host = optarg;
		return true;
	case 't':
		wish->templates = optarg;
		return true;
	case 'c':
		wish->ca = optarg;
		return true;
	case 'o':
		wish->out = optarg;
		return true;
	case 'l':
		return add_label(wish, optarg);
	default:
		return false;
	}
}

int command_template_show(int argc, char **argv)
{
	static const struct option options[] = {
		{"host", required_argument, NULL, 'H'},
		{"templates", required_argument, NULL, 't'},
		{"label", required_argument, NULL, 'l'},
		{"ca", required_argument, NULL, 'c'},
		{"out", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct wish wish = {.templates = "/etc/endorse/templates"};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return command_told(usage);
		if (!take_option(option, &wish))
			return command_misused(usage);
	}
	if (optind + 1 != argc || wish.host == NULL)
		return command_misused(usage);
	wish.name = argv[optind];
	return run(&wish);
}
