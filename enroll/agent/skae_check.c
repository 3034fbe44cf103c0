/* skae_check.c - `endorse skae-check`. */
#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "enroll/agent/command.h"
#include "enroll/agent/exit.h"
#include "enroll/agent/fetch.h"
#include "enroll/agent/jsontext.h"
#include "enroll/agent/options.h"
#include "enroll/agent/reliance.h"

#include <stdio.h>
#include <string.h>

const char skae_check_usage[] =
	"usage: endorse skae-check --certificate FILE (--ak-certificate FILE | --fetch) --ca FILE\n"
	"                          [--self-signed] [--json]\n"
	"\n"
	"For who relies on a certificate: is its key in a TPM, as the evidence in it (SKAE) says?\n"
	"Checks both certificates, and that the AK certified the very key. Says that it holds, or\n"
	"what is broken.\n"
	"\n"
	"  --certificate FILE     PEM: the certificate, and intermediates after it\n"
	"  --ak-certificate FILE  the same of the AK's certificate\n"
	"  --fetch                or get that from where the certificate says that it is; only\n"
	"                         once the certificate itself was found good\n"
	"  --ca FILE              PEM: the CA certificates to trust\n"
	"  --self-signed          the certificate is signed with its own key (endorse self-sign)\n"
	"  --json                 as one JSON object\n";

struct check_options {
	const char *certificate, *ak_certificate, *ca;
	bool fetch, self_signed, json, help;
};

static enum err complete(const struct check_options *options)
{
	if (options->certificate == NULL || options->ca == NULL ||
		(options->ak_certificate == NULL) == !options->fetch)
		return fail(ERR_MALFORMED, "usage",
			"--certificate, --ca, and one of --ak-certificate and --fetch are wanted: "
			"see endorse skae-check --help");
	if (options->fetch && options->self_signed)
		return fail(ERR_MALFORMED, "usage",
			"--fetch: whoever makes a self-signed certificate writes into it any place "
			"to ask; it is shown together with the AK's certificate, so give "
			"--ak-certificate");
	return OK;
}

static enum err read_option(int id, const char *value, void *into)
{
	struct check_options *out = into;

	switch (id) {
	case 'c':
		out->certificate = value;
		return OK;
	case 'a':
		out->ak_certificate = value;
		return OK;
	case 'r':
		out->ca = value;
		return OK;
	case 'f':
		out->fetch = true;
		return OK;
	case 's':
		out->self_signed = true;
		return OK;
	case 'j':
		out->json = true;
		return OK;
	default:
		return OK;
	}
}

static enum err read_options(int argc, char **argv, struct check_options *out)
{
	static const struct option options[] = {
		{"certificate", required_argument, NULL, 'c'},
		{"ak-certificate", required_argument, NULL, 'a'},
		{"ca", required_argument, NULL, 'r'},
		{"fetch", no_argument, NULL, 'f'},
		{"self-signed", no_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};

	*out = (struct check_options){.json = false};
	TRY(options_read(argc, argv, options, read_option, out, &out->help));
	return out->help ? OK : complete(out);
}

/* What is found out; `broken` is RELIANCE_PARTS when all of it holds. */
struct outcome {
	struct skae skae;
	X509 *ak_certificate;
	enum reliance_part broken;
	struct kept_reason kept;
};

static void outcome_free(struct outcome *outcome)
{
	skae_free(&outcome->skae);
	x509_free(&outcome->ak_certificate);
}

/* The first certificate of a file; the others join `intermediates`. */
static enum err read_certificate(const char *path, STACK_OF(X509) *intermediates, X509 **out)
{
	AUTO(x509_stack_free) STACK_OF(X509) *read = NULL;

	TRY(certs_read(path, "pem-file", &read));
	*out = sk_X509_shift(read);
	for (int i = 0; i < sk_X509_num(read); i++)
		if (X509_add_cert(intermediates, sk_X509_value(read, i), X509_ADD_FLAG_UP_REF) != 1)
			return fail(ERR_INTERNAL, "out-of-memory", "certificates");
	return OK;
}

static enum err bring_ak_certificate(const struct check_options *options, struct anchors *anchors,
	STACK_OF(X509) *intermediates, struct outcome *outcome)
{
	const char *location = outcome->skae.ak_location;

	if (!options->fetch)
		return read_certificate(
			options->ak_certificate, intermediates, &outcome->ak_certificate);
	outcome->broken = RELIANCE_AK_CERTIFICATE;
	if (location[0] == '\0')
		return fail(ERR_REJECTED, "skae-location",
			"the certificate does not say where the AK's is: give --ak-certificate");
	TRY(fetch_certificate(location, anchors, &outcome->ak_certificate));
	outcome->broken = RELIANCE_PARTS;
	return OK;
}

static enum err judge(
	const struct check_options *options, struct anchors *anchors, struct outcome *outcome)
{
	AUTO(x509_stack_free) STACK_OF(X509) *intermediates = sk_X509_new_null();
	AUTO(x509_free) X509 *certificate = NULL;
	struct reliance_question question = {.anchors = anchors,
		.kind = options->self_signed ? SKAE_SELF_SIGNED : SKAE_BY_CA,
		.now = clock_now()};

	if (intermediates == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "certificates");
	TRY(read_certificate(options->certificate, intermediates, &certificate));
	question.certificate = certificate;
	question.intermediates = intermediates;
	TRY(reliance_read(&question, &outcome->skae, &outcome->broken));
	TRY(bring_ak_certificate(options, anchors, intermediates, outcome));
	return reliance_judge(&question, &outcome->skae, outcome->ak_certificate, &outcome->broken);
}

/* A part that is broken is what was asked for; that there is no answer is an error. */
static enum err check(const struct check_options *options, struct outcome *outcome)
{
	AUTO(anchors_free) struct anchors *anchors = NULL;
	enum err err;

	TRY(anchors_read(options->ca, &anchors));
	err = judge(options, anchors, outcome);
	if (outcome->broken == RELIANCE_PARTS || err == ERR_INTERNAL || err == ERR_BUSY)
		return err;
	reason_keep(&outcome->kept);
	return OK;
}

static void print_text(const struct check_options *options, const struct outcome *outcome)
{
	char subject[256], serial[CERT_SERIAL_SIZE];

	if (outcome->broken != RELIANCE_PARTS) {
		printf("does not hold: %s is broken (%s)\n%s\n",
			reliance_part_text(outcome->broken), outcome->kept.reason.code,
			outcome->kept.reason.sentence);
		return;
	}
	name_text(X509_get_subject_name(outcome->ak_certificate), subject, sizeof(subject));
	printf("holds: the key of %s was made in a TPM and stays there; its AK certified it\n",
		options->certificate);
	cert_serial(outcome->ak_certificate, serial);
	printf("AK certificate: serial %s%s%s\n", serial, subject[0] == '\0' ? "" : ", ", subject);
	if (options->self_signed)
		printf("nobody but the AK's certificate says whose machine this is\n");
}

static enum err print_json(const struct outcome *outcome)
{
	AUTO(buf_free) struct buf json = BUF(16 * 1024);
	const char *location = outcome->skae.ak_location;
	bool holds = outcome->broken == RELIANCE_PARTS;

	jsontext_begin(&json);
	jsontext_bool(&json, "holds", holds);
	jsontext_string(&json, "broken", holds ? NULL : reliance_part_text(outcome->broken));
	jsontext_string(&json, "reason", holds ? NULL : outcome->kept.reason.code);
	jsontext_string(&json, "sentence", holds ? NULL : outcome->kept.reason.sentence);
	jsontext_string(&json, "ak_location", location[0] == '\0' ? NULL : location);
	jsontext_end(&json);
	TRY(buf_ok(&json));
	fputs(buf_text(&json), stdout);
	return OK;
}

int skae_check_command(int argc, char **argv)
{
	AUTO(outcome_free) struct outcome outcome = {.broken = RELIANCE_PARTS};
	struct check_options options;
	enum err err = read_options(argc, argv, &options);

	skae_init(&outcome.skae);
	if (err == OK && options.help) {
		fputs(skae_check_usage, stdout);
		return EXIT_DONE;
	}
	if (err == OK)
		err = check(&options, &outcome);
	if (err == OK && options.json)
		err = print_json(&outcome);
	else if (err == OK)
		print_text(&options, &outcome);
	if (err == OK)
		return outcome.broken == RELIANCE_PARTS ? EXIT_DONE : EXIT_UNLINKED;
	return exit_failed();
}
