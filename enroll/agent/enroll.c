/* enroll.c - `endorse enroll`. */
#include "enroll/agent/enroll.h"
#include "ca/base/clock.h"
#include "enroll/agent/command.h"
#include "enroll/agent/exit.h"
#include "enroll/agent/hook.h"
#include "enroll/agent/install.h"
#include "enroll/agent/interrupt.h"
#include "enroll/agent/report.h"

#include <stdio.h>
#include <string.h>

const char enroll_usage[] =
	"usage: endorse enroll --server URL (--ca FILE | --ca-sha256 DIGEST) [options]\n"
	"\n"
	"Proves this machine's TPM to the service, and gets certificates for an attestation key\n"
	"in it and for keys that this key vouches for. Does nothing while those held have a third\n"
	"of their life left.\n"
	"\n"
	"  --server URL        the service, https:// only\n"
	"  --ca FILE           PEM: the CA certificates to trust, for TLS and for what is issued\n"
	"  --ca-sha256 DIGEST  or the SHA-256 of one (DER, hexadecimal) that the server sends;\n"
	"                      with neither, what the first enrollment kept in DIR\n"
	"  --service NAME      the service's own name, when it is not its URL\n"
	"  --host NAME         the host name to be certified (default: this machine's)\n"
	"  --host-from-service ask for no name, and take the one that the service has registered\n"
	"                      for this TPM\n"
	"  --template NAME[=KEY]  a certificate to ask for, for the AK (ak), for a key in the TPM\n"
	"                      (tpm, tpm:p384, tpm:rsa2048) or for a public key in a file; may be\n"
	"                      repeated (default: those of the last enrollment, or ak)\n"
	"  --exec NAME=COMMAND runs COMMAND by /bin/sh -c after NAME's certificate was replaced\n"
	"  --new-keys          make new keys in the TPM; the AK stays\n"
	"  --state DIR         default " STATE_DEFAULT "\n" ACCESS_USAGE
	"  --ak KIND           of attestation key: p256 (default), p384, rsa2048, rsa2048-pss\n"
	"  --hierarchy NAME    where a new one is made: owner (default), endorsement or ek\n"
	"  --ak-handle HANDLE  use the AK at 0x81......, or make the new one persistent there\n"
	"  --ek KIND           of endorsement key: auto (default), rsa2048, rsa3072, rsa4096,\n"
	"                      p256, p384, p521, or a template's name such as H-1\n"
	"  --ek-certificate W  auto (default), or none: do not send the EK's certificate\n"
	"  --proxy URL         the environment's proxies are not used\n"
	"  --force             also when nothing needs to be done\n"
	"  --timeout SECONDS   to go on while the service is away (default 120; 0: try once)\n"
	"  --wait TIME         to go on asking while an admin is to decide, such as 20m, 1h or 7d\n"
	"                      (default 0: ask once)\n";

static bool is_ak_as_wished(const struct ak_wish *wish, const struct enrollment *enrollment)
{
	TPM2_HANDLE handle = 0;

	(void)ak_handle_read(enrollment->ak_handle, &handle);
	return (wish->recipe == NULL || strcmp(enrollment->ak_kind, wish->recipe->name) == 0) &&
	       (!wish->has_hierarchy ||
		       strcmp(enrollment->ak_hierarchy, ak_hierarchy_text(wish->hierarchy)) == 0) &&
	       (wish->handle == 0 || wish->handle == handle);
}

static bool is_as_wished(const struct wish *wish, const struct enrollment *enrollment)
{
	const struct ek_template *ek = ek_template_find(enrollment->ek_template);

	return strcmp(enrollment->service, wish->service) == 0 &&
	       (wish->host == NULL || strcmp(enrollment->host, wish->host) == 0) &&
	       is_ak_as_wished(&wish->ak, enrollment) &&
	       (wish->ek == NULL || (ek != NULL && ek_template_is(ek, wish->ek)));
}

static void say_why(const struct wish *wish, const struct wanted *wanted, struct state *state,
	const struct held *held)
{
	if (held->judgement == HELD_NOTHING)
		return;
	if (held->judgement == HELD_BROKEN)
		fprintf(stderr, "endorse: %s: what is held is of no use: %s\n", state_dir(state),
			held->problem);
	else if (held->judgement != HELD_GOOD)
		fprintf(stderr, "endorse: %s: what is held is %s; enrolling again\n",
			state_dir(state), held_text(held->judgement));
	else if (!is_as_wished(wish, &held->enrollment) || !wanted_same(wanted, &held->wanted))
		fprintf(stderr,
			"endorse: %s: held for %s with %s, not as asked for; enrolling again\n",
			state_dir(state), held->enrollment.host, held->enrollment.service);
}

/* Whoever asks for one more has to name those held too; who did not mean that learns it here, not when they end. */
static void tell_dropped(const struct wanted *now, struct state *state, const struct held *held)
{
	struct wanted kept = *now;

	if (held->judgement == HELD_NOTHING)
		return;
	for (size_t i = 0; i < held->wanted.n; i++) {
		const char *template = held->wanted.items[i].template;

		if (wanted_find(&kept, template) == NULL)
			fprintf(stderr,
				"endorse: %s: %s was not asked for again: its files stay, and will "
				"not be renewed\n",
				state_dir(state), template);
	}
}

enum err enroll_again(const struct order *order, const struct wanted *wanted, struct state *state,
	struct anchors *anchors, const struct held *held)
{
	AUTO(attempt_free)
	struct attempt attempt = {.wish = &order->wish,
		.state = state,
		.anchors = anchors,
		.before = held->enrollment,
		.wanted = *wanted,
		.makes_new_keys = order->new_keys};
	enum err err;

	say_why(&order->wish, wanted, state, held);
	err = attempt_run(&attempt);
	if (err != OK && strcmp(why()->code, "service-refused") == 0)
		report_refusal(stderr, &attempt);
	TRY(err);
	TRY(install(&attempt));
	report_enrolled(stdout, &attempt);
	tell_dropped(wanted, state, held);
	return hooks_run(state, &attempt.wanted, attempt.accepted->answer->host);
}

enum err enroll_run_commands(struct state *state, struct wanted *wanted, const struct held *held)
{
	if (!wanted_equal(wanted, &held->wanted))
		TRY(state_keep(state, wanted));
	return hooks_run(state, wanted, held->enrollment.host);
}

static enum err load_held_ak(const struct wish *wish, struct tpm *tpm, struct state *state,
	const struct enrollment *enrollment)
{
	AUTO(device_ak_free) struct device_ak *ak = NULL;
	AUTO(device_ek_free) struct device_ek *ek = NULL;
	AUTO(loaded_flush) struct loaded loaded = LOADED(tpm);

	TRY(held_ak(state, enrollment, &ak));
	TRY(held_ek(tpm, enrollment, ak, wish->ek_certificate, &ek));
	return device_ak_load(tpm, ak, ek, &loaded);
}

/* Files outlive a TPM that is cleared or exchanged: only it can say that the AK is still there. */
enum err enroll_ask_tpm(
	const struct order *order, struct state *state, const struct held *held, bool *is_there)
{
	AUTO(tpm_close) struct tpm *tpm = NULL;
	enum err err;

	*is_there = false;
	TRY(tpm_open(&order->wish.access, &tpm));
	err = load_held_ak(&order->wish, tpm, state, &held->enrollment);
	*is_there = err == OK;
	if (err != ERR_REJECTED && err != ERR_NOT_FOUND)
		return err;
	fprintf(stderr,
		"endorse: %s: the TPM at %s does not have the AK any more: %s; enrolling "
		"again\n",
		state_dir(state), access_text(&order->wish.access), why()->sentence);
	return OK;
}

static enum err enroll(const struct order *order)
{
	AUTO(state_close) struct state *state = NULL;
	AUTO(anchors_free) struct anchors *anchors = NULL;
	struct wanted wanted;
	struct held held;
	bool is_there = false;

	TRY(state_open(order->state_dir, &state));
	TRY(order_anchors(order, state_path(state, STATE_ANCHORS), &anchors));
	TRY(order_wanted(order, state, &wanted));
	held_read(state, anchors, clock_now(), &held);
	if (!order->force && !order->new_keys && held.judgement == HELD_GOOD &&
		is_as_wished(&order->wish, &held.enrollment) && wanted_same(&wanted, &held.wanted))
		TRY(enroll_ask_tpm(order, state, &held, &is_there));
	if (!is_there)
		return enroll_again(order, &wanted, state, anchors, &held);
	report_held(stdout, state, &held);
	return enroll_run_commands(state, &wanted, &held);
}

void enroll_tell_failure(const struct order *order, const struct reason *reason)
{
	/* A refusal was told at length. */
	if (strcmp(reason->code, "service-refused") == 0)
		return;
	if (exit_code(reason) == EXIT_UNTRUSTED)
		fprintf(stderr, "endorse: %s: %s; nothing was installed\n", reason->code,
			reason->sentence);
	else if (exit_code(reason) == EXIT_TPM)
		fprintf(stderr, "endorse: the TPM at %s: %s\n", access_text(&order->wish.access),
			reason->sentence);
	else
		fprintf(stderr, "endorse: %s\n", reason->sentence);
}

int enroll_command(int argc, char **argv)
{
	AUTO(order_free) struct order order;
	enum err err = order_read(argc, argv, &order);

	if (err == OK && order.help) {
		fputs(enroll_usage, stdout);
		return EXIT_DONE;
	}
	interrupt_hold();
	if (err == OK)
		err = enroll(&order);
	if (err == OK)
		return EXIT_DONE;
	enroll_tell_failure(&order, why());
	return exit_code(why());
}
