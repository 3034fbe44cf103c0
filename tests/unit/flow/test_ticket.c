#include "enroll/flow/ticket.h"

#include "tests/unit/check.h"

#define EPOCH 3600
#define NOW ((int64_t)500000 * EPOCH + 1800) /* the middle of an epoch */
#define SERVICE "https://ca.example.org"
#define TICKET_SIZE (1 + 4 + 8 + 12 + 32 + 8 + 3 * 32 + 16)

static const struct secret_key master = {{1, 2, 3}}, other_master = {{1, 2, 4}};

static struct ticket_keys *keys_of(const struct secret_key *key, const char *service)
{
	struct ticket_keys *keys = NULL;

	assert_ok(ticket_keys_make(key, service, &keys));
	return keys;
}

static struct ticket ticket_at(int64_t when)
{
	struct ticket ticket = {.issued_at = when};

	memset(ticket.session.bytes, 's', sizeof(ticket.session.bytes));
	memset(ticket.claim_digest, 'c', sizeof(ticket.claim_digest));
	memset(ticket.trust_version, 't', sizeof(ticket.trust_version));
	memset(ticket.policy_version, 'p', sizeof(ticket.policy_version));
	return ticket;
}

static void seal_at(const struct ticket_keys *keys, int64_t when, struct buf *out)
{
	const struct ticket ticket = ticket_at(when);

	assert_ok(ticket_seal(keys, &ticket, out));
}

static enum err open_at(const struct ticket_keys *keys, const struct buf *sealed, int64_t now)
{
	AUTO(ticket_wipe) struct ticket out;

	return ticket_open(keys, buf_view(sealed), now, &out);
}

static void a_ticket_opens_to_what_was_sealed(void **state)
{
	AUTO(ticket_keys_free) struct ticket_keys *keys = keys_of(&master, SERVICE);
	AUTO(ticket_keys_free) struct ticket_keys *of_another_server = keys_of(&master, SERVICE);
	AUTO(buf_free) struct buf sealed = BUF(1024);
	const struct ticket wanted = ticket_at(NOW);
	struct ticket got;

	(void)state;
	seal_at(keys, NOW, &sealed);
	assert_int_equal(TICKET_SIZE, sealed.n);
	assert_ok(ticket_open(of_another_server, buf_view(&sealed), NOW, &got));
	assert_memory_equal(wanted.session.bytes, got.session.bytes, 32);
	assert_true(got.issued_at == NOW);
	assert_memory_equal(wanted.claim_digest, got.claim_digest, 32);
	assert_memory_equal(wanted.trust_version, got.trust_version, 32);
	assert_memory_equal(wanted.policy_version, got.policy_version, 32);
	ticket_wipe(&got);
	for (size_t i = 0; i < 32; i++)
		assert_int_equal(0, got.session.bytes[i]);
}

static void no_two_tickets_are_alike_and_none_shows_its_secret(void **state)
{
	AUTO(ticket_keys_free) struct ticket_keys *keys = keys_of(&master, SERVICE);
	AUTO(buf_free) struct buf a = BUF(1024), b = BUF(1024);

	(void)state;
	seal_at(keys, NOW, &a);
	seal_at(keys, NOW, &b);
	assert_memory_equal(a.p, b.p, 13); /* version, key id and epoch */
	assert_memory_not_equal(a.p + 13, b.p + 13, 12);
	assert_memory_not_equal(a.p + 25, b.p + 25, 32);
	assert_null(memmem(a.p, a.n, "ssss", 4));
	assert_null(memmem(a.p, a.n, "cccc", 4));
}

static void a_ticket_lives_for_300_seconds_and_may_come_60_early(void **state)
{
	static const struct {
		int64_t age;
		enum err err;
	} rows[] = {{-3600, ERR_UNPROVEN}, {-61, ERR_UNPROVEN}, {-60, OK}, {-1, OK}, {0, OK},
		{1, OK}, {299, OK}, {300, OK}, {301, ERR_UNPROVEN}, {3600, ERR_UNPROVEN}};
	/* in the middle of an epoch, at both of its ends, and on either side of them */
	static const int64_t starts[] = {NOW, NOW - 1800, NOW - 1801, NOW - 1799, NOW + 1799,
		NOW + 1800 - 300, NOW - 1800 + 60};
	AUTO(ticket_keys_free) struct ticket_keys *keys = keys_of(&master, SERVICE);

	(void)state;
	for (size_t s = 0; s < COUNT(starts); s++) {
		AUTO(buf_free) struct buf sealed = BUF(1024);

		seal_at(keys, starts[s], &sealed);
		for (size_t i = 0; i < COUNT(rows); i++)
			assert_refused_in("age", open_at(keys, &sealed, starts[s] + rows[i].age),
				rows[i].err, "ticket-expired");
	}
	assert_string_equal("PROTOCOL ticket", why()->clause);
}

static void a_ticket_of_another_epoch_is_no_ticket_at_all(void **state)
{
	AUTO(ticket_keys_free) struct ticket_keys *keys = keys_of(&master, SERVICE);
	AUTO(buf_free) struct buf sealed = BUF(1024);
	const int64_t first = NOW - 1800;

	(void)state;
	seal_at(keys, first, &sealed);
	assert_refused(
		open_at(keys, &sealed, first + 2 * EPOCH - 1), ERR_UNPROVEN, "ticket-expired");
	assert_refused(open_at(keys, &sealed, first + 2 * EPOCH), ERR_UNPROVEN, "ticket-invalid");
	assert_refused(open_at(keys, &sealed, first - EPOCH), ERR_UNPROVEN, "ticket-expired");
	assert_refused(open_at(keys, &sealed, first - EPOCH - 1), ERR_UNPROVEN, "ticket-invalid");
	assert_refused(open_at(keys, &sealed, 0), ERR_UNPROVEN, "ticket-invalid");
	assert_refused(open_at(keys, &sealed, INT64_MAX / 2), ERR_UNPROVEN, "ticket-invalid");
}

/* Whatever is wrong short of age, nobody is told more than this. */
static void assert_invalid(enum err err, char *sentence, size_t room)
{
	assert_int_equal(ERR_UNPROVEN, err);
	assert_string_equal("ticket-invalid", why()->code);
	assert_string_equal("PROTOCOL ticket", why()->clause);
	if (sentence[0] == '\0')
		snprintf(sentence, room, "%s", why()->sentence);
	assert_string_equal(sentence, why()->sentence);
}

static void whatever_is_wrong_with_a_ticket_has_one_answer(void **state)
{
	AUTO(ticket_keys_free) struct ticket_keys *keys = keys_of(&master, SERVICE);
	AUTO(ticket_keys_free) struct ticket_keys *of_master = keys_of(&other_master, SERVICE);
	AUTO(ticket_keys_free) struct ticket_keys *of_service = keys_of(&master, SERVICE "/");
	AUTO(buf_free) struct buf sealed = BUF(1024);
	char sentence[512] = "";

	(void)state;
	seal_at(keys, NOW, &sealed);
	for (size_t i = 0; i < sealed.n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			sealed.p[i] ^= (uint8_t)(1u << bit);
			assert_invalid(open_at(keys, &sealed, NOW), sentence, sizeof(sentence));
			sealed.p[i] ^= (uint8_t)(1u << bit);
		}
	for (size_t cut = 0; cut < sealed.n; cut++) {
		struct ticket out;
		const struct view part = {sealed.p, cut};

		assert_invalid(ticket_open(keys, part, NOW, &out), sentence, sizeof(sentence));
	}
	assert_invalid(open_at(of_master, &sealed, NOW), sentence, sizeof(sentence));
	assert_invalid(open_at(of_service, &sealed, NOW), sentence, sizeof(sentence));
	assert_invalid(open_at(keys, &sealed, NOW + 3 * EPOCH), sentence, sizeof(sentence));
	assert_ok(open_at(keys, &sealed, NOW));
	buf_u8(&sealed, 0);
	assert_invalid(open_at(keys, &sealed, NOW), sentence, sizeof(sentence));
}

static void a_ticket_without_room_is_too_large(void **state)
{
	AUTO(ticket_keys_free) struct ticket_keys *keys = keys_of(&master, SERVICE);
	AUTO(buf_free) struct buf small = BUF(TICKET_SIZE - 1);
	const struct ticket ticket = ticket_at(NOW);

	(void)state;
	assert_refused(ticket_seal(keys, &ticket, &small), ERR_TOO_LARGE, "too-large");
}

#define RENEWAL_SIZE (1 + 4 + 8 + 12 + 8 + 32 + 16)

static void renewal_at(const struct ticket_keys *keys, int64_t when, struct buf *out)
{
	struct renewal_ticket ticket = {.issued_at = when};

	memset(ticket.ak_digest, 'a', sizeof(ticket.ak_digest));
	assert_ok(renewal_ticket_seal(keys, &ticket, out));
}

static enum err open_renewal(const struct ticket_keys *keys, const struct buf *sealed, int64_t now)
{
	struct renewal_ticket out;

	return renewal_ticket_open(keys, buf_view(sealed), now, &out);
}

static void a_renewal_ticket_opens_to_what_was_sealed(void **state)
{
	AUTO(ticket_keys_free) struct ticket_keys *keys = keys_of(&master, SERVICE);
	AUTO(buf_free) struct buf sealed = BUF(1024);
	struct renewal_ticket got;
	uint8_t wanted[32];

	(void)state;
	memset(wanted, 'a', sizeof(wanted));
	renewal_at(keys, NOW, &sealed);
	assert_int_equal(RENEWAL_SIZE, sealed.n);
	assert_ok(renewal_ticket_open(keys, buf_view(&sealed), NOW, &got));
	assert_true(got.issued_at == NOW);
	assert_memory_equal(wanted, got.ak_digest, 32);
	assert_null(memmem(sealed.p, sealed.n, "aaaa", 4));
	assert_ok(open_renewal(keys, &sealed, NOW - 60));
	assert_ok(open_renewal(keys, &sealed, NOW + 300));
	assert_refused(open_renewal(keys, &sealed, NOW - 61), ERR_UNPROVEN, "ticket-expired");
	assert_refused(open_renewal(keys, &sealed, NOW + 301), ERR_UNPROVEN, "ticket-expired");
}

static void whatever_is_wrong_with_a_renewal_ticket_has_one_answer(void **state)
{
	AUTO(ticket_keys_free) struct ticket_keys *keys = keys_of(&master, SERVICE);
	AUTO(ticket_keys_free) struct ticket_keys *of_master = keys_of(&other_master, SERVICE);
	AUTO(ticket_keys_free) struct ticket_keys *of_service = keys_of(&master, SERVICE "/");
	AUTO(buf_free) struct buf sealed = BUF(1024);
	char sentence[512] = "";

	(void)state;
	renewal_at(keys, NOW, &sealed);
	for (size_t i = 0; i < sealed.n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			sealed.p[i] ^= (uint8_t)(1u << bit);
			assert_invalid(
				open_renewal(keys, &sealed, NOW), sentence, sizeof(sentence));
			sealed.p[i] ^= (uint8_t)(1u << bit);
		}
	assert_invalid(open_renewal(of_master, &sealed, NOW), sentence, sizeof(sentence));
	assert_invalid(open_renewal(of_service, &sealed, NOW), sentence, sizeof(sentence));
	assert_invalid(open_renewal(keys, &sealed, NOW + 3 * EPOCH), sentence, sizeof(sentence));
	buf_u8(&sealed, 0);
	assert_invalid(open_renewal(keys, &sealed, NOW), sentence, sizeof(sentence));
}

/* Also not where somebody writes the other's version or length over it. */
static void no_ticket_of_one_kind_opens_as_the_other(void **state)
{
	AUTO(ticket_keys_free) struct ticket_keys *keys = keys_of(&master, SERVICE);
	AUTO(buf_free) struct buf enroll = BUF(1024), renew = BUF(1024);

	(void)state;
	seal_at(keys, NOW, &enroll);
	renewal_at(keys, NOW, &renew);
	assert_refused(open_renewal(keys, &enroll, NOW), ERR_UNPROVEN, "ticket-invalid");
	assert_refused(open_at(keys, &renew, NOW), ERR_UNPROVEN, "ticket-invalid");
	enroll.p[0] = 2;
	renew.p[0] = 1;
	assert_refused(open_renewal(keys, &enroll, NOW), ERR_UNPROVEN, "ticket-invalid");
	assert_refused(open_at(keys, &renew, NOW), ERR_UNPROVEN, "ticket-invalid");
	enroll.n = RENEWAL_SIZE;
	while (renew.n < TICKET_SIZE)
		buf_u8(&renew, 0);
	assert_refused(open_renewal(keys, &enroll, NOW), ERR_UNPROVEN, "ticket-invalid");
	assert_refused(open_at(keys, &renew, NOW), ERR_UNPROVEN, "ticket-invalid");
}

static void keys_are_equal_when_their_master_is(void **state)
{
	AUTO(ticket_keys_free) struct ticket_keys *a = keys_of(&master, SERVICE);
	AUTO(ticket_keys_free) struct ticket_keys *b = keys_of(&master, SERVICE);
	AUTO(ticket_keys_free) struct ticket_keys *c = keys_of(&other_master, SERVICE);

	(void)state;
	assert_true(ticket_keys_equal(a, b));
	assert_false(ticket_keys_equal(a, c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_equal_when_their_master_is),
		cmocka_unit_test(a_ticket_opens_to_what_was_sealed),
		cmocka_unit_test(no_two_tickets_are_alike_and_none_shows_its_secret),
		cmocka_unit_test(a_ticket_lives_for_300_seconds_and_may_come_60_early),
		cmocka_unit_test(a_ticket_of_another_epoch_is_no_ticket_at_all),
		cmocka_unit_test(whatever_is_wrong_with_a_ticket_has_one_answer),
		cmocka_unit_test(a_ticket_without_room_is_too_large),
		cmocka_unit_test(a_renewal_ticket_opens_to_what_was_sealed),
		cmocka_unit_test(whatever_is_wrong_with_a_renewal_ticket_has_one_answer),
		cmocka_unit_test(no_ticket_of_one_kind_opens_as_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
