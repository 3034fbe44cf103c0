/* measure.c - `endorse measure-endpoint`. */
#include "ca/base/cert.h"
#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "enroll/agent/command.h"
#include "enroll/agent/endpoint.h"
#include "enroll/agent/exit.h"
#include "enroll/agent/interrupt.h"
#include "enroll/agent/ledger.h"
#include "enroll/agent/options.h"
#include "enroll/agent/state.h"

#include <stdio.h>
#include <string.h>

const char measure_usage[] =
	"usage: endorse measure-endpoint (--certificate FILE | --public-key FILE) [options]\n"
	"\n"
	"Extends a PCR with the key of a TLS endpoint of this machine, and writes it into the\n"
	"log that endorse quote shows with the quote. To be run as root before the endpoint's\n"
	"server starts, at each of its starts: a key that is in the log is not measured again.\n"
	"\n"
	"  --certificate FILE  PEM: the endpoint's TLS certificate\n"
	"  --public-key FILE   PEM: or its public key\n"
	"  --invalid           the key came into other hands: no relying party takes it any more\n"
	"  --pcr N             0 to 15; nobody else may extend it (default 13)\n"
	"  --log FILE          default: " LEDGER_NAME " in DIR\n"
	"  --state DIR         default " STATE_DEFAULT "\n" ACCESS_USAGE;

struct measure_options {
	struct tpm_access access;
	const char *certificate, *public_key, *log, *state_dir;
	unsigned pcr;
	bool has_pcr, invalid, help;
};

static enum err read_option(int id, const char *value, void *into)
{
	struct measure_options *out = into;

	switch (id) {
	case 'c':
		out->certificate = value;
		return OK;
	case 'k':
		out->public_key = value;
		return OK;
	case 'i':
		out->invalid = true;
		return OK;
	case 'p':
		out->has_pcr = true;
		return ledger_pcr_read(value, &out->pcr);
	case 'l':
		out->log = value;
		return OK;
	case 's':
		out->state_dir = value;
		return OK;
	default:
		access_option(&out->access, id, value);
		return OK;
	}
}

static enum err read_options(int argc, char **argv, struct measure_options *out)
{
	static const struct option options[] = {
		{"certificate", required_argument, NULL, 'c'},
		{"public-key", required_argument, NULL, 'k'},
		{"invalid", no_argument, NULL, 'i'},
		{"pcr", required_argument, NULL, 'p'},
		{"log", required_argument, NULL, 'l'},
		{"state", required_argument, NULL, 's'},
		ACCESS_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};

	*out = (struct measure_options){.state_dir = STATE_DEFAULT};
	TRY(options_read(argc, argv, options, read_option, out, &out->help));
	if (out->help)
		return OK;
	if ((out->certificate == NULL) == (out->public_key == NULL))
		return fail(ERR_MALFORMED, "usage",
			"name the endpoint's key: --certificate FILE, or --public-key FILE");
	return OK;
}

static enum err key_digest(const struct measure_options *options, uint8_t out[static 32])
{
	AUTO(x509_free) X509 *certificate = NULL;
	AUTO(pkey_free) EVP_PKEY *key = NULL;

	if (options->public_key != NULL) {
		TRY(endpoint_read_key(options->public_key, &key));
		return endpoint_key_sha256(key, out);
	}
	TRY(cert_read(options->certificate, "pem-file", &certificate));
	if (X509_get0_pubkey(certificate) == NULL)
		return fail(ERR_INTERNAL, "pem-file", "%s: a kind of key that is not known",
			options->certificate);
	return endpoint_key_sha256(X509_get0_pubkey(certificate), out);
}

/* Is there nothing to do? */
static enum err judge_event(
	const struct ledger *ledger, const struct endpoint_event *event, bool *is_there)
{
	enum err err = endpoint_log_judge(ledger_log(ledger), event->spki_sha256);
	bool is_invalid = err != OK && strcmp(why()->code, "endpoint-invalid") == 0;

	*is_there = event->act == ENDPOINT_INVALID ? is_invalid : err == OK;
	if (event->act == ENDPOINT_MEASURED && is_invalid)
		return fail(ERR_CONFLICT, "endpoint-invalid",
			"this key was marked invalid, which is for good: make the endpoint a new "
			"one");
	return OK;
}

static enum err measure(const struct measure_options *options, const char *path)
{
	struct endpoint_event event = {
		.act = options->invalid ? ENDPOINT_INVALID : ENDPOINT_MEASURED};
	AUTO(ledger_close) struct ledger *ledger = NULL;
	char digest[2 * 32 + 1];
	bool is_there = false, is_new;

	TRY(key_digest(options, event.spki_sha256));
	TRY(ledger_open(&options->access, path, options->has_pcr ? &options->pcr : NULL, &ledger));
	is_new = ledger_begins_anew(ledger);
	TRY(judge_event(ledger, &event, &is_there));
	/* What a reboot took out of the PCR is put in again, also where the log has it. */
	if (!is_there || ledger_extended(ledger) < ledger_log(ledger)->n)
		TRY(ledger_append(ledger, is_there ? NULL : &event));
	hex_write(VIEW(event.spki_sha256), digest);
	if (is_new)
		printf("%s was of an earlier boot: it begins anew\n", path);
	printf("%s %s in PCR %u, %s\n", digest,
		options->invalid ? "is marked invalid" : "is measured", ledger_log(ledger)->pcr,
		is_there ? "as before" : path);
	return OK;
}

int measure_command(int argc, char **argv)
{
	AUTO(mem_free) char *path = NULL;
	struct measure_options options;
	enum err err = read_options(argc, argv, &options);

	if (err == OK && options.help) {
		fputs(measure_usage, stdout);
		return EXIT_DONE;
	}
	interrupt_hold();
	if (err == OK)
		err = ledger_path(options.log, options.state_dir, &path);
	if (err == OK)
		err = measure(&options, path);
	if (err == OK)
		return EXIT_DONE;
	return exit_failed();
}
