/* test_ocsp.c - OCSP answers, as OpenSSL reads them, and who signs them. */
#include "ca/ocsp.h"

#include "ca/base/clock.h"
#include "ca/base/ossl.h"
#include "ca/key.h"
#include "tests/unit/ca/asker.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"

#include <openssl/ocsp.h>

struct fixture {
	struct issuer issuer;
	struct authority *authority;
	struct responder *responder;
	int64_t now;
};

static void fixture_make_by(const struct issuer_recipe *recipe, struct fixture *out)
{
	*out = (struct fixture){.now = clock_now()};
	issuer_make(recipe, &out->issuer);
	assert_ok(issuer_load(&out->issuer, &out->authority));
	assert_ok(responder_make(out->authority, out->now, &out->responder));
}

static void fixture_make(struct fixture *out)
{
	struct issuer_recipe recipe = issuer_good();

	fixture_make_by(&recipe, out);
}

static void fixture_free(struct fixture *fixture)
{
	responder_free(&fixture->responder);
	authority_free(&fixture->authority);
	issuer_free(&fixture->issuer);
}

/* An answer about one certificate with the serial number 23. */
static void answer(
	const struct fixture *fixture, struct ocsp_answer *said, struct view nonce, struct buf *der)
{
	struct ocsp_content content = {.answers = said,
		.n = 1,
		.this_update = fixture->now,
		.next_update = fixture->now + HOUR,
		.nonce = nonce};
	struct ocsp_id id;

	ocsp_id_make(fixture->issuer.cert, 23, EVP_sha1(), &id);
	said->id = &id;
	assert_ok(ocsp_response(fixture->responder, &content, der));
}

/* The basic response; the caller's. */
static OCSP_BASICRESP *basic_of(const struct buf *der)
{
	const uint8_t *p = der->p;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)der->n);
	OCSP_BASICRESP *basic;

	assert_non_null(response);
	assert_int_equal(OCSP_RESPONSE_STATUS_SUCCESSFUL, OCSP_response_status(response));
	basic = OCSP_response_get1_basic(response);
	OCSP_RESPONSE_free(response);
	assert_non_null(basic);
	return basic;
}

static void openssl_reads_each_status_with_time_and_reason(void **state)
{
	static const struct {
		struct ocsp_answer answer;
		int status, reason;
	} rows[] = {
		{{.status = OCSP_IS_GOOD}, V_OCSP_CERTSTATUS_GOOD, -1},
		{{.status = OCSP_IS_UNKNOWN}, V_OCSP_CERTSTATUS_UNKNOWN, -1},
		{{.status = OCSP_IS_REVOKED, .revoked_at = 1800000000}, V_OCSP_CERTSTATUS_REVOKED,
			-1},
		{{.status = OCSP_IS_REVOKED,
			 .revoked_at = 1800000000,
			 .reason = REVOKED_CERTIFICATE_HOLD},
			V_OCSP_CERTSTATUS_REVOKED, 6},
	};
	AUTO(fixture_free) struct fixture fixture;

	(void)state;
	fixture_make(&fixture);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf der = BUF(OCSP_RESPONSE_MAX);
		struct ocsp_answer said = rows[i].answer;
		ASN1_GENERALIZEDTIME *revoked, *this_update, *next_update;
		OCSP_BASICRESP *basic;
		int reason = -1;

		answer(&fixture, &said, (struct view){NULL, 0}, &der);
		assert_true(ocsp_verifies(buf_view(&der), fixture.issuer.cert));
		basic = basic_of(&der);
		assert_int_equal(1, OCSP_resp_count(basic));
		assert_int_equal(
			rows[i].status, OCSP_single_get0_status(OCSP_resp_get0(basic, 0), &reason,
						&revoked, &this_update, &next_update));
		assert_int_equal(rows[i].reason, reason);
		assert_int_equal(1, OCSP_check_validity(this_update, next_update, 5, -1));
		if (rows[i].status == V_OCSP_CERTSTATUS_REVOKED)
			assert_string_equal("20270115080000Z", (const char *)revoked->data);
		OCSP_BASICRESP_free(basic);
	}
}

static void the_nonce_comes_back_and_none_that_was_not_sent(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	AUTO(buf_free) struct buf with = BUF(OCSP_RESPONSE_MAX), without = BUF(OCSP_RESPONSE_MAX);
	struct ocsp_answer said = {.status = OCSP_IS_GOOD};
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	uint8_t nonce[OCSP_NONCE_MAX];
	OCSP_BASICRESP *basic;

	(void)state;
	fixture_make(&fixture);
	memset(nonce, 0xa5, sizeof(nonce));
	assert_int_equal(1, OCSP_request_add1_nonce(request, nonce, sizeof(nonce)));
	answer(&fixture, &said, VIEW(nonce), &with);
	basic = basic_of(&with);
	assert_int_equal(1, OCSP_check_nonce(request, basic));
	OCSP_BASICRESP_free(basic);
	answer(&fixture, &said, (struct view){NULL, 0}, &without);
	basic = basic_of(&without);
	assert_int_equal(-1, OCSP_check_nonce(request, basic));
	OCSP_BASICRESP_free(basic);
	OCSP_REQUEST_free(request);
}

/* RFC 6960 4.4.8. */
static void what_was_never_issued_is_revoked_with_a_mark(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	ASN1_OBJECT *mark = OBJ_txt2obj("1.3.6.1.5.5.7.48.1.9", 1);

	(void)state;
	fixture_make(&fixture);
	for (int is_issued = 0; is_issued <= 1; is_issued++) {
		AUTO(buf_free) struct buf der = BUF(OCSP_RESPONSE_MAX);
		struct ocsp_answer said = {
			.status = OCSP_IS_REVOKED, .revoked_at = 1, .is_issued = is_issued};
		OCSP_BASICRESP *basic;

		answer(&fixture, &said, (struct view){NULL, 0}, &der);
		basic = basic_of(&der);
		assert_int_equal(
			is_issued == 0, OCSP_BASICRESP_get_ext_by_OBJ(basic, mark, -1) >= 0);
		OCSP_BASICRESP_free(basic);
	}
	ASN1_OBJECT_free(mark);
}

static void one_byte_changed_and_nobody_believes_it(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	AUTO(buf_free) struct buf der = BUF(OCSP_RESPONSE_MAX);
	struct ocsp_answer said = {.status = OCSP_IS_GOOD};
	uint8_t *good;

	(void)state;
	fixture_make(&fixture);
	answer(&fixture, &said, (struct view){NULL, 0}, &der);
	/* The serial number, and then its status: good is an empty [0]. */
	good = memmem(der.p, der.n, "\x02\x01\x17\x80\x00", 5);
	assert_non_null(good);
	good[3] = 0x82;
	assert_false(ocsp_verifies(buf_view(&der), fixture.issuer.cert));
}

static void a_refusal_has_a_status_and_nothing_else(void **state)
{
	static const enum ocsp_refusal all[] = {
		OCSP_IS_MALFORMED, OCSP_IS_INTERNAL, OCSP_IS_BUSY, OCSP_IS_UNAUTHORIZED};
	static const uint8_t statuses[] = {1, 2, 3, 6};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		AUTO(buf_free) struct buf der = BUF(OCSP_RESPONSE_MAX);
		const uint8_t wanted[] = {0x30, 3, 0x0a, 1, statuses[i]};

		assert_ok(ocsp_refuse(all[i], &der));
		assert_view_equal(VIEW(wanted), buf_view(&der));
	}
}

static void cas_of_other_kinds_of_key_have_responders(void **state)
{
	static const enum key_type types[] = {KEY_TYPE_P384, KEY_TYPE_ED25519};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		AUTO(pkey_free) EVP_PKEY *key = NULL;
		AUTO(fixture_free) struct fixture fixture;
		AUTO(buf_free) struct buf der = BUF(OCSP_RESPONSE_MAX);
		struct issuer_recipe recipe = issuer_good();
		struct ocsp_answer said = {.status = OCSP_IS_GOOD};

		assert_ok(key_generate(types[i], &key));
		recipe.key = key;
		fixture_make_by(&recipe, &fixture);
		answer(&fixture, &said, (struct view){NULL, 0}, &der);
		assert_true(ocsp_verifies(buf_view(&der), fixture.issuer.cert));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_reads_each_status_with_time_and_reason),
		cmocka_unit_test(the_nonce_comes_back_and_none_that_was_not_sent),
		cmocka_unit_test(what_was_never_issued_is_revoked_with_a_mark),
		cmocka_unit_test(one_byte_changed_and_nobody_believes_it),
		cmocka_unit_test(a_refusal_has_a_status_and_nothing_else),
		cmocka_unit_test(cas_of_other_kinds_of_key_have_responders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
