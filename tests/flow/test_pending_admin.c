/* test_pending_admin.c - what an admin sees of attempts that are held, decides, and what comes of it. */
#include "tests/flow/cluster.h"
#include "tests/flow/maker.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include "ca/base/cert.h"
#include "ca/base/crypt.h"
#include "ca/base/encode.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char policy[] = "rules:\n"
			     "  - name: any\n"
			     "    hosts: [{glob: \"web-*.example.test\"}]\n"
			     "    templates: [ak]\n"
			     "    trust: [manufacturer, operator-import, approved]\n"
			     "    unknown_ek: hold\n";

static struct world world;
static struct maker stranger; /* nobody trusts it */
static struct buf root = BUF(8192), intermediate = BUF(8192);
static char *admin, *token_file;

static int make(void **state)
{
	AUTO(mem_free) char *dir = NULL;

	(void)state;
	world_make(&(struct world_plan){.policy = policy}, &world);
	admin = text("http://127.0.0.1:%d", world.services[0].admin_port);
	token_file = text("%s/admin.token", world.dir);
	dir = text("%s/stranger", world.dir);
	maker_init(&stranger, dir, "stranger");
	must(cert_der_add(stranger.root, &root) == OK &&
			cert_der_add(stranger.intermediate, &intermediate) == OK,
		"the stranger's certificates");
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	free(admin);
	free(token_file);
	buf_free(&root);
	buf_free(&intermediate);
	maker_free(&stranger);
	world_free(&world);
	return 0;
}

#define PENDING(output, ...)                                                                       \
	world_run(&world, output, "endorsectl", "pending", ##__VA_ARGS__, "--admin", admin,        \
		"--token-file", token_file, NULL)

static void wants(const struct output *output, int code, const char *what)
{
	if (output->code != code || (strstr(buf_text(&output->out), what) == NULL &&
					    strstr(buf_text(&output->err), what) == NULL))
		fail_msg("exit %d, wanted %d and \"%s\":\n%s%s", output->code, code, what,
			buf_text(&output->out), buf_text(&output->err));
}

/* A device of the stranger's, with `chain_n` of its CAs: the intermediate, then the root. */
static void make_device(const char *host, size_t chain_n, struct soft_device *out)
{
	soft_device_make(
		&(struct soft_plan){
			.ek = SOFT_L2, .ak = SOFT_P256, .service = world.name, .host = host},
		&stranger, out);
	out->chain[0] = buf_view(&intermediate);
	out->chain[1] = buf_view(&root);
	out->chain_n = chain_n;
}

static void ask(const struct soft_device *device, int status, const char *code)
{
	AUTO(soft_outcome_free) struct soft_outcome outcome;

	soft_enroll(device, &world.services[0].peer, world.name, &outcome);
	if (outcome.status != status || (code != NULL && strcmp(outcome.code, code) != 0))
		fail_msg("%d %s, wanted %d %s: %s", outcome.status, outcome.code, status,
			code == NULL ? "" : code, outcome.detail);
}

/* Its attempt's id, as the database has it. */
static char *attempt_of(const char *host)
{
	return sql_text(world.conninfo,
		"SELECT encode(attempt_id, 'hex') FROM pending WHERE host = '%s'", host);
}

static void nothing_is_held_at_first(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	PENDING(&output, "list");
	wants(&output, 0, "no attempt is held\n");
}

static void what_is_held_is_listed_and_shown_with_its_evidence(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(output_free) struct output list, json, shown, document;
	AUTO(mem_free) char *id = NULL, *start = NULL;

	(void)state;
	make_device("web-1.example.test", 2, &device);
	ask(&device, 202, "pending-approval");
	ask(&device, 202, "pending-approval");
	id = attempt_of("web-1.example.test");
	assert_int_equal(strlen(id), 32);
	start = text("%.6s", id);
	PENDING(&list, "list");
	wants(&list, 0, "web-1.example.test                ek-untrusted\n");
	wants(&list, 0, "asked 2 time(s); its certificate says (not proven) IBM swtpm\n");
	PENDING(&json, "list", "--json", "--state", "all");
	wants(&json, 0, "\"state\":\"held\"");
	PENDING(&shown, "show", start);
	wants(&shown, 0, ", held\n");
	wants(&shown, 0, "\nproven: some TPM has this EK, and with it this AK\n");
	wants(&shown, 0, "\nNOT PROVEN, the certificate's own words\n");
	wants(&shown, 0, "\n  sent with it 2  ");
	wants(&shown, 0, "\n  endorsectl pending accept-once ");
	wants(&shown, 0, "\n  endorsectl pending trust-ca ");
	PENDING(&document, "show", id, "--json");
	wants(&document, 0, "\"chain\":[\"");
}

static void an_accepted_one_enrolls_when_it_asks_next_and_only_that_one(void **state)
{
	AUTO(soft_device_free) struct soft_device device, other;
	AUTO(output_free) struct output accepted, again, list;
	AUTO(mem_free) char *id = NULL;

	(void)state;
	make_device("web-2.example.test", 0, &device);
	make_device("web-3.example.test", 0, &other);
	ask(&device, 202, "pending-approval");
	ask(&other, 202, "pending-approval");
	id = attempt_of("web-2.example.test");
	PENDING(&accepted, "accept-once", id, "--why", "I stood before it");
	wants(&accepted, 0, " is accepted: its device enrolls when it asks next");
	ask(&device, 200, NULL);
	ask(&other, 202, "pending-approval");
	PENDING(&again, "accept-once", id, "--why", "I stood before it");
	assert_int_equal(again.code, 5);
	PENDING(&list, "list", "--state", "accepted", "--json");
	wants(&list, 0, "\"decided_by\":\"admin-token\"");
	wants(&list, 0, "\"why\":\"I stood before it\"");
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM audit WHERE who = 'admin-token' AND detail "
				 "LIKE '%%I stood before it'"),
		1);
}

static void a_rejected_one_is_told_so(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(output_free) struct output rejected;
	AUTO(mem_free) char *id = NULL;

	(void)state;
	make_device("web-4.example.test", 0, &device);
	ask(&device, 202, "pending-approval");
	id = attempt_of("web-4.example.test");
	PENDING(&rejected, "reject", id, "--why", "nobody knows it");
	wants(&rejected, 0, " is rejected\n");
	ask(&device, 403, "attempt-rejected");
}

#define ZEROES "0000000000000000000000000000000000000000000000000000000000000000"

static void without_a_ca_that_was_sent_there_is_none_to_trust(void **state)
{
	AUTO(output_free) struct output none, shown;
	AUTO(mem_free) char *id = attempt_of("web-3.example.test");

	(void)state;
	PENDING(&none, "trust-ca", id, "--why", "x", "--certificate", ZEROES);
	wants(&none, 5, "ca-not-sent");
	wants(&none, 5, "endorsectl vendors import");
	PENDING(&shown, "show", id);
	wants(&shown, 0, "\n  endorsectl vendors import FILE --why ...\n");
}

static void fingerprint_of(const struct buf *der, char out[static 2 * SHA256_SIZE + 1])
{
	uint8_t digest[SHA256_SIZE];

	assert_int_equal(OK, SHA256_OF(digest, buf_view(der)));
	hex_write(VIEW(digest), out);
}

/*
 * It sends a CA that is good by itself, whose fingerprint its maker publishes, and that has nothing to do with
 * its EK; and beside it the one that does.
 */
static void a_ca_that_does_not_lead_to_the_ek_is_not_to_be_trusted(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(buf_free) struct buf other = BUF(8192);
	AUTO(mem_free) char *dir = text("%s/unrelated", world.dir), *id = NULL;
	AUTO(maker_free) struct maker unrelated;
	AUTO(output_free) struct output output, wrong, unsaid;
	AUTO(httpc_answer_free) struct httpc_answer answer;
	AUTO(mem_free) char *body = NULL;
	char hex[2 * SHA256_SIZE + 1];

	(void)state;
	maker_init(&unrelated, dir, "unrelated");
	assert_int_equal(OK, cert_der_add(unrelated.root, &other));
	make_device("web-5.example.test", 0, &device);
	device.chain[0] = buf_view(&other);
	device.chain[1] = buf_view(&intermediate);
	device.chain[2] = buf_view(&root);
	device.chain_n = 3;
	ask(&device, 202, "pending-approval");
	id = attempt_of("web-5.example.test");
	fingerprint_of(&other, hex);
	PENDING(&output, "trust-ca", id, "--why", "x", "--certificate", hex);
	wants(&output, 5, "ca-no-path");
	/* Nor one that the attempt did not come with. */
	PENDING(&wrong, "trust-ca", id, "--why", "x", "--certificate", ZEROES);
	wants(&wrong, 5, "ca-no-path");
	/* Nor whichever it came with. */
	PENDING(&unsaid, "trust-ca", id, "--why", "x");
	wants(&unsaid, 2, "usage: endorsectl pending trust-ca");
	body = text("{\"id\":\"%s\",\"why\":\"x\"}", id);
	httpc_post(&world.services[0].admin, "/v1/admin/pending/trust-ca", view_str(body), &answer);
	assert_int_equal(400, answer.status);
	assert_int_equal(world_rows(&world, "trusted"), 0);
}

struct asking {
	const struct soft_device *device;
	int status;
};

static bool is_enrolled(void *arg)
{
	struct asking *asking = arg;
	AUTO(soft_outcome_free) struct soft_outcome outcome;

	soft_enroll(asking->device, &world.services[0].peer, world.name, &outcome);
	asking->status = outcome.status;
	return outcome.status == 200;
}

static void a_ca_that_was_sent_is_trusted_for_its_maker_and_the_next_ask_passes(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(output_free) struct output trusted, again;
	AUTO(mem_free) char *id = NULL, *fingerprint = NULL;
	char hex[2 * SHA256_SIZE + 1];
	struct asking asking = {&device, 0};

	(void)state;
	make_device("web-6.example.test", 2, &device);
	ask(&device, 202, "pending-approval");
	id = attempt_of("web-6.example.test");
	fingerprint_of(&root, hex);
	PENDING(&trusted, "trust-ca", id, "--why", "compared by phone", "--certificate", hex);
	fingerprint = text("trusted: %s\n", hex);
	wants(&trusted, 0, fingerprint);
	wants(&trusted, 0, "for manufacturer id:00001014\n");
	PENDING(&again, "trust-ca", id, "--why", "compared by phone", "--certificate", hex);
	wants(&again, 0, "imported before, and left as it is: ");
	assert_int_equal(world_rows(&world, "trusted"), 1);
	if (!wait_until(is_enrolled, &asking, 10000))
		fail_msg("still %d", asking.status);
	assert_int_equal(
		sql_number(world.conninfo, "SELECT count(*) FROM device WHERE trust_class = "
					   "'operator-import'"),
		1);
}

static void ids_are_given_as_far_as_is_needed(void **state)
{
	AUTO(output_free) struct output few, unknown, digits, state_word, why;

	(void)state;
	PENDING(&few, "show", "12345");
	wants(&few, 1, "is no attempt");
	PENDING(&unknown, "show", "ffffffffffff");
	wants(&unknown, 1, "no attempt begins with");
	PENDING(&digits, "show", "00000000000000000000000000000000");
	wants(&digits, 5, "attempt-unknown");
	PENDING(&state_word, "list", "--state", "lost");
	wants(&state_word, 5, "query-value");
	PENDING(&why, "reject", "00000000000000000000000000000000");
	assert_int_equal(why.code, 2);
}

static void the_service_wants_a_whole_id_and_words(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer id, words, none;
	const struct httpc_peer *peer = &world.services[0].admin;

	(void)state;
	httpc_post(
		peer, "/v1/admin/pending/accept", view_str("{\"id\":\"ab\",\"why\":\"x\"}"), &id);
	assert_int_equal(id.status, 400);
	assert_non_null(strstr(buf_text(&id.body), "attempt-id"));
	httpc_post(peer, "/v1/admin/pending/reject",
		view_str("{\"id\":\"00000000000000000000000000000000\",\"why\":\"...\"}"), &words);
	assert_int_equal(words.status, 400);
	assert_non_null(strstr(buf_text(&words.body), "why-missing"));
	httpc_get(peer, "/v1/admin/pending/show", &none);
	assert_int_equal(none.status, 400);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(nothing_is_held_at_first),
		cmocka_unit_test(what_is_held_is_listed_and_shown_with_its_evidence),
		cmocka_unit_test(an_accepted_one_enrolls_when_it_asks_next_and_only_that_one),
		cmocka_unit_test(a_rejected_one_is_told_so),
		cmocka_unit_test(without_a_ca_that_was_sent_there_is_none_to_trust),
		cmocka_unit_test(a_ca_that_does_not_lead_to_the_ek_is_not_to_be_trusted),
		cmocka_unit_test(
			a_ca_that_was_sent_is_trusted_for_its_maker_and_the_next_ask_passes),
		cmocka_unit_test(ids_are_given_as_far_as_is_needed),
		cmocka_unit_test(the_service_wants_a_whole_id_and_words),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
