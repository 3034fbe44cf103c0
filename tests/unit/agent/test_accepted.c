#include "ca/base/cert.h"
#include "enroll/agent/accepted.h"

#include "ca/base/file.h"
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#define DEVICE_ID "0123456789abcdef0123456789abcdef"

struct fixture {
	struct certifier ours, other;
	struct device_ak *ak;
	struct anchors *anchors;
	char *dir;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	AUTO(mem_free) char *root = NULL;

	assert_non_null(f);
	certifier_make(&f->ours);
	certifier_make(&f->other);
	f->ak = made_ak(SERVICE);
	f->dir = made_directory();
	pem_put(f->dir, "root", f->ours.root);
	root = path_join(f->dir, "root");
	assert_int_equal(OK, anchors_read(root, &f->anchors));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	certifier_free(&f->ours);
	certifier_free(&f->other);
	device_ak_free(&f->ak);
	anchors_free(&f->anchors);
	directory_remove(f->dir);
	free(f->dir);
	free(f);
	return 0;
}

static void add_der(X509 *certificate, struct buf *out)
{
	AUTO(ossl_free) uint8_t *der = NULL;
	int n = i2d_X509(certificate, &der);

	assert_true(n > 0);
	buf_add(out, (struct view){der, (size_t)n});
}

/* What a service would answer: `certificate` under `template`, `intermediate` beside it. */
struct reply {
	const char *host;
	const char *template;
	X509 *certificate;
	X509 *intermediate;
};

/* Through the wire form, so that the answer owns what it points to. */
static enum err judge_for(
	const struct fixture *f, const struct reply *reply, const char *host, struct accepted **out)
{
	AUTO(buf_free) struct buf leaf = BUF(8192);
	AUTO(buf_free) struct buf above = BUF(8192);
	AUTO(buf_free) struct buf json = BUF(64 * 1024);
	AUTO(answer_free) struct answer *parsed = NULL;
	const struct wanted wanted = {.items = {{.template = "ak", .key = WANT_AK}}, .n = 1};
	struct keys keys = {.wanted = &wanted, .n = 1};
	struct answer answer = {.host = reply->host,
		.device_id = DEVICE_ID,
		.tpm_manufacturer = "id:49465800",
		.tpm_model = "m",
		.tpm_version = "id:00010002",
		.trust_class = "manufacturer",
		.trust_source = "s",
		.trust_chain = "CN=x",
		.certificates_n = 1,
		.intermediates_n = 1};

	keys.items[0] = (struct brought){.want = &wanted.items[0], .pkey = ak_pkey(f->ak->judged)};
	add_der(reply->certificate, &leaf);
	add_der(reply->intermediate, &above);
	answer.certificates[0].template = reply->template;
	answer.certificates[0].der = buf_view(&leaf);
	answer.intermediates[0] = buf_view(&above);
	assert_int_equal(OK, answer_encode(&answer, &json));
	assert_int_equal(OK, answer_parse(buf_view(&json), &parsed));
	return accepted_check(&parsed, f->anchors, &keys, host, out);
}

static enum err judge(const struct fixture *f, const struct reply *reply, struct accepted **out)
{
	return judge_for(f, reply, HOST, out);
}

static void the_asked_for_certificate_is_taken(void **state)
{
	struct fixture *f = *state;
	AUTO(accepted_free) struct accepted *accepted = NULL;
	AUTO(x509_free)
	X509 *leaf = certifier_issue(&f->ours, ak_pkey(f->ak->judged), HOST, -60, 3600);

	assert_int_equal(
		OK, judge(f, &(struct reply){HOST, "ak", leaf, f->ours.intermediate}, &accepted));
	assert_int_equal(0, accepted->ak);
	assert_int_equal(1, accepted->n);
	assert_non_null(accepted->items[0].x509);
	assert_int_equal(1, sk_X509_num(accepted->intermediates));
}

static void is_not_trusted(const struct fixture *f, const struct reply *reply)
{
	AUTO(accepted_free) struct accepted *accepted = NULL;

	assert_int_equal(ERR_DENIED, judge(f, reply, &accepted));
	assert_string_equal("service-not-trusted", why()->code);
	assert_null(accepted);
}

static void another_host_another_key_and_another_ca_are_not_trusted(void **state)
{
	struct fixture *f = *state;
	AUTO(pkey_free) EVP_PKEY *foreign = made_key();
	EVP_PKEY *key = ak_pkey(f->ak->judged);
	AUTO(x509_free) X509 *good = certifier_issue(&f->ours, key, NULL, -60, 3600);
	AUTO(x509_free)
	X509 *other_name = certifier_issue(&f->ours, key, "web-02.example.org", -60, 3600);
	AUTO(x509_free) X509 *other_key = certifier_issue(&f->ours, foreign, HOST, -60, 3600);
	AUTO(x509_free) X509 *other_ca = certifier_issue(&f->other, key, HOST, -60, 3600);
	AUTO(x509_free) X509 *expired = certifier_issue(&f->ours, key, HOST, -60, -5);

	is_not_trusted(f, &(struct reply){"web-02.example.org", "ak", good, f->ours.intermediate});
	is_not_trusted(f, &(struct reply){HOST, "ak", other_name, f->ours.intermediate});
	is_not_trusted(f, &(struct reply){HOST, "ak", other_key, f->ours.intermediate});
	is_not_trusted(f, &(struct reply){HOST, "ak", other_ca, f->other.intermediate});
	is_not_trusted(f, &(struct reply){HOST, "ak", expired, f->ours.intermediate});
	/* The way to the anchor is missing. */
	is_not_trusted(f, &(struct reply){HOST, "ak", good, f->other.intermediate});
}

static void a_certificate_may_name_other_hosts_beside_this_one(void **state)
{
	struct fixture *f = *state;
	EVP_PKEY *key = ak_pkey(f->ak->judged);
	AUTO(accepted_free) struct accepted *accepted = NULL;
	AUTO(x509_free)
	X509 *both = certifier_issue(&f->ours, key, "www.example.org,DNS:" HOST, -60, 3600);
	AUTO(x509_free)
	X509 *none =
		certifier_issue(&f->ours, key, "www.example.org,DNS:web-02.example.org", -60, 3600);

	is_not_trusted(f, &(struct reply){HOST, "ak", none, f->ours.intermediate});
	assert_int_equal(
		OK, judge(f, &(struct reply){HOST, "ak", both, f->ours.intermediate}, &accepted));
}

static X509 *issue_for_device(const struct fixture *f, const char *device_id)
{
	return made_certificate(&(struct recipe){.name = "AK",
		.identifier = device_id,
		.usage = AK_USAGE,
		.key = ak_pkey(f->ak->judged),
		.issuer = f->ours.intermediate,
		.issuer_key = f->ours.key,
		.from = -60,
		.until = 3600});
}

static void a_certificate_names_the_device_of_the_answer_or_none(void **state)
{
	struct fixture *f = *state;
	AUTO(accepted_free) struct accepted *accepted = NULL;
	AUTO(x509_free) X509 *good = issue_for_device(f, DEVICE_ID);
	AUTO(x509_free) X509 *other = issue_for_device(f, "0123456789abcdef0123456789abcdee");
	AUTO(x509_free) X509 *longer = issue_for_device(f, DEVICE_ID "0");
	/* As ak-step has it for who orders host names by it. */
	AUTO(x509_free) X509 *by_host = issue_for_device(f, HOST);
	AUTO(x509_free) X509 *by_other_host = issue_for_device(f, "web-02.example.org");
	AUTO(accepted_free) struct accepted *too = NULL;

	is_not_trusted(f, &(struct reply){HOST, "ak", by_other_host, f->ours.intermediate});
	assert_int_equal(
		OK, judge(f, &(struct reply){HOST, "ak", by_host, f->ours.intermediate}, &too));
	is_not_trusted(f, &(struct reply){HOST, "ak", other, f->ours.intermediate});
	is_not_trusted(f, &(struct reply){HOST, "ak", longer, f->ours.intermediate});
	assert_int_equal(
		OK, judge(f, &(struct reply){HOST, "ak", good, f->ours.intermediate}, &accepted));
}

/* In place of the one that was asked for; all but one thing is right. */
static X509 *issue_named(
	const struct fixture *f, const char *common_name, const char *names, const char *usage)
{
	return made_certificate(&(struct recipe){.name = common_name,
		.dns = names,
		.usage = usage,
		.key = ak_pkey(f->ak->judged),
		.issuer = f->ours.intermediate,
		.issuer_key = f->ours.key,
		.from = -60,
		.until = 3600});
}

static void no_form_of_name_is_another_hosts(void **state)
{
	static const struct {
		const char *common_name, *names;
		bool is_good;
	} rows[] = {
		{"AK", HOST, true},
		{HOST, NULL, true},
		{"evil.example.org", HOST, true},
		{"AK", HOST ",URI:urn:ek:sha256:AA", true},
		{"evil.example.org", NULL, false},
		{"AK", "*.example.org", false},
		{"AK", HOST ",IP:10.0.0.1", false},
		{"AK", HOST ",email:root@example.org", false},
		{"AK", HOST ".", false},
		{"AK", "WEB-01.example.org", false},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(accepted_free) struct accepted *accepted = NULL;
		AUTO(x509_free)
		X509 *leaf = issue_named(f, rows[i].common_name, rows[i].names, AK_USAGE);
		const struct reply reply = {HOST, "ak", leaf, f->ours.intermediate};

		if (rows[i].is_good)
			assert_int_equal(OK, judge(f, &reply, &accepted));
		else
			is_not_trusted(f, &reply);
	}
}

/* OpenSSL gives no names at all of two such extensions. */
static void names_in_two_places_are_not_trusted(void **state)
{
	struct fixture *f = *state;
	AUTO(x509_free) X509 *leaf = issue_named(f, "AK", HOST, AK_USAGE);
	AUTO(x509_free) X509 *other = issue_named(f, "AK", "evil.example.org", AK_USAGE);
	X509_EXTENSION *names =
		X509_get_ext(other, X509_get_ext_by_NID(other, NID_subject_alt_name, -1));

	assert_int_equal(1, X509_add_ext(leaf, names, -1));
	assert_true(X509_sign(leaf, f->ours.key, EVP_sha256()) > 0);
	is_not_trusted(f, &(struct reply){HOST, "ak", leaf, f->ours.intermediate});
}

static void nobody_becomes_a_ca(void **state)
{
	struct fixture *f = *state;
	AUTO(x509_free)
	X509 *leaf = made_certificate(&(struct recipe){.name = "AK",
		.is_ca = true,
		.usage = AK_USAGE,
		.key = ak_pkey(f->ak->judged),
		.issuer = f->ours.intermediate,
		.issuer_key = f->ours.key,
		.from = -60,
		.until = 3600});

	is_not_trusted(f, &(struct reply){HOST, "ak", leaf, f->ours.intermediate});
	assert_non_null(strstr(why()->sentence, "a CA"));
}

static void what_is_no_ak_certificate_does_not_become_the_aks_own(void **state)
{
	static const char *const usages[] = {
		PROPERTY_USAGE, "clientAuth", "anyExtendedKeyUsage", NULL};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(usages); i++) {
		AUTO(accepted_free) struct accepted *accepted = NULL;
		AUTO(x509_free) X509 *leaf = issue_named(f, "AK", HOST, usages[i]);

		assert_int_equal(ERR_MALFORMED,
			judge(f, &(struct reply){HOST, "ak", leaf, f->ours.intermediate},
				&accepted));
		assert_string_equal("service-answer", why()->code);
		assert_non_null(strstr(why()->sentence, "--template ak"));
		assert_null(accepted);
	}
}

/* This machine asked for no name: it takes what the service says, if that is a name. */
static void where_no_name_was_asked_for_any_hosts_name_is_taken(void **state)
{
	struct fixture *f = *state;
	AUTO(accepted_free) struct accepted *accepted = NULL, *bad = NULL;
	AUTO(x509_free)
	X509 *leaf = certifier_issue(&f->ours, ak_pkey(f->ak->judged), HOST, -60, 3600);
	AUTO(x509_free)
	X509 *unnamed = certifier_issue(&f->ours, ak_pkey(f->ak->judged), NULL, -60, 3600);
	static const char *const names[] = {
		"../../etc", "localhost", "WEB.example.org", "10.0.0.1"};
	const struct reply other = {"web-02.example.org", "ak", leaf, f->ours.intermediate};

	assert_int_equal(OK, judge_for(f, &(struct reply){HOST, "ak", leaf, f->ours.intermediate},
				     NULL, &accepted));
	assert_string_equal(HOST, accepted->answer->host);
	/* A name of its own in the certificate is still the answer's. */
	assert_int_equal(ERR_DENIED, judge_for(f, &other, NULL, &bad));
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(ERR_MALFORMED,
			judge_for(f, &(struct reply){names[i], "ak", unnamed, f->ours.intermediate},
				NULL, &bad));
		assert_string_equal("service-answer", why()->code);
	}
}

static void an_answer_without_the_aks_certificate_is_of_no_use(void **state)
{
	struct fixture *f = *state;
	AUTO(accepted_free) struct accepted *accepted = NULL;
	AUTO(x509_free)
	X509 *leaf = certifier_issue(&f->ours, ak_pkey(f->ak->judged), HOST, -60, 3600);

	assert_int_equal(ERR_MALFORMED,
		judge(f, &(struct reply){HOST, "tls", leaf, f->ours.intermediate}, &accepted));
	assert_string_equal("service-answer", why()->code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_asked_for_certificate_is_taken),
		cmocka_unit_test(another_host_another_key_and_another_ca_are_not_trusted),
		cmocka_unit_test(a_certificate_may_name_other_hosts_beside_this_one),
		cmocka_unit_test(a_certificate_names_the_device_of_the_answer_or_none),
		cmocka_unit_test(no_form_of_name_is_another_hosts),
		cmocka_unit_test(names_in_two_places_are_not_trusted),
		cmocka_unit_test(nobody_becomes_a_ca),
		cmocka_unit_test(what_is_no_ak_certificate_does_not_become_the_aks_own),
		cmocka_unit_test(where_no_name_was_asked_for_any_hosts_name_is_taken),
		cmocka_unit_test(an_answer_without_the_aks_certificate_is_of_no_use),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
