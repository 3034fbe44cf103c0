#include "enroll/trust/candidate.h"

#include "ca/base/clock.h"
#include "ca/base/ossl.h"
#include "enroll/tpm/public.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/trust/pki.h"

static const char aik_name[] = "WUS-INTC-KEYID-17A00575D05E58E3881210BB98B1045BB4C30639";

/* The recipe of a good root or intermediate, and one thing that differs. */
struct row {
	const char *name;
	bool is_root;
	void (*change)(struct recipe *recipe);
	enum candidate_wish wish;
	enum err err;
	const char *code;
};

static void nothing(struct recipe *recipe)
{
	(void)recipe;
}

static void no_ca(struct recipe *recipe)
{
	recipe->constraints = "critical,CA:FALSE";
}

static void no_constraints(struct recipe *recipe)
{
	recipe->constraints = NULL;
}

static void no_cert_sign(struct recipe *recipe)
{
	recipe->key_usage = "critical,digitalSignature";
}

static void for_aiks(struct recipe *recipe)
{
	recipe->extended_key_usage = "2.23.133.8.3,1.3.6.1.4.1.311.21.36";
}

static void for_aiks_by_name(struct recipe *recipe)
{
	recipe->name = aik_name;
}

static void for_eks_and_aiks(struct recipe *recipe)
{
	recipe->extended_key_usage = "2.23.133.8.1,2.23.133.8.3";
}

static void for_eks_whatever_its_name(struct recipe *recipe)
{
	recipe->name = aik_name;
	recipe->extended_key_usage = "2.23.133.8.1";
}

static void for_any_use(struct recipe *recipe)
{
	recipe->extended_key_usage = "anyExtendedKeyUsage";
}

static void for_servers(struct recipe *recipe)
{
	recipe->extended_key_usage = "serverAuth";
}

static void expired(struct recipe *recipe)
{
	recipe->until = NOW - 1;
}

static void small_key(struct recipe *recipe)
{
	static EVP_PKEY *key;

	if (key == NULL)
		key = EVP_RSA_gen(1024);
	recipe->key = key;
	if (recipe->issuer == NULL)
		recipe->issuer_key = key;
}

static void judge(const struct row *row)
{
	AUTO(world_free) struct world world;
	AUTO(buf_free) struct buf der = BUF(1 << 14);
	AUTO(x509_free) X509 *cert = NULL;
	struct recipe recipe;
	struct candidate candidate;

	world_make(&world);
	recipe = row->is_root ? recipe_root("Some Root", world.root_key)
			      : recipe_ca("Some CA", world.ca_key, world.root, world.root_key);
	row->change(&recipe);
	cert = certificate_made(&recipe);
	certificate_add(cert, &der);
	assert_refused_in(row->name, candidate_judge(buf_view(&der), row->wish, NOW, &candidate),
		row->err, row->code);
	if (row->err == OK)
		assert_int_equal(candidate.role,
			row->wish == CANDIDATE_ROOT || (row->is_root && row->wish == CANDIDATE_ANY)
				? TRUST_ROOT
				: TRUST_INTERMEDIATE);
}

static void each_certificate_is_taken_or_left_out_for_its_only_fault(void **state)
{
	static const struct row rows[] = {
		{"root", true, nothing, CANDIDATE_ANY, OK, ""},
		{"intermediate", false, nothing, CANDIDATE_ANY, OK, ""},
		{"pinned", false, nothing, CANDIDATE_ROOT, OK, ""},
		{"root as a hint", true, nothing, CANDIDATE_INTERMEDIATE, OK, ""},
		{"eks and aiks", false, for_eks_and_aiks, CANDIDATE_ANY, OK, ""},
		{"a name is not all", false, for_eks_whatever_its_name, CANDIDATE_ANY, OK, ""},
		{"any use", false, for_any_use, CANDIDATE_ANY, OK, ""},
		{"no CA", false, no_ca, CANDIDATE_ANY, ERR_REJECTED, "ca-not-a-ca"},
		{"no CA, pinned", false, no_ca, CANDIDATE_ROOT, ERR_REJECTED, "ca-not-a-ca"},
		{"no constraints", true, no_constraints, CANDIDATE_ANY, ERR_REJECTED,
			"ca-not-a-ca"},
		{"no keyCertSign", false, no_cert_sign, CANDIDATE_ANY, ERR_REJECTED, "ca-not-a-ca"},
		{"AIK", false, for_aiks, CANDIDATE_ANY, ERR_REJECTED, "ca-aik"},
		{"AIK, pinned", false, for_aiks, CANDIDATE_ROOT, ERR_REJECTED, "ca-aik"},
		{"AIK by its name", false, for_aiks_by_name, CANDIDATE_ANY, ERR_REJECTED, "ca-aik"},
		{"servers", false, for_servers, CANDIDATE_ANY, ERR_REJECTED, "ca-purpose"},
		{"expired root", true, expired, CANDIDATE_ANY, ERR_REJECTED, "ca-expired"},
		{"expired", false, expired, CANDIDATE_ANY, ERR_REJECTED, "ca-expired"},
		{"small key", false, small_key, CANDIDATE_ANY, ERR_REJECTED, "ca-key"},
		{"small root", true, small_key, CANDIDATE_ANY, ERR_REJECTED, "ca-key"},
		{"no CRL", true, nothing, CANDIDATE_CRL, ERR_REJECTED, "ca-role"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		judge(&rows[i]);
}

/* Signs again, with SHA-1, and judges. */
static enum err judge_sha1(X509 *cert, EVP_PKEY *key, enum candidate_wish wish)
{
	AUTO(buf_free) struct buf der = BUF(1 << 14);
	AUTO(x509_free) X509 *copy = X509_dup(cert);
	struct candidate candidate;

	assert_true(X509_sign(copy, key, EVP_sha1()) > 0);
	certificate_add(copy, &der);
	return candidate_judge(buf_view(&der), wish, NOW, &candidate);
}

static void sha1_is_no_fault_of_a_root_s_own_signature(void **state)
{
	AUTO(world_free) struct world world;

	(void)state;
	world_make(&world);
	assert_ok(judge_sha1(world.root, world.root_key, CANDIDATE_ANY));
	assert_ok(judge_sha1(world.ca, world.root_key, CANDIDATE_ROOT));
	assert_refused(
		judge_sha1(world.ca, world.root_key, CANDIDATE_ANY), ERR_REJECTED, "ca-weak");
}

static void a_root_that_was_altered_is_left_out(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(buf_free) struct buf der = BUF(1 << 14);
	struct candidate candidate;

	(void)state;
	world_make(&world);
	certificate_add(world.root, &der);
	assert_ok(candidate_judge(buf_view(&der), CANDIDATE_ANY, NOW, &candidate));
	der.p[der.n - 1] ^= 1;
	assert_refused(candidate_judge(buf_view(&der), CANDIDATE_ANY, NOW, &candidate),
		ERR_REJECTED, "ca-signature");
}

/* As six intermediates of a manufacturer have it: 02 04 00 00 00 01. */
static void pad_serial(struct buf *der)
{
	struct buf longer = BUF(1 << 14);
	const uint8_t *at = memmem(der->p, 40, "\x02\x08\x12\x34", 4);
	size_t n = (size_t)(at - der->p);

	assert_non_null(at);
	buf_add(&longer, (struct view){der->p, n});
	buf_add(&longer, view_str("\x02\x09"));
	buf_u8(&longer, 0);
	buf_add(&longer, (struct view){at + 2, der->n - n - 2});
	/* Both lengths have two bytes: 30 82 nn nn 30 82 nn nn. */
	for (size_t i = 2; i <= 6; i += 4) {
		unsigned length = ((unsigned)longer.p[i] << 8 | longer.p[i + 1]) + 1;

		longer.p[i] = (uint8_t)(length >> 8);
		longer.p[i + 1] = (uint8_t)length;
	}
	buf_free(der);
	*der = longer;
}

static void bytes_that_openssl_cannot_read_are_named_so(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_RSA_2048);
	AUTO(buf_free) struct buf der = BUF(1 << 14);
	struct candidate candidate;

	(void)state;
	world_make(&world);
	world_ca(&world, &(struct recipe){.name = "A name that makes it long enough",
				 .key = key,
				 .issuer = world.root,
				 .issuer_key = world.root_key,
				 .from = NOW - YEAR,
				 .until = NOW + YEAR,
				 .constraints = "critical,CA:TRUE",
				 .key_usage = "critical,keyCertSign"});
	certificate_add(world.ca, &der);
	assert_ok(candidate_judge(buf_view(&der), CANDIDATE_ANY, NOW, &candidate));
	pad_serial(&der);
	assert_refused(candidate_judge(buf_view(&der), CANDIDATE_ANY, NOW, &candidate),
		ERR_REJECTED, "ca-unreadable");
	for (size_t n = 0; n < 64; n++)
		assert_refused(
			candidate_judge((struct view){der.p, n}, CANDIDATE_ANY, NOW, &candidate),
			ERR_REJECTED, "ca-unreadable");
}

static void add_crl(const struct world *world, int64_t next, struct buf *out)
{
	X509_CRL *crl = X509_CRL_new();
	AUTO(ossl_free) uint8_t *der = NULL;
	ASN1_TIME *time = ASN1_TIME_set(NULL, NOW - YEAR);
	int n;

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(world->root));
	X509_CRL_set1_lastUpdate(crl, time);
	if (next != 0)
		X509_CRL_set1_nextUpdate(crl, ASN1_TIME_set(time, next));
	assert_true(X509_CRL_sign(crl, world->root_key, EVP_sha256()) > 0);
	n = i2d_X509_CRL(crl, &der);
	buf_add(out, (struct view){der, (size_t)n});
	ASN1_TIME_free(time);
	X509_CRL_free(crl);
}

static void a_crl_is_known_as_one(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(buf_free) struct buf der = BUF(1 << 14);
	struct candidate candidate;

	(void)state;
	world_make(&world);
	add_crl(&world, NOW + YEAR, &der);
	assert_ok(candidate_judge(buf_view(&der), CANDIDATE_ANY, NOW, &candidate));
	assert_int_equal(candidate.role, TRUST_CRL);
	assert_int_equal(candidate.until, NOW + YEAR);
	assert_string_equal(candidate.subject, "CN=Root");
	assert_refused(candidate_judge(buf_view(&der), CANDIDATE_ROOT, NOW, &candidate),
		ERR_REJECTED, "ca-role");
	buf_free(&der);
	add_crl(&world, 0, &der);
	assert_ok(candidate_judge(buf_view(&der), CANDIDATE_CRL, NOW, &candidate));
	assert_true(candidate.until == CLOCK_LAST);
}

static void what_is_too_large_is_not_taken(void **state)
{
	AUTO(buf_free) struct buf bytes = BUF(2 * CANDIDATE_CRL_MAX);
	struct candidate candidate;

	(void)state;
	while (bytes.n <= CANDIDATE_CRL_MAX)
		buf_str(&bytes, "0123456789abcdef");
	assert_refused(candidate_judge(buf_view(&bytes), CANDIDATE_ANY, NOW, &candidate),
		ERR_REJECTED, "ca-unreadable");
}

static void roles_are_three_words(void **state)
{
	enum candidate_wish wish;

	(void)state;
	assert_ok(candidate_wish_read("root", &wish));
	assert_int_equal(wish, CANDIDATE_ROOT);
	assert_ok(candidate_wish_read("crl", &wish));
	assert_int_equal(wish, CANDIDATE_CRL);
	assert_refused(candidate_wish_read("Root", &wish), ERR_REJECTED, "ca-role");
	assert_refused(candidate_wish_read("", &wish), ERR_REJECTED, "ca-role");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_certificate_is_taken_or_left_out_for_its_only_fault),
		cmocka_unit_test(sha1_is_no_fault_of_a_root_s_own_signature),
		cmocka_unit_test(a_root_that_was_altered_is_left_out),
		cmocka_unit_test(bytes_that_openssl_cannot_read_are_named_so),
		cmocka_unit_test(a_crl_is_known_as_one),
		cmocka_unit_test(what_is_too_large_is_not_taken),
		cmocka_unit_test(roles_are_three_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
