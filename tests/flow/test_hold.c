/* test_hold.c - TPMs for which nobody vouches: held where a rule says so, and good for nothing until an admin says so. */
#include "tests/flow/cluster.h"
#include "tests/flow/knock.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOST "a.hold.example.test"

static const char policy[] = "rules:\n"
			     "  - name: holding\n"
			     "    hosts: [{suffix: hold.example.test}]\n"
			     "    ek_kinds: [p256]\n"
			     "    templates: [ak]\n"
			     "    trust: [operator-import, approved]\n"
			     "    unknown_ek: hold\n"
			     "  - name: listed\n"
			     "    hosts: [{suffix: listed.example.test}]\n"
			     "    templates: [ak]\n"
			     "    trust: [allow-list]\n"
			     "  - name: aged\n"
			     "    hosts: [{suffix: aged.example.test}]\n"
			     "    templates: [ak]\n"
			     "    expired_ek: warn\n"
			     "  - name: strict\n"
			     "    hosts: [{suffix: example.test}]\n"
			     "    templates: [ak]\n"
			     "hold: {retry_after: 7s}\n";

static struct world world;
static struct maker nobody; /* whom the service does not know */

static int make(void **state)
{
	(void)state;
	strangers_begin(policy, &world, &nobody);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	strangers_end(&world, &nobody);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	world_forget(&world);
	return 0;
}

static void assert_held(const struct knock *knock)
{
	assert_answer(knock, 202, "pending-approval");
	assert_int_equal(7, knock->retry_after);
	assert_int_equal(32, strlen(knock->problem.attempt));
}

static void an_unknown_maker_is_held_and_its_name_stays_free(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0}, other = {0};
	AUTO(knock_free) struct knock knock;
	AUTO(mem_free) char *row = NULL, *log = NULL;

	(void)state;
	stranger_of(&world, &nobody, HOST, &device);
	knock_init(&knock, &world, &device);
	knock_at(&knock);
	assert_held(&knock);
	assert_nothing_bound(&world);
	row = sql_text(world.conninfo,
		"SELECT concat_ws(' ', encode(attempt_id, 'hex'), state, host, code, rule, "
		"manufacturer, "
		"cardinality(chain), ek_certificate IS NOT NULL) FROM pending");
	assert_memory_equal(row, knock.problem.attempt, 32);
	assert_string_equal(row + 32, " held " HOST " ek-untrusted holding id:00001014 0 t");
	log = world_log(&world, 0);
	assert_non_null(strstr(log, "enroll.held"));
	assert_non_null(strstr(log, knock.problem.attempt));
	assert_non_null(strstr(knock.problem.detail, knock.problem.attempt));
	/* Held, it has taken nothing. */
	stranger_of(&world, &world.maker, HOST, &other);
	assert_knock(&world, &other, 200, "");
}

static void a_tpm_without_an_ek_certificate_is_held(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(mem_free) char *row = NULL;

	(void)state;
	stranger_make(&world,
		&(struct stranger_plan){
			.maker = &nobody, .host = HOST, .ek = SOFT_L2, .without_certificate = true},
		&device);
	assert_knock(&world, &device, 202, "pending-approval");
	assert_nothing_bound(&world);
	row = sql_text(world.conninfo,
		"SELECT concat_ws(' ', host, code, ek_certificate IS NULL) FROM pending");
	assert_string_equal(row, HOST " ek-certificate-missing t");
}

static void whoever_asks_again_is_the_same_attempt(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(knock_free) struct knock first, second;

	(void)state;
	stranger_of(&world, &nobody, HOST, &device);
	knock_init(&first, &world, &device);
	knock_init(&second, &world, &device);
	knock_at(&first);
	knock_at(&second);
	assert_held(&second);
	assert_string_equal(first.problem.attempt, second.problem.attempt);
	/* The same ticket again. */
	knock_enroll(&first);
	assert_held(&first);
	assert_string_equal(first.problem.attempt, second.problem.attempt);
	assert_int_equal(1, world_rows(&world, "pending"));
	assert_int_equal(2, world_rows(&world, "pending_ticket"));
	assert_nothing_bound(&world);
}

static void accepted_it_enrolls_with_a_new_ticket_and_never_with_the_held_one(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(knock_free) struct knock held, next;
	AUTO(mem_free) char *trust = NULL;

	(void)state;
	stranger_of(&world, &nobody, HOST, &device);
	knock_init(&held, &world, &device);
	knock_init(&next, &world, &device);
	knock_at(&held);
	assert_held(&held);
	knock_decide(&world, held.problem.attempt, PENDING_ACCEPTED);
	knock_enroll(&held);
	assert_answer(&held, 409, "ticket-used");
	assert_nothing_bound(&world);
	knock_at(&next);
	assert_answer(&next, 200, "");
	assert_string_equal(next.x.answer->host, HOST);
	assert_string_equal(next.x.answer->trust_class, "approved");
	assert_string_equal(next.x.answer->trust_chain, "");
	assert_string_equal(next.x.answer->tpm_manufacturer, "");
	assert_int_equal(1, next.x.answer->certificates_n);
	trust = sql_text(world.conninfo, "SELECT trust_class FROM device");
	assert_string_equal(trust, "approved");
	/* Still not, now that its device is enrolled. */
	knock_enroll(&held);
	assert_answer(&held, 409, "ticket-used");
	/* Its own answer, once more. */
	knock_enroll(&next);
	assert_answer(&next, 200, "");
	assert_int_equal(1, world_rows(&world, "certificate"));
}

/* Accepted was this TPM under this name. */
static void what_was_accepted_is_good_for_no_other_name_and_no_other_tpm(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0}, other = {0};
	AUTO(knock_free) struct knock knock;

	(void)state;
	stranger_of(&world, &nobody, HOST, &device);
	stranger_of(&world, &nobody, HOST, &other);
	knock_init(&knock, &world, &device);
	knock_at(&knock);
	knock_decide(&world, knock.problem.attempt, PENDING_ACCEPTED);
	assert_knock(&world, &other, 202, "pending-approval");
	snprintf(device.host, sizeof(device.host), "b.hold.example.test");
	assert_knock(&world, &device, 202, "pending-approval");
	assert_nothing_bound(&world);
}

static void rejected_it_is_refused_and_not_told_why(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(knock_free) struct knock held, next;
	char attempt[sizeof(held.problem.attempt)];

	(void)state;
	stranger_of(&world, &nobody, HOST, &device);
	knock_init(&held, &world, &device);
	knock_init(&next, &world, &device);
	knock_at(&held);
	snprintf(attempt, sizeof(attempt), "%s", held.problem.attempt);
	knock_decide(&world, attempt, PENDING_REJECTED);
	knock_at(&next);
	assert_answer(&next, 403, "attempt-rejected");
	assert_null(strstr(next.problem.detail, "serial number"));
	knock_enroll(&held);
	assert_answer(&held, 403, "attempt-rejected");
	assert_nothing_bound(&world);
	/* An admin may think better of it. */
	knock_decide(&world, attempt, PENDING_ACCEPTED);
	assert_knock(&world, &device, 200, "");
}

static void without_a_rule_that_holds_it_is_refused_at_once(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0}, bare = {0};
	AUTO(knock_free) struct knock knock, without;

	(void)state;
	stranger_of(&world, &nobody, "a.example.test", &device);
	knock_init(&knock, &world, &device);
	knock_ticket(&knock);
	assert_answer(&knock, 422, "ek-untrusted");
	stranger_make(&world,
		&(struct stranger_plan){.maker = &nobody,
			.host = "a.example.test",
			.ek = SOFT_L2,
			.without_certificate = true},
		&bare);
	knock_init(&without, &world, &bare);
	knock_ticket(&without);
	assert_answer(&without, 422, "ek-certificate-missing");
	assert_int_equal(0, world_rows(&world, "pending"));
	assert_nothing_bound(&world);
}

/* It may prove itself, and hears what is missing when it is not on the list. */
static void where_a_rule_takes_the_allow_list_only_it_is_not_held(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(knock_free) struct knock knock;

	(void)state;
	stranger_of(&world, &nobody, "a.listed.example.test", &device);
	knock_init(&knock, &world, &device);
	assert_int_equal(200, knock_ticket(&knock));
	knock_enroll(&knock);
	assert_answer(&knock, 422, "ek-untrusted");
	assert_int_equal(0, world_rows(&world, "pending"));
	assert_nothing_bound(&world);
}

static void another_kind_of_ek(struct knock *knock, struct soft_device *device)
{
	(void)knock;
	stranger_make(&world,
		&(struct stranger_plan){.maker = &nobody, .host = HOST, .ek = SOFT_H3}, device);
}

static void another_template(struct knock *knock, struct soft_device *device)
{
	stranger_of(&world, &nobody, HOST, device);
	knock->x.template = "tls";
}

static void an_ek_that_only_signs(struct knock *knock, struct soft_device *device)
{
	(void)knock;
	stranger_make(&world,
		&(struct stranger_plan){.maker = &nobody,
			.host = HOST,
			.ek = SOFT_L2,
			.wish = &(struct ek_wish){.key_usage = "critical,digitalSignature"}},
		device);
}

/* Each would be held but for one thing, with which it could never enroll. */
static void whoever_has_a_second_fault_is_refused_and_not_held(void **state)
{
	static const struct {
		void (*make)(struct knock *knock, struct soft_device *device);
		int status;
		const char *code;
	} rows[] = {
		{another_kind_of_ek, 403, "ek-kind-not-allowed"},
		{another_template, 403, "template-not-allowed"},
		{an_ek_that_only_signs, 422, "ek-usage"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(soft_device_free) struct soft_device device = {0};
		AUTO(knock_free) struct knock knock;

		knock_init(&knock, &world, &device);
		rows[i].make(&knock, &device);
		knock_at(&knock);
		assert_answer(&knock, rows[i].status, rows[i].code);
		assert_int_equal(0, world_rows(&world, "pending"));
		assert_nothing_bound(&world);
	}
}

static void a_bound_name_is_not_waited_for(void **state)
{
	AUTO(soft_device_free) struct soft_device first = {0}, device = {0};

	(void)state;
	stranger_of(&world, &world.maker, HOST, &first);
	assert_knock(&world, &first, 200, "");
	stranger_of(&world, &nobody, HOST, &device);
	assert_knock(&world, &device, 409, "host-bound-to-another-device");
	assert_int_equal(0, world_rows(&world, "pending"));
	assert_int_equal(1, world_rows(&world, "device"));
}

static void a_revoked_device_does_not_wait(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(knock_free) struct knock knock;

	(void)state;
	stranger_of(&world, &nobody, HOST, &device);
	knock_init(&knock, &world, &device);
	knock_at(&knock);
	knock_decide(&world, knock.problem.attempt, PENDING_ACCEPTED);
	assert_knock(&world, &device, 200, "");
	free(sql_text(world.conninfo, "UPDATE device SET state = 'revoked'"));
	free(sql_text(world.conninfo, "DELETE FROM pending"));
	assert_knock(&world, &device, 403, "device-revoked");
	assert_int_equal(0, world_rows(&world, "pending"));
}

static void a_check_says_that_it_would_wait_and_records_nothing(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(knock_free) struct knock check, knock;
	AUTO(mem_free) char *asked = NULL;

	(void)state;
	stranger_of(&world, &nobody, HOST, &device);
	knock_init(&check, &world, &device);
	knock_init(&knock, &world, &device);
	check.x.is_check = true;
	knock_at(&check);
	assert_answer(&check, 202, "pending-approval");
	assert_string_equal(check.problem.attempt, "");
	assert_int_equal(0, world_rows(&world, "pending"));
	assert_int_equal(0, world_rows(&world, "pending_ticket"));
	knock_at(&knock);
	assert_held(&knock);
	knock_at(&check);
	assert_answer(&check, 202, "pending-approval");
	assert_string_equal(check.problem.attempt, knock.problem.attempt);
	asked = sql_text(world.conninfo, "SELECT asked FROM pending");
	assert_string_equal(asked, "1");
	knock_decide(&world, knock.problem.attempt, PENDING_ACCEPTED);
	knock_at(&check);
	assert_answer(&check, 200, "");
	assert_nothing_bound(&world);
}

static long counted(const char *what)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	AUTO(mem_free) char *key = text("\"%s\":", what);
	const char *at;

	httpc_get(&world.services[0].admin, "/v1/admin/attempts", &answer);
	at = strstr(buf_text(&answer.body), key);
	return at == NULL ? -1 : strtol(at + strlen(key), NULL, 10);
}

static void a_held_attempt_is_counted_for_itself_and_is_no_refusal(void **state)
{
	static const char refusals[] = "SELECT count(*) FROM audit WHERE event = 'enroll.refused'";
	AUTO(soft_device_free) struct soft_device device = {0};
	long held = counted("held"), refused = counted("refused"),
	     rows = sql_number(world.conninfo, refusals);

	(void)state;
	stranger_of(&world, &nobody, HOST, &device);
	assert_knock(&world, &device, 202, "pending-approval");
	assert_knock(&world, &device, 202, "pending-approval");
	assert_int_equal(held + 2, counted("held"));
	assert_int_equal(refused, counted("refused"));
	assert_int_equal(rows, sql_number(world.conninfo, refusals));
}

/* Keys cost nothing: what software with new ones is refused leaves no row, however often. */
static void what_an_ek_that_nobody_knows_is_refused_is_told_with_strangers_and_kept_nowhere(
	void **state)
{
	static const char *const tables[] = {"audit", "refusal", "pending", "pending_ticket"};
	long rows[COUNT(tables)], refused = counted("refused");
	AUTO(httpc_answer_free) struct httpc_answer answer;

	(void)state;
	for (size_t i = 0; i < COUNT(tables); i++)
		rows[i] = world_rows(&world, tables[i]);
	for (int i = 0; i < 3; i++) {
		AUTO(soft_device_free) struct soft_device device = {0};
		AUTO(knock_free) struct knock knock;

		stranger_of(&world, &nobody, HOST, &device);
		knock_init(&knock, &world, &device);
		knock.x.template = "tls";
		knock_at(&knock);
		assert_answer(&knock, 403, "template-not-allowed");
	}
	for (size_t i = 0; i < COUNT(tables); i++)
		assert_int_equal(rows[i], world_rows(&world, tables[i]));
	assert_int_equal(refused, counted("refused"));
	httpc_get(&world.services[0].admin, "/v1/admin/strangers", &answer);
	assert_non_null(strstr(buf_text(&answer.body), "\"reason\":\"template-not-allowed\""));
}

static void what_an_enrolled_ek_is_refused_is_in_the_audit_whoever_vouched_for_it(void **state)
{
	static const char refusals[] =
		"SELECT count(*) FROM audit WHERE event = 'enroll.refused' AND code = "
		"'attempt-rejected'";
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(knock_free) struct knock knock;

	(void)state;
	stranger_of(&world, &nobody, HOST, &device);
	knock_init(&knock, &world, &device);
	knock_at(&knock);
	knock_decide(&world, knock.problem.attempt, PENDING_ACCEPTED);
	assert_knock(&world, &device, 200, "");
	knock_decide(&world, knock.problem.attempt, PENDING_REJECTED);
	assert_knock(&world, &device, 403, "attempt-rejected");
	assert_int_equal(1, sql_number(world.conninfo, refusals));
}

/* What is let pass, somebody can read of. */
static void an_expired_ek_is_taken_where_a_rule_says_so_and_the_log_says_it(void **state)
{
	const struct ek_wish wish = {.not_after = time(NULL) - 3600};
	const struct stranger_plan plan = {
		.maker = &world.maker, .host = "a.example.test", .ek = SOFT_L2, .wish = &wish};
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(mem_free) char *before = NULL, *after = NULL;

	(void)state;
	stranger_make(&world, &plan, &device);
	assert_knock(&world, &device, 422, "ek-expired");
	assert_nothing_bound(&world);
	before = world_log(&world, 0);
	assert_null(strstr(before, "remark="));
	snprintf(device.host, sizeof(device.host), "a.aged.example.test");
	assert_knock(&world, &device, 200, "");
	after = world_log(&world, 0);
	assert_non_null(strstr(after, "remark="));
}

static int tests(void)
{
	struct CMUnitTest all[] = {
		cmocka_unit_test(an_unknown_maker_is_held_and_its_name_stays_free),
		cmocka_unit_test(a_tpm_without_an_ek_certificate_is_held),
		cmocka_unit_test(whoever_asks_again_is_the_same_attempt),
		cmocka_unit_test(accepted_it_enrolls_with_a_new_ticket_and_never_with_the_held_one),
		cmocka_unit_test(what_was_accepted_is_good_for_no_other_name_and_no_other_tpm),
		cmocka_unit_test(rejected_it_is_refused_and_not_told_why),
		cmocka_unit_test(without_a_rule_that_holds_it_is_refused_at_once),
		cmocka_unit_test(where_a_rule_takes_the_allow_list_only_it_is_not_held),
		cmocka_unit_test(whoever_has_a_second_fault_is_refused_and_not_held),
		cmocka_unit_test(a_bound_name_is_not_waited_for),
		cmocka_unit_test(a_revoked_device_does_not_wait),
		cmocka_unit_test(a_check_says_that_it_would_wait_and_records_nothing),
		cmocka_unit_test(a_held_attempt_is_counted_for_itself_and_is_no_refusal),
		cmocka_unit_test(
			what_an_ek_that_nobody_knows_is_refused_is_told_with_strangers_and_kept_nowhere),
		cmocka_unit_test(
			what_an_enrolled_ek_is_refused_is_in_the_audit_whoever_vouched_for_it),
		cmocka_unit_test(an_expired_ek_is_taken_where_a_rule_says_so_and_the_log_says_it),
	};

	for (size_t i = 0; i < COUNT(all); i++)
		all[i].setup_func = forget;
	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
