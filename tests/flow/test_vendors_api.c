/* test_vendors_api.c - what the admin API makes of certificates, whoever sends them. */
#include "tests/flow/notary.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include "enroll/proto/trustlist.h"

#include <cmocka.h>
#include <string.h>

static struct world world;
static struct notary root, sub, odd, aik, old;

static int make(void **state)
{
	(void)state;
	notary_make(&(struct notary_wish){.name = "Root"}, &root);
	notary_make(&(struct notary_wish){.name = "CA", .issuer = &root}, &sub);
	notary_make(&(struct notary_wish){.name = "Nobody knows"}, &odd);
	notary_make(
		&(struct notary_wish){
			.name = "AIK", .issuer = &root, .extended_key_usage = "2.23.133.8.3"},
		&aik);
	notary_make(&(struct notary_wish){.name = "Old", .issuer = &root, .not_after = 1600000000},
		&old);
	world_make(&(struct world_plan){.services = 1}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	notary_free(&root);
	notary_free(&sub);
	notary_free(&odd);
	notary_free(&aik);
	notary_free(&old);
	return 0;
}

/* Sends one, and tells what became of it. */
static void send_one(const char *role, const char *manufacturers, const struct notary *what,
	struct import_outcome *out)
{
	AUTO(import_request_free) struct import_request request;
	AUTO(import_answer_free) struct import_answer answer = {.n = 0};
	AUTO(buf_free) struct buf der = BUF(1 << 16), json = BUF(1 << 16);
	struct httpc_answer got;

	must(import_request_init(&request, 1) == OK, "out of memory");
	notary_der(what, &der);
	request.items[0] = (struct import_item){role, manufacturers, "test", "x", buf_view(&der)};
	request.n = 1;
	snprintf(request.why, sizeof(request.why), "test");
	must(import_request_encode(&request, &json) == OK, "%s", why()->sentence);
	httpc_post(&world.services[0].admin, "/v1/admin/vendors/import", buf_view(&json), &got);
	assert_int_equal(got.status, 200);
	assert_int_equal(import_answer_parse(buf_view(&got.body), &answer), OK);
	*out = answer.items[0];
	httpc_answer_free(&got);
}

static void the_service_judges_again_whatever_it_is_sent(void **state)
{
	static const struct {
		const char *role, *manufacturers, *code;
		const struct notary *what;
	} rows[] = {
		{"intermediate", "", "ca-aik", &aik}, {"root", "any", "ca-expired", &old},
		{"crl", "", "ca-role", &odd}, {"friend", "", "ca-role", &odd},
		{"root", "", "ca-manufacturers", &odd},
		{"root", "infineon", "ca-manufacturers", &odd},
		{"root", "any", "ca-known", &sub}, /* trusted as an intermediate */
	};
	struct import_outcome outcome;

	(void)state;
	send_one("intermediate", "", &sub, &outcome);
	assert_int_equal(outcome.result, IMPORT_ADDED);
	for (size_t i = 0; i < COUNT(rows); i++) {
		send_one(rows[i].role, rows[i].manufacturers, rows[i].what, &outcome);
		assert_int_equal(outcome.result, IMPORT_REFUSED);
		assert_string_equal(outcome.reason, rows[i].code);
	}
	assert_int_equal(world_rows(&world, "trusted"), 1);
}

/* Far more than any other request may have; nothing of it is copied to a worker's stack. */
static void an_import_may_be_large_and_has_an_end(void **state)
{
	AUTO(import_request_free) struct import_request request;
	AUTO(import_answer_free) struct import_answer answer = {.n = 0};
	AUTO(buf_free) struct buf der = BUF(1 << 16), json = BUF(2 * LIMIT_IMPORT_BODY);
	struct httpc_answer got;

	(void)state;
	must(import_request_init(&request, LIMIT_IMPORT_ITEMS) == OK, "out of memory");
	notary_der(&odd, &der);
	for (request.n = 0; request.n < LIMIT_IMPORT_ITEMS; request.n++)
		request.items[request.n] =
			(struct import_item){"root", "any", "test", "x", buf_view(&der)};
	request.is_dry_run = true;
	must(import_request_encode(&request, &json) == OK, "%s", why()->sentence);
	assert_true(json.n > 1 << 20);
	httpc_post(&world.services[0].admin, "/v1/admin/vendors/import", buf_view(&json), &got);
	assert_int_equal(got.status, 200);
	assert_int_equal(import_answer_parse(buf_view(&got.body), &answer), OK);
	assert_int_equal(answer.n, LIMIT_IMPORT_ITEMS);
	assert_int_equal(answer.items[0].result, IMPORT_ADDED);
	assert_int_equal(answer.items[answer.n - 1].result, IMPORT_KNOWN);
	httpc_answer_free(&got);
	while (json.n <= LIMIT_IMPORT_BODY)
		buf_str(&json, "                                                                ");
	httpc_post(&world.services[0].admin, "/v1/admin/vendors/import", buf_view(&json), &got);
	assert_int_not_equal(got.status, 200);
	httpc_answer_free(&got);
}

static void a_digest_that_is_none_is_told(void **state)
{
	struct httpc_answer got;

	(void)state;
	httpc_post(&world.services[0].admin, "/v1/admin/vendors/remove",
		view_str("{\"sha256\":\"xyz\",\"why\":\"test\"}"), &got);
	assert_int_equal(got.status, 400);
	assert_non_null(strstr(buf_text(&got.body), "certificate-digest"));
	httpc_answer_free(&got);
}

static void without_the_token_nothing_is_told(void **state)
{
	const struct httpc_peer stranger = {.port = world.services[0].admin_port};
	struct httpc_answer got;

	(void)state;
	httpc_get(&stranger, "/v1/admin/vendors/export", &got);
	assert_int_equal(got.status, 401);
	httpc_answer_free(&got);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(the_service_judges_again_whatever_it_is_sent),
		cmocka_unit_test(an_import_may_be_large_and_has_an_end),
		cmocka_unit_test(a_digest_that_is_none_is_told),
		cmocka_unit_test(without_the_token_nothing_is_told),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
