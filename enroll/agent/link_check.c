/* link_check.c - `endorse link-check`. */
#include "ca/base/cert.h"
#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "ca/base/ossl.h"
#include "enroll/agent/command.h"
#include "enroll/agent/endpoint.h"
#include "enroll/agent/exit.h"
#include "enroll/agent/jsontext.h"
#include "enroll/agent/ledger.h"
#include "enroll/agent/link.h"
#include "enroll/agent/linkfile.h"
#include "enroll/agent/options.h"
#include "enroll/agent/ownname.h"

#include <stdio.h>
#include <string.h>

const char link_check_usage[] =
	"usage: endorse link-check (--endpoint FILE | --connect HOST:PORT) --name NAME\n"
	"                          --evidence PATH --ca FILE --nonce HEX [--json]\n"
	"       endorse link-check --new-nonce\n"
	"\n"
	"For who connects to a TLS endpoint: does it end in the machine that the CA vouches for\n"
	"under that name? Checks the AK and platform-property certificates, the names, and that\n"
	"this AK quoted the endpoint's key, freshly. Says linked, or which link is broken.\n"
	"\n"
	"  --endpoint FILE      PEM: the certificate that the endpoint showed\n"
	"  --connect HOST:PORT  or connect, and take what is shown there\n"
	"  --name NAME          that was dialled (default: the HOST of --connect)\n"
	"  --evidence PATH      what endorse quote wrote: a file, or a directory\n"
	"  --ca FILE            PEM: the CA certificates to trust\n"
	"  --nonce HEX          that the evidence was asked for with; each time another\n"
	"  --new-nonce          print such a nonce, and nothing else\n"
	"  --pcr N              that hosts keep their endpoints in (default 13)\n"
	"  --json               as one JSON object\n";

struct check_options {
	struct buf nonce;
	const char *endpoint, *connect, *evidence, *ca;
	char name[HOSTNAME_MAX + 1];
	unsigned pcr;
	bool new_nonce, json, help;
};

static void options_free(struct check_options *options)
{
	buf_free(&options->nonce);
}

static enum err read_option(int id, const char *value, void *into)
{
	struct check_options *out = into;

	switch (id) {
	case 'e':
		out->endpoint = value;
		return OK;
	case 'c':
		out->connect = value;
		return OK;
	case 'a':
		out->name[0] = '\0';
		return ownname_read(value, out->name);
	case 'v':
		out->evidence = value;
		return OK;
	case 'r':
		out->ca = value;
		return OK;
	case 'n':
		buf_free(&out->nonce);
		return link_nonce_read(value, &out->nonce);
	case 'p':
		return ledger_pcr_read(value, &out->pcr);
	case 'N':
		out->new_nonce = true;
		return OK;
	case 'j':
		out->json = true;
		return OK;
	default:
		return OK;
	}
}

static enum err missing(const char *option, const char *what)
{
	return fail(ERR_MALFORMED, "usage", "%s is missing: %s", option, what);
}

static enum err complete(struct check_options *out)
{
	char host[HOSTNAME_MAX + 1];

	if ((out->endpoint == NULL) == (out->connect == NULL))
		return fail(ERR_MALFORMED, "usage",
			"name the endpoint: --endpoint FILE, or --connect HOST:PORT");
	if (out->connect != NULL && !endpoint_host(out->connect, host, sizeof(host)))
		return fail(
			ERR_MALFORMED, "usage", "--connect: \"%s\" is not HOST:PORT", out->connect);
	if (out->connect != NULL && out->name[0] == '\0' && ownname_read(host, out->name) != OK)
		return fail(ERR_MALFORMED, "usage",
			"--connect: \"%s\" is no name that certificates have: say with --name "
			"which "
			"one is wanted there",
			host);
	if (out->name[0] == '\0')
		return missing("--name NAME", "the name that was dialled");
	if (out->evidence == NULL)
		return missing("--evidence PATH", "what endorse quote wrote on the host");
	if (out->ca == NULL)
		return missing("--ca FILE", "the CA certificates to trust");
	if (out->nonce.n == 0)
		return missing("--nonce HEX", "the one that the evidence was asked for with");
	return OK;
}

static enum err read_options(int argc, char **argv, struct check_options *out)
{
	static const struct option options[] = {
		{"endpoint", required_argument, NULL, 'e'},
		{"connect", required_argument, NULL, 'c'},
		{"name", required_argument, NULL, 'a'},
		{"evidence", required_argument, NULL, 'v'},
		{"ca", required_argument, NULL, 'r'},
		{"nonce", required_argument, NULL, 'n'},
		{"pcr", required_argument, NULL, 'p'},
		{"new-nonce", no_argument, NULL, 'N'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};

	*out = (struct check_options){.pcr = ENDPOINT_PCR};
	TRY(options_read(argc, argv, options, read_option, out, &out->help));
	if (out->help)
		return OK;
	return out->new_nonce ? OK : complete(out);
}

static enum err print_nonce(void)
{
	uint8_t bytes[LINK_NONCE_MAX];
	char text[2 * LINK_NONCE_MAX + 1];

	TRY(random_bytes(bytes, sizeof(bytes)));
	hex_write(VIEW(bytes), text);
	puts(text);
	return OK;
}

/* What is found out; `broken` is "" when all of it holds. */
struct outcome {
	const char *broken;
	struct kept_reason kept;
};

static enum err print_outcome(const struct check_options *options, const struct outcome *outcome)
{
	AUTO(buf_free) struct buf json = BUF(16 * 1024);
	bool is_linked = outcome->broken[0] == '\0';
	const struct reason *reason = &outcome->kept.reason;

	if (!options->json && is_linked)
		printf("linked: %s\n", options->name);
	else if (!options->json)
		printf("not linked: %s is broken (%s)\n%s\n", outcome->broken, reason->code,
			reason->sentence);
	if (!options->json)
		return OK;
	jsontext_begin(&json);
	jsontext_bool(&json, "linked", is_linked);
	jsontext_string(&json, "name", options->name);
	jsontext_string(&json, "broken", is_linked ? NULL : outcome->broken);
	jsontext_string(&json, "reason", is_linked ? NULL : reason->code);
	jsontext_string(&json, "sentence", is_linked ? NULL : reason->sentence);
	jsontext_end(&json);
	TRY(buf_ok(&json));
	fputs(buf_text(&json), stdout);
	return OK;
}

/* Says what the evidence's own words are worth; `linkage` is from the host, as bad as it may be. */
static enum err judge(const struct check_options *options, const struct anchors *anchors,
	X509 *endpoint, const struct linkage *linkage, struct outcome *outcome)
{
	AUTO(linkage_certificates_free) struct linkage_certificates certificates = {0};
	struct link_question question = {.name = options->name,
		.endpoint = endpoint,
		.anchors = anchors,
		.nonce = buf_view(&options->nonce),
		.attest = buf_view(&linkage->attest),
		.signature = buf_view(&linkage->signature),
		.log = buf_view(&linkage->log),
		.pcr = options->pcr};
	enum link_part part = LINK_PARTS;
	enum err err = linkage_certificates_read(linkage, &certificates);

	outcome->broken = err == OK ? "" : "evidence";
	if (err == OK) {
		question.ak = certificates.ak;
		question.property = certificates.property;
		question.intermediates = certificates.intermediates;
		err = link_judge(&question, &part);
		outcome->broken = err == OK ? "" : link_part_text(part);
	}
	if (err == ERR_INTERNAL)
		return err;
	reason_keep(&outcome->kept);
	return OK;
}

static enum err check(const struct check_options *options, struct outcome *outcome)
{
	AUTO(anchors_free) struct anchors *anchors = NULL;
	AUTO(linkage_free) struct linkage linkage;
	AUTO(x509_free) X509 *endpoint = NULL;
	enum err err;

	linkage_init(&linkage);
	TRY(anchors_read(options->ca, &anchors));
	err = linkfile_read(options->evidence, &linkage);
	if (err == ERR_MALFORMED || err == ERR_TOO_LARGE) {
		outcome->broken = "evidence";
		reason_keep(&outcome->kept);
		return OK;
	}
	TRY(err);
	TRY(options->connect != NULL ? endpoint_connect(options->connect, options->name, &endpoint)
				     : cert_read(options->endpoint, "pem-file", &endpoint));
	return judge(options, anchors, endpoint, &linkage, outcome);
}

static enum err run(const struct check_options *options, bool *linked)
{
	struct outcome outcome = {.broken = ""};

	*linked = true;
	if (options->new_nonce)
		return print_nonce();
	TRY(check(options, &outcome));
	*linked = outcome.broken[0] == '\0';
	return print_outcome(options, &outcome);
}

int link_check_command(int argc, char **argv)
{
	AUTO(options_free) struct check_options options = {0};
	bool linked = false;
	enum err err = read_options(argc, argv, &options);

	if (err == OK && options.help) {
		fputs(link_check_usage, stdout);
		return EXIT_DONE;
	}
	if (err == OK)
		err = run(&options, &linked);
	if (err == OK)
		return linked ? EXIT_DONE : EXIT_UNLINKED;
	return exit_failed();
}
