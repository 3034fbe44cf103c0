/* quote.c - `endorse quote`. */
#include "ca/base/cert.h"
#include "ca/base/file.h"
#include "enroll/agent/command.h"
#include "enroll/agent/exit.h"
#include "enroll/agent/held.h"
#include "enroll/agent/interrupt.h"
#include "enroll/agent/ledger.h"
#include "enroll/agent/link.h"
#include "enroll/agent/linkfile.h"
#include "enroll/agent/options.h"

#include <stdio.h>
#include <string.h>

#define PROPERTY_NAME "platform-property.pem"

const char quote_usage[] =
	"usage: endorse quote --nonce HEX [options]\n"
	"\n"
	"Has this machine's AK quote the PCR of its endpoints, for a relying party that sent the\n"
	"nonce, and writes the quote with its log and the certificates: what endorse link-check\n"
	"takes as --evidence.\n"
	"\n"
	"  --nonce HEX      the relying party's: 32 to 64 hexadecimal digits\n"
	"  --out PATH       a file, or a directory that is there, which gets single files\n"
	"                   (default: -, standard output)\n"
	"  --pcr N          refuse a log that is about another PCR\n"
	"  --log FILE       default: " LEDGER_NAME " in DIR\n"
	"  --property FILE  the platform-property certificate (default: " PROPERTY_NAME "\n"
	"                   in DIR)\n"
	"  --state DIR      default " STATE_DEFAULT "\n" ACCESS_USAGE;

struct quote_options {
	struct tpm_access access;
	struct buf nonce;
	const char *out, *log, *property, *state_dir;
	unsigned pcr;
	bool has_pcr, help;
};

static void options_free(struct quote_options *options)
{
	buf_free(&options->nonce);
}

static enum err read_option(int id, const char *value, void *into)
{
	struct quote_options *out = into;

	switch (id) {
	case 'n':
		buf_free(&out->nonce);
		return link_nonce_read(value, &out->nonce);
	case 'o':
		out->out = value;
		return OK;
	case 'p':
		out->has_pcr = true;
		return ledger_pcr_read(value, &out->pcr);
	case 'l':
		out->log = value;
		return OK;
	case 'r':
		out->property = value;
		return OK;
	case 's':
		out->state_dir = value;
		return OK;
	default:
		access_option(&out->access, id, value);
		return OK;
	}
}

static enum err read_options(int argc, char **argv, struct quote_options *out)
{
	static const struct option options[] = {
		{"nonce", required_argument, NULL, 'n'},
		{"out", required_argument, NULL, 'o'},
		{"pcr", required_argument, NULL, 'p'},
		{"log", required_argument, NULL, 'l'},
		{"property", required_argument, NULL, 'r'},
		{"state", required_argument, NULL, 's'},
		ACCESS_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};

	*out = (struct quote_options){.state_dir = STATE_DEFAULT, .out = "-"};
	TRY(options_read(argc, argv, options, read_option, out, &out->help));
	if (out->help)
		return OK;
	if (out->nonce.n == 0)
		return fail(ERR_MALFORMED, "usage",
			"--nonce is missing: the relying party sends one, each time another");
	return OK;
}

static enum err read_certificate(const char *dir, const char *name, struct buf *out)
{
	AUTO(mem_free) char *path = path_join(dir, name);
	AUTO(x509_free) X509 *certificate = NULL;

	if (path == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "a path");
	TRY(cert_read(path, "pem-file", &certificate));
	return cert_der_add(certificate, out);
}

static enum err read_chain(struct state *state, struct linkage *out)
{
	AUTO(buf_free) struct buf pem = BUF(CERTS_MAX);
	AUTO(x509_stack_free) STACK_OF(X509) *read = NULL;
	const char *path = state_path(state, STATE_CHAIN);

	TRY(file_read(path, &pem));
	if (pem.n > 0)
		TRY(certs_parse(buf_view(&pem), path, "pem-file", &read));
	for (int i = 0; i < sk_X509_num(read) && i < LIMIT_INTERMEDIATES; i++)
		TRY(cert_der_add(
			sk_X509_value(read, i), &out->intermediates[out->intermediates_n++]));
	return OK;
}

static enum err read_certificates(
	const struct quote_options *options, struct state *state, struct linkage *out)
{
	const char *property = options->property;
	enum err err;

	TRY(read_certificate(".", state_path(state, STATE_AK_CERT), &out->ak_certificate));
	err = property != NULL ? read_certificate(".", property, &out->platform_property)
			       : read_certificate(options->state_dir, PROPERTY_NAME,
					 &out->platform_property);
	if (err == ERR_NOT_FOUND)
		return fail(ERR_NOT_FOUND, "file-missing",
			"%s; the service issues it: endorse enroll --template ak --template "
			"platform-property",
			why()->sentence);
	TRY(err);
	return read_chain(state, out);
}

/* The AK in the TPM, as the enrollment left it. */
static enum err load_ak(struct tpm *tpm, const struct enrollment *enrollment,
	const struct device_ak *ak, struct loaded *out)
{
	AUTO(device_ek_free) struct device_ek *ek = NULL;

	TRY(held_ek(tpm, enrollment, ak, EK_CERTIFICATE_AUTO, &ek));
	return device_ak_load(tpm, ak, ek, out);
}

static enum err quote_log(const struct quote_options *options, const struct loaded *key,
	const struct ledger *ledger, struct linkage *out)
{
	const struct endpoint_log *log = ledger_log(ledger);

	if (ledger_extended(ledger) < log->n || log->n == 0)
		return fail(ERR_NOT_FOUND, "endpoint-not-measured",
			"no endpoint was measured since this machine started: endorse "
			"measure-endpoint does that, before the endpoint's server starts");
	TRY(endpoint_log_encode(log, &out->log));
	return tpm_quote(
		key->tpm, key, buf_view(&options->nonce), log->pcr, &out->attest, &out->signature);
}

/* What a relying party would find broken is told here, where something can be done about it. */
static enum err check_own(const struct quote_options *options, const struct ledger *ledger,
	const struct linkage *linkage)
{
	AUTO(linkage_certificates_free) struct linkage_certificates certificates = {0};
	struct pcr_values values = {0};
	EVP_PKEY *key;

	TRY(linkage_certificates_read(linkage, &certificates));
	if (!link_part_takes(LINK_AK, certificates.ak) ||
		!link_part_takes(LINK_PROPERTY, certificates.property))
		return fail(ERR_INTERNAL, "state",
			"the AK certificate or the platform-property certificate that is held is "
			"one of another kind: endorse enroll --template ak --template "
			"platform-property gets both");
	key = X509_get0_pubkey(certificates.ak);
	if (key == NULL || EVP_PKEY_eq(key, X509_get0_pubkey(certificates.property)) != 1)
		return fail(ERR_INTERNAL, "state",
			"the platform-property certificate is not for the AK that this machine "
			"has now: enroll with both templates anew");
	TRY(endpoint_log_replay(ledger_log(ledger), &values));
	return quote_judge(buf_view(&linkage->attest), buf_view(&linkage->signature), key,
		buf_view(&options->nonce), &values);
}

static enum err quote_into(const struct quote_options *options, const char *log,
	struct state *state, struct linkage *out)
{
	AUTO(device_ak_free) struct device_ak *ak = NULL;
	AUTO(ledger_close) struct ledger *ledger = NULL;
	struct enrollment enrollment;

	TRY(held_enrollment(state, &enrollment));
	TRY(held_ak(state, &enrollment, &ak));
	TRY(read_certificates(options, state, out));
	TRY(ledger_open(&options->access, log, options->has_pcr ? &options->pcr : NULL, &ledger));
	{
		AUTO(loaded_flush) struct loaded key = LOADED(ledger_tpm(ledger));

		TRY(load_ak(ledger_tpm(ledger), &enrollment, ak, &key));
		TRY(quote_log(options, &key, ledger, out));
	}
	return check_own(options, ledger, out);
}

static enum err quote(const struct quote_options *options)
{
	AUTO(linkage_free) struct linkage linkage;
	AUTO(state_close) struct state *state = NULL;
	AUTO(mem_free) char *log = NULL;

	linkage_init(&linkage);
	TRY(ledger_path(options->log, options->state_dir, &log));
	TRY(state_open_readonly(options->state_dir, &state));
	TRY(quote_into(options, log, state, &linkage));
	return linkfile_write(&linkage, options->out);
}

int quote_command(int argc, char **argv)
{
	AUTO(options_free) struct quote_options options = {0};
	enum err err = read_options(argc, argv, &options);

	if (err == OK && options.help) {
		fputs(quote_usage, stdout);
		return EXIT_DONE;
	}
	interrupt_hold();
	if (err == OK)
		err = quote(&options);
	if (err == OK)
		return EXIT_DONE;
	return exit_failed();
}
