/* test_answer.c - what OCSP answers, with records that stand in for the database. */
#include "ca/base/clock.h"
#include "ca/base/ossl.h"
#include "db/certificate_status.h"
#include "db/responder.h"
#include "enroll/flow/ocsp.h"
#include "enroll/flow/revision.h"
#include "tests/unit/ca/asker.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"

#include <openssl/ocsp.h>
#include <unistd.h>

/* What the records say of every serial number of the first CA. */
static struct {
	bool is_known, is_revoked, is_issuer_revoked;
	int64_t revoked_at, issuer_revoked_at;
	int64_t revision;
	enum err err; /* of every question */
	enum err clock;
	enum err recording;
	unsigned statuses_read, responders_recorded;
	uint8_t last_serial[RESPONDER_SERIAL_SIZE];
} records;

static struct issuer present, former;
static struct signer *signer;
static struct service service;
static struct caller caller;

static enum err away(enum err err)
{
	return err == OK ? OK : refuse(err, "database-unreachable", "", "it is away");
}

enum err revocation_revision(struct db *db, int64_t *revision)
{
	(void)db;
	*revision = records.revision;
	return away(records.err);
}

enum err certificate_statuses_read(struct db *db, const uint8_t issuer[static 32],
	const struct view *serials, size_t n, struct certificate_statuses *out)
{
	(void)db;
	(void)issuer;
	(void)serials;
	records.statuses_read++;
	*out = (struct certificate_statuses){.revision = records.revision,
		.is_issuer_revoked = records.is_issuer_revoked,
		.issuer_revoked_at = records.issuer_revoked_at,
		.issuer_reason = "cACompromise",
		.n = n};
	for (size_t i = 0; i < n; i++)
		out->items[i] = (struct certificate_status){.is_known = records.is_known,
			.is_revoked = records.is_revoked,
			.revoked_at = records.revoked_at,
			.reason = "keyCompromise"};
	return away(records.err);
}

void certificate_statuses_free(struct certificate_statuses *statuses)
{
	statuses->n = 0;
}

enum err responder_record(struct db *db, const struct responder_record *record)
{
	(void)db;
	TRY(away(records.recording));
	records.responders_recorded++;
	assert_int_equal(RESPONDER_SERIAL_SIZE, record->serial.n);
	memcpy(records.last_serial, record->serial.p, RESPONDER_SERIAL_SIZE);
	return OK;
}

enum err db_clock_judge(struct db *db, int64_t now)
{
	(void)db;
	(void)now;
	return records.clock == OK ? OK : refuse(records.clock, "clock-differs", "", "it does");
}

static void issuer_named(const char *name, struct issuer *out)
{
	struct issuer_recipe recipe = issuer_good();

	recipe.subject = recipe.issuer = name;
	issuer_make(&recipe, out);
}

static int make(void **state)
{
	AUTO(problems_free) struct problems problems;
	AUTO(mem_free) char *templates = source_path("templates");
	struct signer_former old;
	struct signer_files files = {.templates = templates, .former = &old, .former_n = 1};

	(void)state;
	issuer_named("Unit CA", &present);
	issuer_named("Former CA", &former);
	files.certificate = present.certificate;
	files.key = present.key;
	files.passphrase = present.passphrase;
	old = (struct signer_former){former.certificate, former.key, former.passphrase};
	problems_init(&problems);
	assert_ok(signer_open(&files, &problems, &signer));
	memset(&records, 0, sizeof(records));
	records.is_known = true;
	records.revision = 7;
	caller = (struct caller){.request_id = "r", .client_address = "::1", .now = clock_now()};
	service = (struct service){.signer = signer};
	assert_ok(ocsp_make(NULL, &service.ocsp));
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	ocsp_free(&service.ocsp);
	signer_close(&signer);
	issuer_free(&present);
	issuer_free(&former);
	return 0;
}

static void add(OCSP_REQUEST *request, const struct issuer *of, long serial)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();

	ASN1_INTEGER_set(number, serial);
	OCSP_request_add0_id(request, OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(of->cert),
					      X509_get0_pubkey_bitstr(of->cert), number));
	ASN1_INTEGER_free(number);
}

/* Asks about serial number 23 of one CA, and of another one when there is one. */
static enum err ask_both(const struct issuer *first, const struct issuer *second, bool has_nonce,
	struct ocsp_reply *out)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	AUTO(ossl_free) uint8_t *der = NULL;
	int n;

	add(request, first, 23);
	if (second != NULL)
		add(request, second, 23);
	if (has_nonce)
		OCSP_request_add1_nonce(request, NULL, 16);
	n = i2d_OCSP_REQUEST(request, &der);
	OCSP_REQUEST_free(request);
	return ocsp_answer(&service, (struct view){der, (size_t)n}, &caller, out);
}

static enum err ask(struct ocsp_reply *out)
{
	return ask_both(&present, NULL, false, out);
}

static void read_status(
	const struct ocsp_reply *reply, int place, int *status, int *reason, char at[static 32])
{
	const uint8_t *p = reply->der.p;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)reply->der.n);
	OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	ASN1_GENERALIZEDTIME *when = NULL;

	assert_non_null(basic);
	*reason = -1;
	*status = OCSP_single_get0_status(OCSP_resp_get0(basic, place), reason, &when, NULL, NULL);
	snprintf(at, 32, "%s", when == NULL ? "" : (const char *)when->data);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
}

static void assert_says(const struct ocsp_reply *reply, int place, int wanted)
{
	int status, reason;
	char at[32];

	read_status(reply, place, &status, &reason, at);
	assert_int_equal(wanted, status);
}

static void nothing_is_asked_of_the_records_twice_while_they_stand_still(void **state)
{
	AUTO(ocsp_reply_free) struct ocsp_reply first = {.this_update = 0};
	AUTO(ocsp_reply_free) struct ocsp_reply second = {.this_update = 0};
	struct ocsp_counters counters;

	(void)state;
	assert_ok(ask(&first));
	assert_ok(ask(&second));
	assert_int_equal(1, records.statuses_read);
	assert_view_equal(buf_view(&first.der), buf_view(&second.der));
	assert_true(first.is_for_all && second.is_for_all);
	assert_string_equal(first.etag, second.etag);
	assert_int_equal(caller.now, second.this_update);
	assert_int_equal(caller.now + OCSP_LIFE, second.next_update);
	ocsp_count(service.ocsp, &counters);
	assert_int_equal(1, counters.made);
	assert_int_equal(1, counters.kept);
	assert_int_equal(2, counters.good);
	assert_int_equal(1, counters.entries);
}

/* Until the records have been asked again, which is when it was heard that they moved. */
static void ask_until_it_is_heard(struct ocsp_reply *out)
{
	unsigned before = records.statuses_read;
	int64_t until = clock_ms() + 20 * REVISION_STANDS_MS;

	while (records.statuses_read == before) {
		ocsp_reply_free(out);
		assert_ok(ask(out));
		assert_true(clock_ms() < until);
		usleep(1000);
	}
}

static void a_signature_is_kept_as_long_as_it_says_what_is_so(void **state)
{
	AUTO(ocsp_reply_free) struct ocsp_reply first = {.this_update = 0};
	AUTO(ocsp_reply_free) struct ocsp_reply second = {.this_update = 0};
	AUTO(ocsp_reply_free) struct ocsp_reply third = {.this_update = 0};

	(void)state;
	assert_ok(ask(&first));
	records.is_revoked = true;
	records.revoked_at = caller.now - 5;
	records.revision++;
	ask_until_it_is_heard(&second);
	assert_says(&first, 0, V_OCSP_CERTSTATUS_GOOD);
	assert_says(&second, 0, V_OCSP_CERTSTATUS_REVOKED);
	records.revision++; /* for another certificate */
	ask_until_it_is_heard(&third);
	assert_view_equal(buf_view(&second.der), buf_view(&third.der));
}

static void with_a_nonce_or_for_two_nothing_is_kept(void **state)
{
	AUTO(ocsp_reply_free) struct ocsp_reply first = {.this_update = 0};
	AUTO(ocsp_reply_free) struct ocsp_reply second = {.this_update = 0};
	struct ocsp_counters counters;

	(void)state;
	assert_ok(ask_both(&present, NULL, true, &first));
	assert_ok(ask_both(&present, &present, false, &second));
	assert_false(first.is_for_all);
	assert_false(second.is_for_all);
	assert_int_equal(2, records.statuses_read);
	ocsp_count(service.ocsp, &counters);
	assert_int_equal(0, counters.entries);
}

static void what_is_unknown_is_not_kept(void **state)
{
	AUTO(ocsp_reply_free) struct ocsp_reply first = {.this_update = 0};
	AUTO(ocsp_reply_free) struct ocsp_reply second = {.this_update = 0};

	(void)state;
	records.is_known = false;
	assert_ok(ask(&first));
	assert_says(&first, 0, V_OCSP_CERTSTATUS_UNKNOWN);
	assert_false(first.is_for_all);
	records.is_known = true;
	assert_ok(ask(&second));
	assert_says(&second, 0, V_OCSP_CERTSTATUS_GOOD);
}

static void of_two_cas_the_first_one_answers(void **state)
{
	AUTO(ocsp_reply_free) struct ocsp_reply one = {.this_update = 0};
	AUTO(ocsp_reply_free) struct ocsp_reply other = {.this_update = 0};

	(void)state;
	assert_ok(ask_both(&present, &former, false, &one));
	assert_says(&one, 0, V_OCSP_CERTSTATUS_GOOD);
	assert_says(&one, 1, V_OCSP_CERTSTATUS_UNKNOWN);
	assert_ok(ask_both(&former, NULL, false, &other));
	assert_true(ocsp_verifies(buf_view(&other.der), former.cert));
	assert_int_equal(2, records.responders_recorded);
}

static void a_revoked_ca_takes_all_with_it_but_what_was_revoked_before(void **state)
{
	static const struct {
		bool is_known, is_revoked;
		int64_t at;
		int reason;
		const char *when;
	} rows[] = {
		{false, false, 0, OCSP_REVOKED_STATUS_CACOMPROMISE, "20270115080000Z"},
		{true, false, 0, OCSP_REVOKED_STATUS_CACOMPROMISE, "20270115080000Z"},
		{true, true, 1800000001, OCSP_REVOKED_STATUS_CACOMPROMISE, "20270115080000Z"},
		{true, true, 1799999999, OCSP_REVOKED_STATUS_KEYCOMPROMISE, "20270115075959Z"},
	};

	(void)state;
	records.is_issuer_revoked = true;
	records.issuer_revoked_at = 1800000000;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(ocsp_reply_free) struct ocsp_reply reply = {.this_update = 0};
		int status, reason;
		char at[32];

		records.is_known = rows[i].is_known;
		records.is_revoked = rows[i].is_revoked;
		records.revoked_at = rows[i].at;
		assert_ok(ask_both(&present, NULL, true, &reply));
		read_status(&reply, 0, &status, &reason, at);
		assert_int_equal(V_OCSP_CERTSTATUS_REVOKED, status);
		assert_int_equal(rows[i].reason, reason);
		assert_string_equal(rows[i].when, at);
	}
}

static void a_responder_signs_nothing_before_it_is_recorded(void **state)
{
	AUTO(ocsp_reply_free) struct ocsp_reply none = {.this_update = 0};
	AUTO(ocsp_reply_free) struct ocsp_reply some = {.this_update = 0};

	(void)state;
	records.recording = ERR_BUSY;
	assert_refused(ask(&none), ERR_BUSY, "database-unreachable");
	assert_int_equal(0, none.der.n);
	records.recording = OK;
	assert_ok(ask(&some));
	assert_non_null(
		memmem(some.der.p, some.der.n, records.last_serial, sizeof(records.last_serial)));
	assert_int_equal(1, records.responders_recorded);
}

static void the_next_one_takes_over_in_time(void **state)
{
	AUTO(ocsp_reply_free) struct ocsp_reply first = {.this_update = 0};
	AUTO(ocsp_reply_free) struct ocsp_reply still = {.this_update = 0};
	AUTO(ocsp_reply_free) struct ocsp_reply next = {.this_update = 0};
	uint8_t serial[RESPONDER_SERIAL_SIZE];

	(void)state;
	assert_ok(ask_both(&present, NULL, true, &first));
	memcpy(serial, records.last_serial, sizeof(serial));
	caller.now += 5 * DAY;
	/* While it cannot be recorded, the present one goes on. */
	records.recording = ERR_BUSY;
	assert_ok(ask_both(&present, NULL, true, &still));
	assert_non_null(memmem(still.der.p, still.der.n, serial, sizeof(serial)));
	records.recording = OK;
	assert_ok(ask_both(&present, NULL, true, &next));
	assert_int_equal(2, records.responders_recorded);
	assert_null(memmem(next.der.p, next.der.n, serial, sizeof(serial)));
	assert_non_null(
		memmem(next.der.p, next.der.n, records.last_serial, sizeof(records.last_serial)));
	ocsp_reply_free(&next);
	assert_ok(ask_both(&present, NULL, true, &next));
	assert_int_equal(2, records.responders_recorded);
}

static void its_last_answer_does_not_outlast_it(void **state)
{
	AUTO(ocsp_reply_free) struct ocsp_reply first = {.this_update = 0};
	AUTO(ocsp_reply_free) struct ocsp_reply last = {.this_update = 0};
	int64_t end = caller.now + 7 * DAY;

	(void)state;
	assert_ok(ask(&first));
	records.recording = ERR_BUSY;
	caller.now = end - 600;
	assert_ok(ask(&last));
	assert_int_equal(end, last.next_update);
	ocsp_reply_free(&last);
	caller.now = end;
	assert_refused(ask(&last), ERR_BUSY, "database-unreachable");
}

static void what_is_wrong_goes_out_in_the_words_of_ocsp(void **state)
{
	AUTO(ocsp_reply_free) struct ocsp_reply reply = {.this_update = 0};
	AUTO(issuer_free) struct issuer stranger;
	struct ocsp_counters counters;

	(void)state;
	issuer_named("Unit CA", &stranger);
	assert_refused(ocsp_answer(&service, view_str("junk"), &caller, &reply), ERR_MALFORMED,
		"ocsp-malformed");
	assert_refused(ask_both(&stranger, NULL, false, &reply), ERR_NOT_FOUND, "ocsp-issuer");
	records.clock = ERR_BUSY;
	assert_refused(ask(&reply), ERR_BUSY, "clock-differs");
	records.clock = OK;
	records.err = ERR_INTERNAL;
	assert_refused(ask(&reply), ERR_INTERNAL, "database-unreachable");
	records.err = OK;
	caller.now += 3651 * DAY;
	assert_refused(ask(&reply), ERR_NOT_FOUND, "ca-ended");
	ocsp_count(service.ocsp, &counters);
	assert_int_equal(1, counters.malformed);
	assert_int_equal(2, counters.unauthorized);
	assert_int_equal(1, counters.busy);
	assert_int_equal(1, counters.internal);
	assert_int_equal(0, counters.made);
}

static void each_error_has_its_status(void **state)
{
	static const struct {
		enum err err;
		uint8_t status;
	} rows[] = {{ERR_MALFORMED, 1}, {ERR_INTERNAL, 2}, {ERR_BUSY, 3}, {ERR_NOT_FOUND, 6},
		{ERR_TOO_LARGE, 2}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf der = BUF(64);

		assert_ok(ocsp_refused(rows[i].err, &der));
		assert_int_equal(rows[i].status, der.p[der.n - 1]);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_asked_of_the_records_twice_while_they_stand_still),
		TEST(a_signature_is_kept_as_long_as_it_says_what_is_so),
		TEST(with_a_nonce_or_for_two_nothing_is_kept),
		TEST(what_is_unknown_is_not_kept),
		TEST(of_two_cas_the_first_one_answers),
		TEST(a_revoked_ca_takes_all_with_it_but_what_was_revoked_before),
		TEST(a_responder_signs_nothing_before_it_is_recorded),
		TEST(the_next_one_takes_over_in_time),
		TEST(its_last_answer_does_not_outlast_it),
		TEST(what_is_wrong_goes_out_in_the_words_of_ocsp),
		TEST(each_error_has_its_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
