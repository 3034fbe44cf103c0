#include "enroll/agent/report.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "ca/base/printable.h"
#include "ca/ssh.h"
#include "enroll/tpm/manufacturer.h"

#include <string.h>

#define TEXT 256

static void print_tpm(FILE *out, const struct answer *answer)
{
	char manufacturer[MANUFACTURER_SIZE], model[TEXT], version[TEXT];

	if (answer->tpm_manufacturer[0] == '\0') {
		fprintf(out, "TPM      nothing proves who made it\n");
		return;
	}
	manufacturer_text(answer->tpm_manufacturer, manufacturer);
	printable(answer->tpm_model, model, sizeof(model));
	printable(answer->tpm_version, version, sizeof(version));
	fprintf(out, "TPM      %s, model %s, version %s\n", manufacturer, model, version);
}

static void print_ek(FILE *out, const struct device_ek *ek)
{
	fprintf(out, "EK       %s (template %s), ", key_kind_text(ek->template->kind),
		ek->template->name);
	if (ek->certificate.n > 0)
		fprintf(out, "certificate from NV 0x%08x", ek->template->nv_certificate);
	else
		fprintf(out, "without a certificate");
	if (ek->chain_n > 0)
		fprintf(out, " and %zu above it", ek->chain_n);
	fprintf(out,
		"\n         sha256 %s\n"
		"         it names this TPM for ever: only the service is told\n",
		ek->sha256);
}

/* One subject on each line. */
static void print_chain(FILE *out, const char *chain)
{
	while (*chain != '\0') {
		size_t n = strcspn(chain, "\n");
		char line[TEXT], shown[TEXT];

		snprintf(line, sizeof(line), "%.*s", n < TEXT ? (int)n : TEXT - 1, chain);
		printable(line, shown, sizeof(shown));
		fprintf(out, "         signed by %s\n", shown);
		chain += n + (chain[n] == '\n' ? 1 : 0);
	}
}

static void print_trust(FILE *out, const struct answer *answer)
{
	char class[TEXT], source[TEXT];

	printable(answer->trust_class, class, sizeof(class));
	printable(answer->trust_source, source, sizeof(source));
	fprintf(out, "Trust    %s, %s: %s\n", class,
		answer->trust_chain[0] == '\0' ? "by" : "roots", source);
	print_chain(out, answer->trust_chain);
}

static void print_ak(FILE *out, const struct device_ak *ak)
{
	const struct tpm_name *name = ak_name(ak->judged);
	char hex[2 * TPM_NAME_MAX + 1];

	hex_write((struct view){name->bytes, name->n}, hex);
	fprintf(out, "AK       %s", ak_recipe_text(ak->judged));
	if (ak->parent != 0)
		fprintf(out, ", hierarchy %s", device_ak_place(ak));
	if (ak->handle != 0)
		fprintf(out, ", persistent at 0x%08x", ak->handle);
	fprintf(out, "\n         name %s\n", hex);
	if (ak_is_untagged(ak->judged))
		fprintf(out,
			"         it has no service's tag: a rule of the service takes that\n");
}

static void print_proof(FILE *out)
{
	fprintf(out,
		"Proof    the service made a credential for this EK and this AK's name\n"
		"         (MakeCredential): only a TPM that holds both keys can read it.\n"
		"         TPM2_ActivateCredential: activated; what it held proves the request\n");
}

static void print_life(FILE *out, const char *serial, int64_t from, int64_t until)
{
	char from_text[CLOCK_TEXT_SIZE], until_text[CLOCK_TEXT_SIZE];

	clock_text(from, from_text);
	clock_text(until, until_text);
	fprintf(out, ", serial %s\n         valid %s to %s\n", serial, from_text, until_text);
}

static void print_x509(FILE *out, const X509 *certificate)
{
	char serial[CERT_SERIAL_SIZE];
	int64_t from = 0, until = 0;

	cert_serial(certificate, serial);
	if (cert_validity(certificate, &from, &until) == OK)
		print_life(out, serial, from, until);
}

static void print_ssh(FILE *out, struct view blob)
{
	struct ssh_certificate certificate;
	char serial[CERT_SERIAL_SIZE];

	if (ssh_certificate_parse(blob, &certificate) != OK)
		return;
	snprintf(serial, sizeof(serial), "%llu", (unsigned long long)certificate.serial);
	fprintf(out, " (OpenSSH, for a %s)", certificate.type == SSH_HOST ? "host" : "user");
	print_life(
		out, serial, (int64_t)certificate.valid_after, (int64_t)certificate.valid_before);
}

static void print_issued(FILE *out, const struct attempt *a)
{
	for (size_t i = 0; i < a->accepted->n; i++) {
		const struct accepted_one *one = &a->accepted->items[i];
		char key[WANT_PATH + 1];

		want_key_text(&a->wanted.items[i], key, sizeof(key));
		fprintf(out, "Issued   template %s for %s", a->wanted.items[i].template, key);
		if (one->x509 != NULL)
			print_x509(out, one->x509);
		else
			print_ssh(out, one->blob);
	}
}

/* Where a program finds it, with its key if that is a file here. `head` begins the first line. */
static void print_places(FILE *out, const struct attempt *a, const char *head)
{
	for (size_t i = 0; i < a->wanted.n; i++) {
		const struct want *want = &a->wanted.items[i];
		bool is_ssh = a->accepted->items[i].x509 == NULL;
		AUTO(mem_free)
		char *path =
			state_file(a->state, want->template, is_ssh ? STATE_SSH : STATE_FULLCHAIN);
		AUTO(mem_free) char *key = state_file(a->state, want->template, STATE_KEY);

		if (path == NULL || key == NULL || i == a->accepted->ak)
			continue;
		fprintf(out, "%-8s %s   %s\n", head, path, want->template);
		head = "";
		if (want->key == WANT_TPM)
			fprintf(out, "         %s   its key, of use to this TPM only\n", key);
	}
}

static void print_files(FILE *out, struct state *state, const struct device_ak *ak)
{
	bool has_file = ak->private.n > 0;

	fprintf(out,
		"Files    %s   %s\n"
		"         %s        its certificate\n"
		"         %s     the certificates between it and the anchor\n"
		"         %s   what this machine trusts\n",
		state_path(state, has_file ? STATE_AK_KEY : STATE_AK_PUBLIC),
		has_file ? "the AK, of use to this TPM only" : "the AK's public half",
		state_path(state, STATE_AK_CERT), state_path(state, STATE_CHAIN),
		state_path(state, STATE_ANCHORS));
}

void report_enrolled(FILE *out, const struct attempt *a)
{
	const struct answer *answer = a->accepted->answer;

	fprintf(out, "Enrolled %s with %s\n", answer->host, a->wish->service);
	print_tpm(out, answer);
	print_ek(out, a->ek);
	print_trust(out, answer);
	print_ak(out, a->found.ak);
	print_proof(out);
	print_issued(out, a);
	fprintf(out, "Device   %s\n", answer->device_id);
	print_files(out, a->state, a->found.ak);
	print_places(out, a, "");
}

static const struct {
	const char *code;
	const char *advice;
} refusals[] = {
	{"host-bound-to-another-device",
		"Ask the operator to release the name, or enroll under another one (--host). If "
		"this is the machine that had it, its TPM or its EK was changed."},
	{"device-bound-to-another-host", "Give the name that this TPM was enrolled under (--host), "
					 "or ask the operator to release that name."},
	{"name-not-allowed", "No rule of the service lets this TPM take that name: check --host, "
			     "or ask the operator."},
	{"host-name", "Give another name with --host."},
	{"wrong-service", "Give the service's own name with --service."},
	{"ak-not-for-this-service", "Give the service's own name with --service."},
	{"ek-untrusted",
		"The service has no root for this TPM's manufacturer: the operator can import it "
		"(endorsectl vendors import), allow this EK by its sha256 (endorsectl ek allow "
		"add) where the name's rule takes allow-list, or have such attempts held for "
		"approval (unknown_ek: hold)."},
	{"ek-certificate-missing",
		"The operator can allow this EK by its sha256 (endorsectl ek allow add) where the "
		"name's rule takes allow-list, or have such attempts held for approval "
		"(unknown_ek: hold)."},
	{"ek-expired", "Ask the maker of the TPM or of the machine for a newer certificate; or the "
		       "operator lets the name's rule take expired ones (expired_ek: warn)."},
	{"ek-manufacturer",
		"The service knows the CA of this certificate as another maker's: show the "
		"operator the request's id. endorse doctor says what this TPM is."},
	{"ek-revoked", "The TPM's maker took its certificate back: the machine needs another TPM."},
	{"ek-mismatch",
		"The key in this TPM is not the one of its certificate: was the EK made anew, by "
		"another template? Try another --ek."},
	{"ek-firmware",
		"Something is known against this TPM's firmware: look for an update, or ask the "
		"operator."},
	{"ek-roca", "Anybody can compute this TPM's EK (CVE-2017-15361): it needs to be replaced, "
		    "or an EK of another kind (--ek p256)."},
	{"ek-registered-for-another-host",
		"The operator registered this EK under another name: give that one (--host), or "
		"let the service say it (--host-from-service)."},
	{"host-registered-for-another-ek",
		"The operator registered this name for another TPM: check --host; if this is the "
		"right machine, the registration has to be changed (endorsectl ek allow)."},
	{"host-not-registered",
		"The operator registered no name for this EK: give one (--host), or have it "
		"registered (endorsectl ek allow add)."},
	{"attempt-rejected",
		"An admin looked at this TPM and rejected it: ask who did, and why (endorsectl "
		"pending show)."},
	{"template-needs-tpm-facts",
		"Nothing proves who made this TPM, and the service's template states it: the "
		"operator can make that optional."},
	{"template-not-allowed",
		"The service's policy gives this machine no certificate by that template: ask for "
		"others (--template), or ask the operator."},
	{"template-needs-label",
		"The operator labels a machine by its EK (endorsectl ek allow add --label), before "
		"it first enrolls."},
	{"template-needs-ak-certificate",
		"Ask for a certificate of the AK with it: --template ak."},
	{"request-key",
		"Say which key the template is for: --template NAME=KEY, with ak, tpm or a file."},
	{"ak-superseded",
		"This AK is over for good. Remove ak.tss2.pem from the state directory and run "
		"this again: it makes another one."},
	{"ek-tpm12",
		"A TPM 1.2 cannot enroll: look for a firmware setting or update that gives this "
		"machine a TPM 2.0."},
	{"ek-kind-not-allowed", "Try an EK of another kind, if this TPM has one: --ek KIND."},
	{"renewal-name-not-bound",
		"Ask the operator whether this machine is still to have the name. If so: endorse "
		"enroll, by hand. If not: systemctl disable --now endorse-renew.timer."},
	{"device-revoked", "The operator revoked this device; only the operator can undo it."},
	{"device-held", "The operator holds this device for the time being; its certificates come "
			"back when the operator says so."},
	{"host-revoked", "The operator revoked this name; only the operator can undo it."},
	{"ticket-invalid", "Run this again; if it stays so, check this machine's clock."},
	{"ticket-expired", "Run this again; the TPM or the network was too slow for the ticket."},
};

const char *refusal_advice(const char *code)
{
	for (size_t i = 0; i < COUNT(refusals); i++)
		if (strcmp(refusals[i].code, code) == 0)
			return refusals[i].advice;
	return "";
}

static void print_pair(FILE *out, const char *name, const char *value)
{
	char text[512];

	printable(value, text, sizeof(text));
	if (text[0] != '\0')
		fprintf(out, "  %-8s %s\n", name, text);
}

/* A second EK is the likeliest reason why a name is taken by "another" device: this one. */
static void print_other_ek(FILE *out, const struct attempt *a)
{
	if (!a->another_ek || a->ek == NULL)
		return;
	if (strcmp(a->ek->template->name, a->before.ek_template) == 0) {
		fprintf(out,
			"  note     %s remembers an enrollment of %s with\n           another EK "
			"of the "
			"same template: this is another TPM. Was the mainboard exchanged?\n        "
			"   "
			"The operator then gives the name to this one (endorsectl host unbind)\n",
			state_path(a->state, STATE_ENROLLMENT), a->before.host);
		return;
	}
	fprintf(out,
		"  note     this run used the EK of template %s; %s remembers an enrollment of %s "
		"with\n           the EK of template %s: try --ek %s\n",
		a->ek->template->name, state_path(a->state, STATE_ENROLLMENT), a->before.host,
		a->before.ek_template, a->before.ek_template);
}

/* An AK that was there before the service has no tag to be corrected. */
static const char *advice_for(const struct attempt *a)
{
	if (a->found.ak != NULL && ak_is_untagged(a->found.ak->judged) &&
		strcmp(a->problem.code, "ak-not-for-this-service") == 0)
		return "This AK was made for no service. Ask the operator for a rule with "
		       "untagged_aks for this host, or enroll with another AK: without "
		       "--ak-handle, or with a free handle.";
	return refusal_advice(a->problem.code);
}

void report_refusal(FILE *out, const struct attempt *a)
{
	const struct problem *problem = &a->problem;

	fprintf(out, "endorse: %s refused to enroll this machine%s%s\n", a->wish->server,
		a->wish->host == NULL ? "" : " as ", a->wish->host == NULL ? "" : a->wish->host);
	print_pair(out, "what", problem->detail);
	print_pair(out, "code", problem->code);
	print_pair(out, "clause", problem->reason);
	print_pair(out, "request", problem->request_id);
	print_pair(out, "device", a->before.device_id);
	if (a->ek != NULL) {
		print_pair(out, "EK", a->ek->template->name);
		/* What an operator allows it by, and compares. */
		print_pair(out, "sha256", a->ek->sha256);
	}
	print_pair(out, "do", advice_for(a));
	print_other_ek(out, a);
}

void report_held(FILE *out, struct state *state, const struct held *held)
{
	char until[CLOCK_TEXT_SIZE];

	clock_text(held->valid_until, until);
	fprintf(out, "%s: %s is enrolled with %s until %s; nothing to do\n", state_dir(state),
		held->enrollment.host, held->enrollment.service, until);
}

void report_renewed(FILE *out, const struct attempt *a)
{
	fprintf(out, "Renewed  %s with %s\n", a->accepted->answer->host, a->wish->service);
	print_issued(out, a);
	print_places(out, a, "Files");
}

void report_renewal_refused(FILE *out, const struct attempt *a)
{
	const struct problem *problem = &a->problem;

	fprintf(out, "endorse: %s refused to renew the certificates of %s; those held stay\n",
		a->wish->server, a->before.host);
	print_pair(out, "what", problem->detail);
	print_pair(out, "code", problem->code);
	print_pair(out, "clause", problem->reason);
	print_pair(out, "request", problem->request_id);
	print_pair(out, "device", a->before.device_id);
	print_pair(out, "do", refusal_advice(problem->code));
}

void report_not_due(FILE *out, const struct held *held, size_t which, int64_t next)
{
	char text[CLOCK_TEXT_SIZE];

	clock_text(next, text);
	fprintf(out, "Nothing is due before %s (%s of %s with %s)\n", text,
		held->wanted.items[which].template, held->enrollment.host,
		held->enrollment.service);
}
