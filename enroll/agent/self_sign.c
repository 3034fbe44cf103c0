/* self_sign.c - `endorse self-sign`. */
#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "ca/base/hostname.h"
#include "ca/skae.h"
#include "enroll/agent/command.h"
#include "enroll/agent/exit.h"
#include "enroll/agent/held.h"
#include "enroll/agent/interrupt.h"
#include "enroll/agent/options.h"
#include "enroll/agent/ownname.h"
#include "enroll/agent/selfsigned.h"
#include "enroll/tpm/skae.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFETIME_MAX (30 * DAY)

const char self_sign_usage[] =
	"usage: endorse self-sign --key NAME|FILE [options]\n"
	"\n"
	"Makes a TLS certificate that a key of this TPM signs itself, with the AK's word in it\n"
	"that the key is in this TPM (SKAE). It is shown together with the AK's certificate.\n"
	"\n"
	"  --key NAME|FILE  the key: NAME.tss2.pem in DIR, or a TSS2 PRIVATE KEY file\n"
	"  --name NAME      the DNS name in it (default: that of the last enrollment)\n"
	"  --lifetime TIME  up to 30 days, such as 1h or 7d (default 24h): nobody can revoke it\n"
	"  --out FILE       default: standard output\n"
	"  --state DIR      default " STATE_DEFAULT "\n" ACCESS_USAGE;

struct sign_options {
	struct tpm_access access;
	const char *key, *out, *state_dir;
	char name[HOSTNAME_MAX + 1];
	int64_t lifetime;
	bool help;
};

/* Nothing is multiplied before it is known to be small. */
static enum err read_lifetime(const char *text, int64_t *out)
{
	static const struct {
		const char *unit;
		int64_t seconds;
	} units[] = {{"s", 1}, {"m", 60}, {"h", HOUR}, {"d", DAY}};
	char *end = NULL;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	for (size_t i = 0; text[0] >= '0' && text[0] <= '9' && errno == 0 && i < COUNT(units); i++)
		if (strcmp(units[i].unit, end) == 0 && n > 0 &&
			n <= (unsigned long)(LIFETIME_MAX / units[i].seconds)) {
			*out = (int64_t)n * units[i].seconds;
			return OK;
		}
	return fail(ERR_MALFORMED, "usage",
		"--lifetime: \"%s\" is not a time up to 30 days, such as 1h or 7d", text);
}

static enum err read_option(int id, const char *value, void *into)
{
	struct sign_options *out = into;

	switch (id) {
	case 'k':
		out->key = value;
		return OK;
	case 'n':
		return ownname_read(value, out->name);
	case 'l':
		return read_lifetime(value, &out->lifetime);
	case 'o':
		out->out = value;
		return OK;
	case 's':
		out->state_dir = value;
		return OK;
	default:
		access_option(&out->access, id, value);
		return OK;
	}
}

static enum err read_options(int argc, char **argv, struct sign_options *out)
{
	static const struct option options[] = {
		{"key", required_argument, NULL, 'k'},
		{"name", required_argument, NULL, 'n'},
		{"lifetime", required_argument, NULL, 'l'},
		{"out", required_argument, NULL, 'o'},
		{"state", required_argument, NULL, 's'},
		ACCESS_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};

	*out = (struct sign_options){.state_dir = STATE_DEFAULT, .lifetime = DAY};
	TRY(options_read(argc, argv, options, read_option, out, &out->help));
	if (out->help)
		return OK;
	if (out->key == NULL)
		return fail(ERR_MALFORMED, "usage",
			"--key is missing: the name of a key in the state directory, or its file");
	return OK;
}

/* What the last enrollment left, and the TPM that it was with. */
struct machine {
	struct enrollment enrollment;
	struct device_ak *ak;
	struct device_ek *ek; /* where the AK's parent is the EK */
	X509 *ak_certificate;
	struct tpm *tpm;
};

static void machine_free(struct machine *machine)
{
	device_ak_free(&machine->ak);
	device_ek_free(&machine->ek);
	x509_free(&machine->ak_certificate);
	tpm_close(&machine->tpm);
}

static enum err read_machine(
	const struct sign_options *options, struct state *state, struct machine *out)
{
	TRY(held_enrollment(state, &out->enrollment));
	TRY(held_ak(state, &out->enrollment, &out->ak));
	TRY(cert_read(state_path(state, STATE_AK_CERT), "pem-file", &out->ak_certificate));
	TRY(tpm_open(&options->access, &out->tpm));
	return held_ek(out->tpm, &out->enrollment, out->ak, EK_CERTIFICATE_AUTO, &out->ek);
}

/* A word is a key's name, anything with a dot or a slash is a path. */
static enum err read_key(
	const struct sign_options *options, const struct state *state, struct tpmkey **out)
{
	AUTO(buf_free) struct buf path = BUF(4096);
	enum err err;

	if (strpbrk(options->key, "./") != NULL)
		buf_str(&path, options->key);
	else
		buf_fmt(&path, "%s/%s" STATE_KEY, state_dir(state), options->key);
	TRY(buf_ok(&path));
	err = tpmkey_read(buf_text(&path), out);
	if (err == ERR_NOT_FOUND)
		return fail(ERR_NOT_FOUND, "file-missing",
			"%s: there is no such key; endorse enroll --template NAME=tpm makes "
			"NAME" STATE_KEY,
			buf_text(&path));
	if (err != OK)
		return fail(err, why()->code, "%s: %s", buf_text(&path), why()->sentence);
	return OK;
}

/* Where the service gives the AK's certificate to whoever asks. */
static enum err put_location(const struct machine *machine, struct buf *out)
{
	uint8_t digest[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	unsigned n = 0;

	if (X509_digest(machine->ak_certificate, EVP_sha256(), digest, &n) != 1)
		return fail(ERR_INTERNAL, "crypto", "cannot digest the AK's certificate");
	hex_write(VIEW(digest), hex);
	buf_fmt(out, "%s/v1/certificates/%s", machine->enrollment.server, hex);
	return buf_ok(out);
}

/* The AK's word for the key of `cert`, into it. */
static enum err add_evidence(const struct machine *machine, const struct tpmkey *key, X509 *cert)
{
	AUTO(tpmkey_statement_free) struct tpmkey_statement said;
	AUTO(buf_free) struct buf location = BUF(2048);
	struct grant_evidence evidence = {0};
	uint8_t digest[SHA256_SIZE];

	tpmkey_statement_init(&said);
	TRY(skae_qualifying(cert, digest));
	TRY(tpmkey_certify(machine->tpm, key, machine->ak, machine->ek, VIEW(digest), &said));
	TRY(put_location(machine, &location));
	/* Without the sizes before them. */
	evidence.public = (struct view){key->public.p + 2, key->public.n - 2};
	evidence.attest = (struct view){said.attest.p + 2, said.attest.n - 2};
	evidence.signature = buf_view(&said.signature);
	if (location.n <= SKAE_LOCATION_MAX)
		evidence.ak_location = buf_text(&location);
	return skae_add(cert, &evidence);
}

static enum err sign(const struct machine *machine, const struct tpmkey *key, X509 *cert)
{
	AUTO(loaded_flush) struct loaded loaded = LOADED(machine->tpm);

	TRY(tpmkey_load(machine->tpm, key, &loaded));
	return selfsigned_sign(machine->tpm, &loaded, cert);
}

/* What a relying party would find broken is told here, where something can be done about it. */
static enum err check_own(const struct machine *machine, const X509 *cert)
{
	AUTO(skae_free) struct skae skae;
	struct certify_evidence carried;

	skae_init(&skae);
	TRY(skae_of(cert, &skae));
	carried = (struct certify_evidence){
		buf_view(&skae.public), buf_view(&skae.attest), buf_view(&skae.signature)};
	return skae_judge(cert, machine->ak_certificate, &carried, SKAE_SELF_SIGNED);
}

static enum err make(const struct sign_options *options, struct buf *pem)
{
	AUTO(state_close) struct state *state = NULL;
	AUTO(machine_free) struct machine machine = {0};
	AUTO(tpmkey_free) struct tpmkey *key = NULL;
	AUTO(x509_free) X509 *cert = NULL;
	struct selfsigned_wish wish = {.now = clock_now(), .lifetime = options->lifetime};

	TRY(state_open_readonly(options->state_dir, &state));
	TRY(read_key(options, state, &key));
	TRY(read_machine(options, state, &machine));
	wish.name = options->name[0] != '\0' ? options->name : machine.enrollment.host;
	TRY(selfsigned_begin(key, &wish, &cert));
	TRY(add_evidence(&machine, key, cert));
	TRY(sign(&machine, key, cert));
	TRY(check_own(&machine, cert));
	return cert_pem_add(cert, pem);
}

static enum err self_sign(const struct sign_options *options)
{
	AUTO(buf_free) struct buf pem = BUF(32 * 1024);

	TRY(make(options, &pem));
	if (options->out != NULL)
		return file_replace(options->out, 0644, buf_view(&pem));
	fputs(buf_text(&pem), stdout);
	return OK;
}

int self_sign_command(int argc, char **argv)
{
	struct sign_options options;
	enum err err = read_options(argc, argv, &options);

	if (err == OK && options.help) {
		fputs(self_sign_usage, stdout);
		return EXIT_DONE;
	}
	interrupt_hold();
	if (err == OK)
		err = self_sign(&options);
	if (err == OK)
		return EXIT_DONE;
	return exit_failed();
}
