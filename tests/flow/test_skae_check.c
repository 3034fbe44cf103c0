/* test_skae_check.c - `endorse skae-check` at certificates of a CA, good ones and such as have one fault. */
#include "ca/base/cert.h"
#include "ca/skae.h"
#include "tests/flow/notary.h"
#include "tests/flow/place.h"
#include "tests/flow/process.h"
#include "tests/flow/supervise.h"
#include "tests/softtpm/attest.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SERVICE "https://ca.example.test"
#define EKU_AK "2.23.133.8.3"
#define EKU_TLS "serverAuth,clientAuth"

/* A CA in two steps, a TPM with its AK and two keys, and a second TPM's AK. */
static struct notary root, ca, strangers;
static struct soft_key ak, other_ak, key, other_key;
static char *ca_file, *certificate_file, *ak_file;

static void make_key(struct soft_key *out)
{
	TPMT_PUBLIC area;

	soft_tls_area(false, &area);
	must(soft_key_make(&area, NULL, out), "soft_key_make");
}

static int make(void **state)
{
	(void)state;
	notary_make(&(struct notary_wish){.name = "Root"}, &root);
	notary_make(&(struct notary_wish){.name = "Issuing", .issuer = &root}, &ca);
	notary_make(&(struct notary_wish){.name = "Root"}, &strangers);
	must(soft_ak_make(SOFT_P256, SERVICE, NULL, &ak) &&
			soft_ak_make(SOFT_P256, SERVICE, NULL, &other_ak),
		"soft_ak_make");
	make_key(&key);
	make_key(&other_key);
	ca_file = text("%s/ca.pem", supervise_dir());
	certificate_file = text("%s/certificate.pem", supervise_dir());
	ak_file = text("%s/ak.pem", supervise_dir());
	notary_write(&root, ca_file, NULL);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	notary_free(&root);
	notary_free(&ca);
	notary_free(&strangers);
	soft_key_free(&ak);
	soft_key_free(&other_ak);
	soft_key_free(&key);
	soft_key_free(&other_key);
	free(ca_file);
	free(certificate_file);
	free(ak_file);
	return 0;
}

/* What an AK said of `about`, and where its certificate is. */
struct said {
	const struct soft_key *by, *about;
	const char *location;
	struct view extra;
};

static void add_evidence(X509 *certificate, const struct said *said)
{
	static const struct soft_moment moment = {.clock = {.clock = 1, .safe = 1}};
	AUTO(buf_free) struct buf public = BUF(2048), signature = BUF(1024);
	struct grant_evidence evidence = {.ak_location = said->location};
	struct soft_attest made;

	must(soft_certify(said->by, said->about, said->extra, &moment, &made) &&
			soft_key_public(said->about, &public) &&
			soft_signature_bytes(&made.signature, &signature),
		"soft_certify");
	evidence.public = (struct view){public.p + 2, public.n - 2};
	evidence.attest = VIEW_2B(&made.attested, attestationData);
	evidence.signature = buf_view(&signature);
	must(skae_add(certificate, &evidence) == OK, "%s", why()->sentence);
}

/* A certificate for `pkey` with what is in `said` (NULL: nothing), by `by`. */
static X509 *issue(const struct notary *by, EVP_PKEY *pkey, const char *usage, int64_t until,
	const struct said *said)
{
	AUTO(notary_free) struct notary leaf;
	X509 *certificate;

	notary_make(&(struct notary_wish){.name = "leaf.example.test",
			    .issuer = by,
			    .is_leaf = true,
			    .extended_key_usage = usage,
			    .not_after = until},
		&leaf);
	certificate = leaf.certificate;
	must(X509_set_pubkey(certificate, pkey) == 1, "X509_set_pubkey");
	if (said != NULL)
		add_evidence(certificate, said);
	must(X509_sign(certificate, by->key, EVP_sha256()) > 0 && X509_up_ref(certificate) == 1,
		"X509_sign");
	return certificate;
}

static void write_chain(const char *path, X509 *certificate, X509 *above)
{
	AUTO(buf_free) struct buf pem = BUF(1 << 16);

	must(cert_pem_add(certificate, &pem) == OK &&
			(above == NULL || cert_pem_add(above, &pem) == OK),
		"%s", why()->sentence);
	write_file(path, 0644, buf_view(&pem));
}

/* One case: who issued what for which key, and what is wrong with it. */
struct question {
	const char *name;
	const struct notary *by, *ak_by; /* NULL: the issuing CA */
	const struct soft_key *key, *said_by, *about, *ak; /* NULL: the right ones */
	const char *ak_usage; /* NULL: EKU_AK */
	bool is_expired, is_ak_expired, is_bare;
	const char *broken, *reason; /* NULL: it holds */
};

#define OR(a, b) ((a) != NULL ? (a) : (b))

static void lay_out(const struct question *q, const char *location)
{
	const struct said said = {OR(q->said_by, &ak), OR(q->about, &key), location,
		view_str("the digest of a ticket")};
	const int64_t past = (int64_t)time(NULL) - 60;
	AUTO(x509_free)
	X509 *certificate = issue(OR(q->by, &ca), OR(q->key, &key)->pkey, EKU_TLS,
		q->is_expired ? past : 0, q->is_bare ? NULL : &said);
	AUTO(x509_free)
	X509 *ak_certificate = issue(OR(q->ak_by, &ca), OR(q->ak, &ak)->pkey,
		OR(q->ak_usage, EKU_AK), q->is_ak_expired ? past : 0, NULL);

	write_chain(certificate_file, certificate, ca.certificate);
	write_chain(ak_file, ak_certificate, NULL);
}

#define CHECK(output, ...)                                                                         \
	process_run(&(struct program){.argv = (const char *const[]){ENDORSE_BIN_DIR "/endorse",    \
					      "skae-check", "--certificate", certificate_file,     \
					      "--ca", ca_file, __VA_ARGS__, NULL}},                \
		output)

static void wants(const char *name, const struct output *output, int code, const char *what)
{
	if (output->code != code || (strstr(buf_text(&output->out), what) == NULL &&
					    strstr(buf_text(&output->err), what) == NULL))
		fail_msg("%s: exit %d, wanted %d and \"%s\":\n%s%s", name, output->code, code, what,
			buf_text(&output->out), buf_text(&output->err));
}

static const struct question questions[] = {
	{.name = "base"},
	{.name = "stranger",
		.by = &strangers,
		.broken = "certificate",
		.reason = "service-not-trusted"},
	{.name = "expired",
		.is_expired = true,
		.broken = "certificate",
		.reason = "service-not-trusted"},
	{.name = "bare", .is_bare = true, .broken = "skae", .reason = "skae-missing"},
	{.name = "stranger's AK",
		.ak_by = &strangers,
		.broken = "ak-certificate",
		.reason = "service-not-trusted"},
	{.name = "expired AK",
		.is_ak_expired = true,
		.broken = "ak-certificate",
		.reason = "service-not-trusted"},
	{.name = "TLS for AK",
		.ak_usage = EKU_TLS,
		.broken = "ak-certificate",
		.reason = "skae-ak-certificate"},
	{.name = "swapped key", .key = &other_key, .broken = "evidence", .reason = "skae-key"},
	{.name = "another AK", .ak = &other_ak, .broken = "evidence", .reason = "attest-signature"},
	{.name = "said by another AK",
		.said_by = &other_ak,
		.broken = "evidence",
		.reason = "attest-signature"},
	{.name = "of another key", .about = &other_key, .broken = "evidence", .reason = "skae-key"},
};

static void each_broken_part_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(questions); i++) {
		const struct question *q = &questions[i];
		AUTO(output_free) struct output told, json;
		AUTO(mem_free)
		char *words = q->broken == NULL ? text("holds: ")
						: text("does not hold: %s is broken (%s)\n",
							  q->broken, q->reason);
		AUTO(mem_free)
		char *member = q->broken == NULL ? text("\"holds\": true")
						 : text("\"reason\": \"%s\"", q->reason);

		lay_out(q, NULL);
		CHECK(&told, "--ak-certificate", ak_file);
		wants(q->name, &told, q->broken == NULL ? 0 : 9, words);
		CHECK(&json, "--ak-certificate", ak_file, "--json");
		wants(q->name, &json, q->broken == NULL ? 0 : 9, member);
	}
}

/* What the qualifying data was, only the CA knew; so nobody may take its certificate for one of the device's own. */
static void a_certificate_by_a_ca_is_no_self_signed_one(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	lay_out(&(struct question){.name = "by a CA"}, NULL);
	CHECK(&output, "--ak-certificate", ak_file, "--self-signed");
	wants("by a CA", &output, 9, "evidence is broken (attest-qualifying-data)");
}

/* The certificate with its AK's at a place that answers so. */
static void fetch(const char *name, const char *status, const char *headers, struct view body,
	int code, const char *words)
{
	AUTO(output_free) struct output output;
	AUTO(mem_free) char *location = NULL;
	struct place place;

	place_open(&place, status, headers, body);
	location = text("http://127.0.0.1:%d/v1/certificates/00", place.port);
	lay_out(&(struct question){.name = name}, location);
	CHECK(&output, "--fetch");
	place_close(&place);
	wants(name, &output, code, words);
	assert_int_equal(1, place.asked);
}

static void the_ak_certificate_is_fetched_where_it_is(void **state)
{
	AUTO(x509_free) X509 *certificate = issue(&ca, ak.pkey, EKU_AK, 0, NULL);
	AUTO(x509_free) X509 *other = issue(&ca, other_ak.pkey, EKU_AK, 0, NULL);
	AUTO(x509_free) X509 *strange = issue(&strangers, ak.pkey, EKU_AK, 0, NULL);
	AUTO(buf_free) struct buf der = BUF(1 << 16), other_der = BUF(1 << 16);
	AUTO(buf_free) struct buf strange_der = BUF(1 << 16);
	static const uint8_t zeros[20000];

	(void)state;
	must(cert_der_add(certificate, &der) == OK && cert_der_add(other, &other_der) == OK &&
			cert_der_add(strange, &strange_der) == OK,
		"%s", why()->sentence);
	fetch("good", "200 OK", NULL, buf_view(&der), 0, "holds: ");
	fetch("another AK", "200 OK", NULL, buf_view(&other_der), 9,
		"evidence is broken (attest-signature)");
	fetch("stranger", "200 OK", NULL, buf_view(&strange_der), 9,
		"ak-certificate is broken (service-not-trusted)");
	fetch("gone", "404 Not Found", NULL, buf_view(&der), 9,
		"ak-certificate is broken (skae-location)");
	fetch("redirect", "302 Found", "Location: http://127.0.0.1:1/\r\n", buf_view(&der), 9,
		"ak-certificate is broken (skae-location)");
	fetch("words", "200 OK", NULL, view_str("hello"), 9,
		"ak-certificate is broken (skae-location)");
	fetch("long", "200 OK", NULL, VIEW(zeros), 9, "ak-certificate is broken (skae-location)");
	fetch("ill", "503 Service Unavailable", NULL, view_str(""), 4, "HTTP 503");
}

static void nothing_else_is_fetched(void **state)
{
	static const struct {
		const char *location;
		int code;
		const char *words;
	} rows[] = {
		{NULL, 9, "(skae-location)"},
		{"file:///etc/passwd", 9, "(skae-location)"},
		{"ftp://127.0.0.1/x", 9, "(skae-location)"},
		{"ldap://127.0.0.1/x", 9, "(skae-location)"},
		{"http://127.0.0.1:1/x", 4, "127.0.0.1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output output;

		lay_out(&(struct question){.name = "location"}, rows[i].location);
		CHECK(&output, "--fetch");
		wants(rows[i].location == NULL ? "none" : rows[i].location, &output, rows[i].code,
			rows[i].words);
	}
}

/* Who made the certificate tells this machine where to ask: it must be somebody believed. */
static void nobody_is_asked_for_a_certificate_that_is_not_believed(void **state)
{
	AUTO(output_free) struct output stranger, self_signed;
	AUTO(mem_free) char *location = NULL;
	struct place place;

	(void)state;
	place_open(&place, "200 OK", NULL, view_str("x"));
	location = text("http://127.0.0.1:%d/", place.port);
	lay_out(&(struct question){.name = "stranger", .by = &strangers}, location);
	CHECK(&stranger, "--fetch");
	CHECK(&self_signed, "--fetch", "--self-signed");
	place_close(&place);
	wants("stranger", &stranger, 9, "certificate is broken (service-not-trusted)");
	wants("self-signed", &self_signed, 2, "give --ak-certificate");
	assert_int_equal(0, place.asked);
}

static void what_it_cannot_do_is_not_called_broken(void **state)
{
	AUTO(output_free) struct output none, both, missing;

	(void)state;
	lay_out(&(struct question){.name = "base"}, NULL);
	CHECK(&none, "--json");
	wants("neither", &none, 2, "--ak-certificate and --fetch");
	CHECK(&both, "--fetch", "--ak-certificate", ak_file);
	wants("both", &both, 2, "--ak-certificate and --fetch");
	CHECK(&missing, "--ak-certificate", "/nonexistent");
	wants("missing", &missing, 1, "/nonexistent");
}

static int run_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_broken_part_is_told),
		cmocka_unit_test(a_certificate_by_a_ca_is_no_self_signed_one),
		cmocka_unit_test(the_ak_certificate_is_fetched_where_it_is),
		cmocka_unit_test(nothing_else_is_fetched),
		cmocka_unit_test(nobody_is_asked_for_a_certificate_that_is_not_believed),
		cmocka_unit_test(what_it_cannot_do_is_not_called_broken),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}

int main(void)
{
	return supervise(run_all);
}
