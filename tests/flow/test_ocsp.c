/* test_ocsp.c - what relying parties hear of a certificate, as OpenSSL and GnuTLS ask for it. */
#include "ca/base/file.h"
#include "tests/flow/cluster.h"
#include "tests/flow/inquiry.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

struct wait {
	size_t service;
	const struct leaf *leaf;
	const char *words;
};

static bool says(void *arg)
{
	const struct wait *wait = arg;
	AUTO(mem_free) char *line = text("%s: ", wait->leaf->pem);
	AUTO(output_free) struct output output = {0};

	inquire_by_openssl(
		&world, wait->service, MORE("-no_nonce", "-cert", wait->leaf->pem), &output);
	return output.code == 0 && strstr(buf_text(&output.err), "Response verify OK") != NULL &&
	       has_line(&output, line, wait->words);
}

/* At either server, within the promised time and what openssl takes to start. */
static void assert_becomes(const struct leaf *leaf, const char *words)
{
	for (size_t i = 0; i < world.services_n; i++)
		if (!wait_until(says, &(struct wait){i, leaf, words}, PROMISED_MS))
			fail_msg("server %zu does not say %s of %s", i, words, leaf->pem);
}

/* An answer is one of OCSP, whatever it says. */
static void assert_ocsp(const struct httpc_answer *answer)
{
	AUTO(mem_free) char *type = httpc_header(answer, "Content-Type");

	assert_int_equal(200, answer->status);
	assert_string_equal("application/ocsp-response", type);
}

/* What openssl reads in it. */
static void read_answer(const struct leaf *leaf, struct view der, struct output *output)
{
	AUTO(mem_free) char *issuing = text("%s/issuing.pem", world.ca);
	AUTO(mem_free) char *path = text("%s/response.der", world.dir);

	write_file(path, 0644, der);
	process_run(&(struct program){.argv = (const char *const[]){"openssl", "ocsp", "-respin",
					      path, "-issuer", issuing, "-cert", leaf->pem,
					      "-CAfile", world.roots, "-verify_other", issuing,
					      "-resp_text", NULL}},
		output);
}

static void a_certificate_is_good_until_it_is_revoked_held_or_released(void **state)
{
	AUTO(leaf_free) struct leaf leaf, other;

	(void)state;
	leaf_make(&world, &leaf);
	leaf_make(&world, &other);
	assert_becomes(&leaf, "good");
	assert_becomes(&other, "good");
	leaf_revoke(&world, &leaf, "certificateHold");
	assert_becomes(&leaf, "revoked");
	leaf_release(&world, &leaf);
	assert_becomes(&leaf, "good");
	leaf_revoke(&world, &leaf, "keyCompromise");
	assert_becomes(&leaf, "revoked");
	assert_becomes(&other, "good");
}

static void openssl_is_told_when_and_why(void **state)
{
	AUTO(output_free) struct output output = {0};
	AUTO(leaf_free) struct leaf leaf;

	(void)state;
	leaf_make(&world, &leaf);
	leaf_revoke(&world, &leaf, "keyCompromise");
	inquire_by_openssl(&world, 1, MORE("-cert", leaf.pem), &output);
	assert_int_equal(0, output.code);
	assert_true(has_line(&output, "\tReason: ", "keyCompromise"));
	assert_true(has_line(&output, "\tRevocation Time: ", "Jan 15 08:00:00 2027 GMT"));
	/* Nothing is missing: with a nonce it says so where none comes back. */
	assert_string_equal("Response verify OK\n", buf_text(&output.err));
}

static void an_answer_with_a_nonce_is_made_for_it(void **state)
{
	static const char *const more[] = {"-resp_text", NULL};
	AUTO(output_free) struct output first = {0}, second = {0};
	AUTO(leaf_free) struct leaf leaf;

	(void)state;
	leaf_make(&world, &leaf);
	inquire_by_openssl(&world, 0, MORE("-cert", leaf.pem, more[0]), &first);
	inquire_by_openssl(&world, 0, MORE("-cert", leaf.pem, more[0]), &second);
	assert_non_null(strstr(buf_text(&first.out), "OCSP Nonce"));
	assert_non_null(strstr(buf_text(&first.out), "OCSP No Check"));
	assert_non_null(strstr(buf_text(&first.out), "OCSP Signing"));
	assert_string_not_equal(buf_text(&first.out), buf_text(&second.out));
}

static void without_a_nonce_the_same_answer_is_given_by_get_and_post(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer first, second, third;
	AUTO(buf_free) struct buf request = BUF(1 << 14);
	AUTO(output_free) struct output output = {0};
	AUTO(leaf_free) struct leaf leaf;

	(void)state;
	leaf_make(&world, &leaf);
	inquiry_make(&world, leaf.pem, NULL, &request);
	inquire_post(&world, buf_view(&request), &first);
	inquire_get(&world, buf_view(&request), false, &second);
	inquire_get(&world, buf_view(&request), true, &third);
	assert_ocsp(&first);
	assert_ocsp(&second);
	assert_ocsp(&third);
	assert_int_equal(first.body.n, second.body.n);
	assert_memory_equal(first.body.p, second.body.p, first.body.n);
	assert_memory_equal(first.body.p, third.body.p, first.body.n);
	read_answer(&leaf, buf_view(&second.body), &output);
	assert_int_equal(0, output.code);
	assert_non_null(strstr(buf_text(&output.out), "good"));
}

static void caches_may_keep_an_answer_to_get_for_a_minute(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer got, posted;
	AUTO(buf_free) struct buf request = BUF(1 << 14);
	AUTO(leaf_free) struct leaf leaf;

	(void)state;
	leaf_make(&world, &leaf);
	inquiry_make(&world, leaf.pem, NULL, &request);
	inquire_get(&world, buf_view(&request), true, &got);
	inquire_post(&world, buf_view(&request), &posted);
	AUTO(mem_free) char *control = httpc_header(&got, "Cache-Control");
	AUTO(mem_free) char *etag = httpc_header(&got, "ETag");
	AUTO(mem_free) char *modified = httpc_header(&got, "Last-Modified");
	AUTO(mem_free) char *expires = httpc_header(&got, "Expires");
	AUTO(mem_free) char *never = httpc_header(&posted, "Cache-Control");

	assert_non_null(strstr(control, "max-age=60"));
	assert_int_equal(66, strlen(etag));
	assert_non_null(modified);
	assert_non_null(expires);
	assert_string_not_equal(modified, expires);
	assert_string_equal("no-store", never);
}

static void gnutls_takes_an_answer(void **state)
{
	AUTO(mem_free) char *issuing = text("%s/issuing.pem", world.ca);
	AUTO(mem_free) char *asked = text("%s/gnutls-request.der", world.dir);
	AUTO(mem_free) char *answered = text("%s/gnutls-response.der", world.dir);
	AUTO(httpc_answer_free) struct httpc_answer answer;
	AUTO(buf_free) struct buf request = BUF(1 << 14);
	AUTO(output_free) struct output output = {0};
	AUTO(leaf_free) struct leaf leaf;

	(void)state;
	leaf_make(&world, &leaf);
	leaf_revoke(&world, &leaf, "cessationOfOperation");
	MUST_RUN("ocsptool", "--generate-request", "--load-issuer", issuing, "--load-cert",
		leaf.pem, "--outfile", asked);
	must(file_read(asked, &request) == OK, "%s", why()->sentence);
	inquire_post(&world, buf_view(&request), &answer);
	write_file(answered, 0644, buf_view(&answer.body));
	process_run(
		&(struct program){.argv = (const char *const[]){"ocsptool", "--verify-response",
					  "--load-response", answered, "--load-trust", issuing,
					  "--load-issuer", issuing, "--load-cert", leaf.pem, NULL}},
		&output);
	if (output.code != 0 || strstr(buf_text(&output.out), "revoked") == NULL ||
		strstr(buf_text(&output.out), "Verifying OCSP Response: Success") == NULL)
		fail_msg("%s%s", buf_text(&output.out), buf_text(&output.err));
}

static void one_request_may_ask_for_several_certificates(void **state)
{
	AUTO(leaf_free) struct leaf good, revoked;
	AUTO(output_free) struct output output = {0};
	AUTO(mem_free) char *first = NULL, *second = NULL;

	(void)state;
	leaf_make(&world, &good);
	leaf_make(&world, &revoked);
	leaf_revoke(&world, &revoked, "superseded");
	inquire_by_openssl(&world, 0,
		MORE("-cert", good.pem, "-cert", revoked.pem, "-serial", "0x1234"), &output);
	first = text("%s: ", good.pem);
	second = text("%s: ", revoked.pem);
	assert_true(has_line(&output, first, "good"));
	assert_true(has_line(&output, second, "revoked"));
	assert_true(has_line(&output, "0x1234: ", "unknown"));
}

/* Bytes of an OCSPResponse with this status and nothing else. */
static void assert_refused_as(const struct httpc_answer *answer, uint8_t status)
{
	const uint8_t wanted[] = {0x30, 3, 0x0a, 1, status};
	AUTO(mem_free) char *control = httpc_header(answer, "Cache-Control");

	assert_ocsp(answer);
	assert_int_equal(sizeof(wanted), answer->body.n);
	assert_memory_equal(wanted, answer->body.p, sizeof(wanted));
	assert_string_equal("no-store", control);
}

static void what_is_no_request_or_for_another_ca_is_refused_in_the_words_of_ocsp(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer junk, cut, get_junk, get_nothing, foreign;
	AUTO(buf_free) struct buf request = BUF(1 << 14);
	AUTO(leaf_free) struct leaf leaf;

	(void)state;
	leaf_make(&world, &leaf);
	inquiry_make(&world, leaf.pem, NULL, &request);
	inquire_post(&world, view_str("{}"), &junk);
	assert_refused_as(&junk, 1);
	inquire_post(&world, (struct view){request.p, request.n - 1}, &cut);
	assert_refused_as(&cut, 1);
	httpc_get(&world.services[0].peer, "/ocsp/not*base64", &get_junk);
	assert_refused_as(&get_junk, 1);
	httpc_get(&world.services[0].peer, "/ocsp/", &get_nothing);
	assert_int_equal(404, get_nothing.status);
	/* Another issuer's key, in the last byte of its hash: before the serial number's 18 bytes. */
	request.p[request.n - 19] ^= 1;
	inquire_post(&world, buf_view(&request), &foreign);
	assert_refused_as(&foreign, 6);
}

/* What the records had before they named issuers is told by the signature that it carries. */
static void a_certificate_of_an_old_record_is_known_by_its_signature(void **state)
{
	AUTO(leaf_free) struct leaf leaf, other;

	(void)state;
	leaf_make(&world, &leaf);
	leaf_make(&world, &other);
	free(sql_text(world.conninfo,
		"UPDATE certificate SET issuer = NULL, shard = NULL WHERE serial IN ('\\x%s',"
		" '\\x%s')",
		leaf.serial, other.serial));
	/* Its last byte belongs to the signature. */
	free(sql_text(world.conninfo,
		"UPDATE certificate SET der = set_byte(der, length(der) - 1,"
		" get_byte(der, length(der) - 1) # 1) WHERE serial = '\\x%s'",
		other.serial));
	assert_becomes(&leaf, "good");
	assert_becomes(&other, "unknown");
}

static void who_signs_is_recorded(void **state)
{
	AUTO(leaf_free) struct leaf leaf;
	AUTO(output_free) struct output output = {0};
	AUTO(mem_free) char *serials = NULL;
	const char *shown;

	(void)state;
	leaf_make(&world, &leaf);
	inquire_by_openssl(&world, 0, MORE("-cert", leaf.pem, "-resp_text"), &output);
	shown = strstr(buf_text(&output.out), "Serial Number:\n");
	assert_non_null(strstr(buf_text(&output.out), "CN=OCSP responder"));
	assert_non_null(shown);
	serials = sql_text(world.conninfo,
		"SELECT string_agg(regexp_replace(encode(serial, 'hex'), '(..)(?!$)', '\\1:', 'g'),"
		" ' ') FROM ocsp_responder WHERE not_after < now() + interval '8 days'");
	shown += strlen("Serial Number:\n");
	shown += strspn(shown, " ");
	AUTO(mem_free) char *serial = strndup(shown, strcspn(shown, "\n"));
	assert_int_equal(47, strlen(serial));
	assert_non_null(strstr(serials, serial));
}

static void whoever_asks_meanwhile_hears_it_in_time_and_no_way_back(void **state)
{
	AUTO(buf_free) struct buf request = BUF(1 << 14);
	AUTO(leaf_free) struct leaf leaf;
	struct inquirer askers[6];
	int64_t revoked_at = 0;

	(void)state;
	leaf_make(&world, &leaf);
	inquiry_make(&world, leaf.pem, NULL, &request);
	for (size_t i = 0; i < COUNT(askers); i++) {
		askers[i] = (struct inquirer){.peer = &world.services[i % 2].peer,
			.request = buf_view(&request),
			.revoked_at = &revoked_at,
			.until = now_ms() + PROMISED_MS * 3 / 4};
		assert_int_equal(
			0, pthread_create(&askers[i].thread, NULL, inquire_on, &askers[i]));
	}
	leaf_revoke(&world, &leaf, "keyCompromise");
	__atomic_store_n(&revoked_at, now_ms(), __ATOMIC_SEQ_CST);
	for (size_t i = 0; i < COUNT(askers); i++) {
		assert_int_equal(0, pthread_join(askers[i].thread, NULL));
		assert_false(askers[i].is_broken);
		assert_true(askers[i].revoked > 0);
		assert_int_equal(0, askers[i].late);
		assert_int_equal(0, askers[i].back);
	}
}

static void after_a_reload_another_responder_signs(void **state)
{
	AUTO(output_free) struct output reload = {0}, before = {0}, after = {0};
	AUTO(mem_free) char *url = text("http://127.0.0.1:%d", world.services[0].admin_port);
	AUTO(mem_free) char *token = text("%s/admin.token", world.dir);
	AUTO(leaf_free) struct leaf leaf;
	long responders;

	(void)state;
	leaf_make(&world, &leaf);
	inquire_by_openssl(&world, 0, MORE("-cert", leaf.pem), &before);
	responders = sql_number(world.conninfo, "SELECT count(*) FROM ocsp_responder");
	world_run(&world, &reload, "endorsectl", "reload", "--admin", url, "--token-file", token,
		NULL);
	assert_int_equal(0, reload.code);
	inquire_by_openssl(&world, 0, MORE("-cert", leaf.pem), &after);
	assert_string_equal("Response verify OK\n", buf_text(&after.err));
	assert_int_equal(
		responders + 1, sql_number(world.conninfo, "SELECT count(*) FROM ocsp_responder"));
}

/* One that is asked for already goes on for a while; nobody can revoke it meanwhile either. */
static void while_the_database_is_away_only_what_is_kept_is_answered(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer before, kept, none;
	AUTO(buf_free) struct buf first = BUF(1 << 14), second = BUF(1 << 14);
	AUTO(leaf_free) struct leaf known, asked_later;

	(void)state;
	leaf_make(&world, &known);
	leaf_make(&world, &asked_later);
	inquiry_make(&world, known.pem, NULL, &first);
	inquiry_make(&world, asked_later.pem, NULL, &second);
	inquire_post(&world, buf_view(&first), &before);
	cluster_stop();
	inquire_post(&world, buf_view(&first), &kept);
	inquire_post(&world, buf_view(&second), &none);
	cluster_start();
	assert_ocsp(&kept);
	assert_int_equal(before.body.n, kept.body.n);
	assert_memory_equal(before.body.p, kept.body.p, kept.body.n);
	assert_refused_as(&none, 3);
	assert_becomes(&asked_later, "good");
}

/* The last test, for there is no way back. */
static void of_a_revoked_ca_everything_is_revoked(void **state)
{
	AUTO(leaf_free) struct leaf leaf;
	AUTO(output_free) struct output output = {0};
	AUTO(mem_free) char *issuer = NULL;

	(void)state;
	leaf_make(&world, &leaf);
	assert_becomes(&leaf, "good");
	issuer = sql_text(world.conninfo,
		"SELECT encode(issuer, 'hex') FROM certificate WHERE serial = '\\x%s'",
		leaf.serial);
	free(sql_text(world.conninfo,
		"INSERT INTO issuer (issuer_id, kind, certificate, first_at) VALUES ('\\x%s',"
		" 'x509', '\\x30', now()) ON CONFLICT DO NOTHING",
		issuer));
	free(sql_text(world.conninfo,
		"UPDATE issuer SET revoked_at = now(), revocation_reason = 'cACompromise'"
		" WHERE issuer_id = '\\x%s'",
		issuer));
	free(sql_text(world.conninfo, "UPDATE revocation SET revision = revision + 1"));
	assert_becomes(&leaf, "revoked");
	inquire_by_openssl(&world, 0, MORE("-serial", "0x4321", "-resp_text"), &output);
	assert_true(has_line(&output, "0x4321: ", "revoked"));
	assert_true(has_line(&output, "\tReason: ", "cACompromise"));
	assert_non_null(strstr(buf_text(&output.out), "valid: "));
}

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.services = 2, .policy = world_any_name}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_certificate_is_good_until_it_is_revoked_held_or_released),
		cmocka_unit_test(openssl_is_told_when_and_why),
		cmocka_unit_test(an_answer_with_a_nonce_is_made_for_it),
		cmocka_unit_test(without_a_nonce_the_same_answer_is_given_by_get_and_post),
		cmocka_unit_test(caches_may_keep_an_answer_to_get_for_a_minute),
		cmocka_unit_test(gnutls_takes_an_answer),
		cmocka_unit_test(one_request_may_ask_for_several_certificates),
		cmocka_unit_test(
			what_is_no_request_or_for_another_ca_is_refused_in_the_words_of_ocsp),
		cmocka_unit_test(a_certificate_of_an_old_record_is_known_by_its_signature),
		cmocka_unit_test(who_signs_is_recorded),
		cmocka_unit_test(whoever_asks_meanwhile_hears_it_in_time_and_no_way_back),
		cmocka_unit_test(after_a_reload_another_responder_signs),
		cmocka_unit_test(while_the_database_is_away_only_what_is_kept_is_answered),
		cmocka_unit_test(of_a_revoked_ca_everything_is_revoked),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
