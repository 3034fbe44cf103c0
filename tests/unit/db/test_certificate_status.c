#include "db/certificate_status.h"

#include "attempt.h"
#include "database.h"
#include "db/responder.h"

#include <stdio.h>
#include <string.h>

static const uint8_t ours[32] = {1}, other[32] = {2};

/* The certificate of a new device as OCSP finds it, issued by `ours`. */
static void enroll(struct db *db, struct attempt *out)
{
	static unsigned tpm;
	static char host[32];

	snprintf(host, sizeof(host), "h%u.example.org", ++tpm);
	*out = attempt_of(db, tpm, host);
	attempt_enroll(out);
	database_do("UPDATE certificate SET issuer = '\\x01' || decode(repeat('00', 31), 'hex')");
}

static void ask(struct db *db, const uint8_t issuer[static 32], struct view serial,
	struct certificate_statuses *out)
{
	if (certificate_statuses_read(db, issuer, &serial, 1, out) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
	assert_int_equal(1, out->n);
}

static void a_serial_number_is_known_of_the_ca_that_issued_it(void **state)
{
	AUTO(certificate_statuses_free) struct certificate_statuses known, foreign, unknown;
	struct attempt a;

	enroll(*state, &a);
	ask(*state, ours, VIEW(a.serial), &known);
	assert_true(known.items[0].is_known);
	assert_false(known.items[0].is_revoked);
	assert_int_equal(0, known.items[0].der.n);
	ask(*state, other, VIEW(a.serial), &foreign);
	assert_false(foreign.items[0].is_known);
	a.serial[15] ^= 0x80;
	ask(*state, ours, VIEW(a.serial), &unknown);
	assert_false(unknown.items[0].is_known);
	enrollment_facts_free(&a.facts);
}

static void what_does_not_say_who_issued_it_comes_along(void **state)
{
	AUTO(certificate_statuses_free) struct certificate_statuses old;
	struct attempt a;

	enroll(*state, &a);
	database_do("UPDATE certificate SET issuer = NULL, der = 'these bytes'");
	ask(*state, other, VIEW(a.serial), &old);
	assert_true(old.items[0].is_known);
	assert_int_equal(11, old.items[0].der.n);
	assert_memory_equal("these bytes", old.items[0].der.p, 11);
	enrollment_facts_free(&a.facts);
}

/* Whatever its serial number is: no CertID names an OpenSSH CA. */
static void an_openssh_certificate_is_none(void **state)
{
	AUTO(certificate_statuses_free) struct certificate_statuses ssh;
	struct attempt a;

	enroll(*state, &a);
	database_do("UPDATE certificate SET kind = 'ssh-host'");
	ask(*state, ours, VIEW(a.serial), &ssh);
	assert_false(ssh.items[0].is_known);
	enrollment_facts_free(&a.facts);
}

static void a_revocation_is_told_and_moves_the_revision(void **state)
{
	AUTO(certificate_statuses_free) struct certificate_statuses revoked, released;
	int64_t before, after;
	struct attempt a;

	enroll(*state, &a);
	assert_int_equal(OK, revocation_revision(*state, &before));
	database_do("UPDATE certificate SET revoked_at = to_timestamp(1800000007),"
		    " revocation_reason = 'keyCompromise'");
	ask(*state, ours, VIEW(a.serial), &revoked);
	assert_true(revoked.items[0].is_revoked);
	assert_int_equal(1800000007, revoked.items[0].revoked_at);
	assert_string_equal("keyCompromise", revoked.items[0].reason);
	assert_true(revoked.revision > before);
	assert_false(revoked.is_issuer_revoked);
	database_do("UPDATE certificate SET revoked_at = NULL, revocation_reason = NULL");
	ask(*state, ours, VIEW(a.serial), &released);
	assert_false(released.items[0].is_revoked);
	assert_int_equal(OK, revocation_revision(*state, &after));
	assert_int_equal(after, released.revision);
	assert_true(after > revoked.revision);
	enrollment_facts_free(&a.facts);
}

static void that_the_ca_was_revoked_is_told_with_any_serial_number(void **state)
{
	AUTO(certificate_statuses_free) struct certificate_statuses its, others;
	const uint8_t serial[] = {7};

	database_do(
		"INSERT INTO issuer (issuer_id, kind, certificate, first_at, revoked_at,"
		" revocation_reason) VALUES ('\\x01' || decode(repeat('00', 31), 'hex'), 'x509',"
		" '\\x30', now(), to_timestamp(1800000009), 'cACompromise')");
	ask(*state, ours, VIEW(serial), &its);
	assert_true(its.is_issuer_revoked);
	assert_int_equal(1800000009, its.issuer_revoked_at);
	assert_string_equal("cACompromise", its.issuer_reason);
	assert_false(its.items[0].is_known);
	ask(*state, other, VIEW(serial), &others);
	assert_false(others.is_issuer_revoked);
}

static void several_are_told_in_the_order_of_the_question(void **state)
{
	AUTO(certificate_statuses_free) struct certificate_statuses all;
	const uint8_t unknown[] = {9};
	struct view serials[STATUS_SERIALS_MAX];
	struct attempt a;

	enroll(*state, &a);
	for (size_t i = 0; i < STATUS_SERIALS_MAX; i++)
		serials[i] = i % 3 == 0 ? VIEW(a.serial) : VIEW(unknown);
	assert_int_equal(
		OK, certificate_statuses_read(*state, ours, serials, STATUS_SERIALS_MAX, &all));
	assert_int_equal(STATUS_SERIALS_MAX, all.n);
	for (size_t i = 0; i < STATUS_SERIALS_MAX; i++)
		assert_int_equal(i % 3 == 0, all.items[i].is_known);
	enrollment_facts_free(&a.facts);
}

static void a_responder_is_recorded_once_and_known_as_a_certificate(void **state)
{
	AUTO(certificate_statuses_free) struct certificate_statuses its, others;
	const uint8_t serial[] = {0x40, 1, 2}, der[] = {0x30, 0};
	const struct responder_record record = {.serial = VIEW(serial),
		.der = VIEW(der),
		.issuer = ours,
		.not_before = NOW,
		.not_after = NOW + 7 * 86400,
		.now = NOW};

	assert_int_equal(OK, responder_record(*state, &record));
	assert_int_equal(OK, responder_record(*state, &record));
	assert_int_equal(1, database_count("SELECT count(*) FROM ocsp_responder WHERE der = "
					   "'\\x3000' AND not_after - not_before = '7 days'"));
	ask(*state, ours, VIEW(serial), &its);
	assert_true(its.items[0].is_known);
	assert_false(its.items[0].is_revoked);
	assert_int_equal(0, its.items[0].der.n);
	ask(*state, other, VIEW(serial), &others);
	assert_false(others.items[0].is_known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_serial_number_is_known_of_the_ca_that_issued_it),
		cmocka_unit_test(what_does_not_say_who_issued_it_comes_along),
		cmocka_unit_test(an_openssh_certificate_is_none),
		cmocka_unit_test(a_revocation_is_told_and_moves_the_revision),
		cmocka_unit_test(that_the_ca_was_revoked_is_told_with_any_serial_number),
		cmocka_unit_test(several_are_told_in_the_order_of_the_question),
		cmocka_unit_test(a_responder_is_recorded_once_and_known_as_a_certificate),
	};

	return cmocka_run_group_tests(tests, database_migrated, database_close);
}
