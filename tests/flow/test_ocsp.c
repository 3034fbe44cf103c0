/* test_ocsp.c - what relying parties hear of a certificate, as OpenSSL and GnuTLS ask for it. */
#include "ca/base/cert.h"
#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "tests/flow/cluster.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROMISED_MS 2000 /* within which a revocation is heard of */

static struct world world;
/* Each test has a certificate of its own. */
static unsigned hosts;

struct leaf {
	char *pem; /* its file */
	char serial[CERT_SERIAL_SIZE];
	struct buf der;
};

static void leaf_free(struct leaf *leaf)
{
	free(leaf->pem);
	buf_free(&leaf->der);
}

static void leaf_make(struct leaf *out)
{
	AUTO(mem_free) char *host = text("h%u.example.test", ++hosts);
	AUTO(soft_outcome_free) struct soft_outcome outcome;
	AUTO(soft_device_free) struct soft_device device;
	AUTO(buf_free) struct buf pem = BUF(1 << 14);
	AUTO(x509_free) X509 *cert = NULL;

	soft_device_make(
		&(struct soft_plan){
			.ek = SOFT_L2, .ak = SOFT_P256, .service = world.name, .host = host},
		&world.maker, &device);
	soft_enroll(&device, &world.services[0].peer, world.name, &outcome);
	must(outcome.status == 200, "%s: %s", outcome.code, outcome.detail);
	cert = cert_from_der(buf_view(&outcome.certificate));
	*out = (struct leaf){.pem = text("%s/%s.pem", world.dir, host), .der = BUF(1 << 14)};
	buf_add(&out->der, buf_view(&outcome.certificate));
	cert_serial(cert, out->serial);
	must(cert_pem_add(cert, &pem) == OK, "%s", why()->sentence);
	write_file(out->pem, 0644, buf_view(&pem));
}

/* The one way in is the trigger's, whoever revokes. */
static void take_back(const struct leaf *leaf, const char *reason)
{
	free(sql_text(world.conninfo,
		"UPDATE certificate SET revoked_at = to_timestamp(1800000000),"
		" revocation_reason = '%s' WHERE serial = '\\x%s'",
		reason, leaf->serial));
}

static void release(const struct leaf *leaf)
{
	free(sql_text(world.conninfo,
		"UPDATE certificate SET revoked_at = NULL, revocation_reason = NULL"
		" WHERE serial = '\\x%s'",
		leaf->serial));
}

/* `openssl ocsp` with what every question has; `more` ends with NULL. */
static void openssl_ocsp(size_t service, const char *const *more, struct output *output)
{
	AUTO(mem_free)
	char *url = text("http://127.0.0.1:%d/ocsp", world.services[service].port);
	AUTO(mem_free) char *header = text("X-Endorse-Edge=%s", world.secret);
	AUTO(mem_free) char *issuing = text("%s/issuing.pem", world.ca);
	const char *argv[24] = {"openssl", "ocsp", "-issuer", issuing, "-CAfile", world.roots,
		"-verify_other", issuing, "-url", url, "-header", header};
	size_t n = 12;

	while (*more != NULL)
		argv[n++] = *more++;
	argv[n] = NULL;
	process_run(&(struct program){.argv = argv}, output);
}

#define MORE(...) ((const char *const[]){__VA_ARGS__, NULL})

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

	openssl_ocsp(wait->service, MORE("-no_nonce", "-cert", wait->leaf->pem), &output);
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

/* A request as openssl makes it, without a nonce, for one certificate or two. */
static void make_request(const char *first, const char *second, struct buf *out)
{
	AUTO(mem_free) char *issuing = text("%s/issuing.pem", world.ca);
	AUTO(mem_free) char *path = text("%s/request.der", world.dir);
	const char *argv[] = {"openssl", "ocsp", "-no_nonce", "-reqout", path, "-issuer", issuing,
		"-cert", first, second == NULL ? NULL : "-cert", second, NULL};

	process_must(&(struct program){.argv = argv});
	must(file_read(path, out) == OK, "%s", why()->sentence);
}

/* GET, with what clients percent-encode and without. */
static void get(struct view request, bool encodes, struct httpc_answer *answer)
{
	AUTO(buf_free) struct buf base64 = BUF(1 << 14), path = BUF(1 << 15);

	base64_add(&base64, request);
	buf_str(&path, "/ocsp/");
	for (size_t i = 0; i < base64.n; i++)
		if (encodes && strchr("+/=", base64.p[i]) != NULL)
			buf_fmt(&path, "%%%02X", base64.p[i]);
		else
			buf_u8(&path, base64.p[i]);
	httpc_get(&world.services[0].peer, buf_text(&path), answer);
}

static void post(struct view request, struct httpc_answer *answer)
{
	httpc_ask(&world.services[0].peer, "POST", "/ocsp",
		"Content-Type: application/ocsp-request\r\n", request, answer);
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
	leaf_make(&leaf);
	leaf_make(&other);
	assert_becomes(&leaf, "good");
	assert_becomes(&other, "good");
	take_back(&leaf, "certificateHold");
	assert_becomes(&leaf, "revoked");
	release(&leaf);
	assert_becomes(&leaf, "good");
	take_back(&leaf, "keyCompromise");
	assert_becomes(&leaf, "revoked");
	assert_becomes(&other, "good");
}

static void openssl_is_told_when_and_why(void **state)
{
	AUTO(output_free) struct output output = {0};
	AUTO(leaf_free) struct leaf leaf;

	(void)state;
	leaf_make(&leaf);
	take_back(&leaf, "keyCompromise");
	openssl_ocsp(1, MORE("-cert", leaf.pem), &output);
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
	leaf_make(&leaf);
	openssl_ocsp(0, MORE("-cert", leaf.pem, more[0]), &first);
	openssl_ocsp(0, MORE("-cert", leaf.pem, more[0]), &second);
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
	leaf_make(&leaf);
	make_request(leaf.pem, NULL, &request);
	post(buf_view(&request), &first);
	get(buf_view(&request), false, &second);
	get(buf_view(&request), true, &third);
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
	leaf_make(&leaf);
	make_request(leaf.pem, NULL, &request);
	get(buf_view(&request), true, &got);
	post(buf_view(&request), &posted);
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
	leaf_make(&leaf);
	take_back(&leaf, "cessationOfOperation");
	MUST_RUN("ocsptool", "--generate-request", "--load-issuer", issuing, "--load-cert",
		leaf.pem, "--outfile", asked);
	must(file_read(asked, &request) == OK, "%s", why()->sentence);
	post(buf_view(&request), &answer);
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
	leaf_make(&good);
	leaf_make(&revoked);
	take_back(&revoked, "superseded");
	openssl_ocsp(
		0, MORE("-cert", good.pem, "-cert", revoked.pem, "-serial", "0x1234"), &output);
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
	leaf_make(&leaf);
	make_request(leaf.pem, NULL, &request);
	post(view_str("{}"), &junk);
	assert_refused_as(&junk, 1);
	post((struct view){request.p, request.n - 1}, &cut);
	assert_refused_as(&cut, 1);
	httpc_get(&world.services[0].peer, "/ocsp/not*base64", &get_junk);
	assert_refused_as(&get_junk, 1);
	httpc_get(&world.services[0].peer, "/ocsp/", &get_nothing);
	assert_int_equal(404, get_nothing.status);
	/* Another issuer's key, in the last byte of its hash: before the serial number's 18 bytes. */
	request.p[request.n - 19] ^= 1;
	post(buf_view(&request), &foreign);
	assert_refused_as(&foreign, 6);
}

/* What the records had before they named issuers is told by the signature that it carries. */
static void a_certificate_of_an_old_record_is_known_by_its_signature(void **state)
{
	AUTO(leaf_free) struct leaf leaf, other;

	(void)state;
	leaf_make(&leaf);
	leaf_make(&other);
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
	leaf_make(&leaf);
	openssl_ocsp(0, MORE("-cert", leaf.pem, "-resp_text"), &output);
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

/* One that is asked for already goes on for a while; nobody can revoke it meanwhile either. */
static void while_the_database_is_away_only_what_is_kept_is_answered(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer before, kept, none;
	AUTO(buf_free) struct buf first = BUF(1 << 14), second = BUF(1 << 14);
	AUTO(leaf_free) struct leaf known, asked_later;

	(void)state;
	leaf_make(&known);
	leaf_make(&asked_later);
	make_request(known.pem, NULL, &first);
	make_request(asked_later.pem, NULL, &second);
	post(buf_view(&first), &before);
	cluster_stop();
	post(buf_view(&first), &kept);
	post(buf_view(&second), &none);
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
	leaf_make(&leaf);
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
	openssl_ocsp(0, MORE("-serial", "0x4321", "-resp_text"), &output);
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
		cmocka_unit_test(while_the_database_is_away_only_what_is_kept_is_answered),
		cmocka_unit_test(of_a_revoked_ca_everything_is_revoked),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
