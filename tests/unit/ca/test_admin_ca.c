#include "ca/admin_ca.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <openssl/x509v3.h>

#define NOW INT64_C(1800000000)

/* A certificate in the making; extensions as openssl.cnf has them, NULL leaves one out. */
struct recipe {
	const char *names[3]; /* common names */
	int name_bytes; /* of the first one; 0: up to its NUL */
	int64_t from, until;
	const char *constraints, *key_usage, *usages;
	const char *critical; /* a critical extension that nobody knows, as DER:... */
	const EVP_MD *digest; /* NULL: SHA-256 */
};

static const struct recipe good = {.names = {"alice"},
	.from = NOW - DAY,
	.until = NOW + DAY,
	.constraints = "critical,CA:FALSE",
	.key_usage = "critical,digitalSignature",
	.usages = "clientAuth"};
static const struct recipe good_ca = {.names = {"Endorse Admin CA"},
	.from = NOW - DAY,
	.until = NOW + DAY,
	.constraints = "critical,CA:TRUE,pathlen:0",
	.key_usage = "critical,keyCertSign,digitalSignature",
	.usages = "clientAuth"};

struct signed_by {
	X509 *cert;
	EVP_PKEY *key;
};

static void signed_free(struct signed_by *signed_by)
{
	X509_free(signed_by->cert);
	EVP_PKEY_free(signed_by->key);
}

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	if (value == NULL)
		return;
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(1, X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
}

static void add_critical(X509 *cert)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *oid = OBJ_txt2obj("1.2.3.4.5", 1);
	X509_EXTENSION *extension;

	ASN1_OCTET_STRING_set(value, (const uint8_t *)"\x05", 2);
	extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);
	assert_int_equal(1, X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
}

/* By `by`, or by itself where that is NULL. */
static struct signed_by make(const struct recipe *recipe, const struct signed_by *by)
{
	struct signed_by made = {X509_new(), EVP_EC_gen("P-256")};
	X509 *issuer = by == NULL ? made.cert : by->cert;

	assert_true(made.cert != NULL && made.key != NULL);
	X509_set_version(made.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made.cert), 7);
	for (size_t i = 0; recipe->names[i] != NULL; i++)
		X509_NAME_add_entry_by_txt(X509_get_subject_name(made.cert), "CN", MBSTRING_UTF8,
			(const uint8_t *)recipe->names[i],
			i == 0 && recipe->name_bytes > 0 ? recipe->name_bytes : -1, -1, 0);
	X509_set_issuer_name(made.cert, X509_get_subject_name(issuer));
	X509_set_pubkey(made.cert, made.key);
	ASN1_TIME_set(X509_getm_notBefore(made.cert), (time_t)recipe->from);
	ASN1_TIME_set(X509_getm_notAfter(made.cert), (time_t)recipe->until);
	extend(made.cert, issuer, NID_subject_key_identifier, "hash");
	extend(made.cert, issuer, NID_basic_constraints, recipe->constraints);
	extend(made.cert, issuer, NID_key_usage, recipe->key_usage);
	extend(made.cert, issuer, NID_ext_key_usage, recipe->usages);
	if (recipe->critical != NULL)
		add_critical(made.cert);
	assert_true(X509_sign(made.cert, by == NULL ? made.key : by->key,
			    recipe->digest == NULL ? EVP_sha256() : recipe->digest) > 0);
	return made;
}

struct world {
	char *dir, *path;
	struct signed_by ca;
	struct admin_ca *admin;
};

static void load(struct world *world, X509 *const *certs, size_t n)
{
	AUTO(buf_free) struct buf pem = BUF(1 << 16);

	for (size_t i = 0; i < n; i++)
		assert_ok(cert_pem_add(certs[i], &pem));
	assert_ok(file_replace(world->path, 0644, buf_view(&pem)));
	admin_ca_free(&world->admin);
	assert_ok(admin_ca_load(world->path, &world->admin));
}

static void world_make(struct world *out)
{
	*out = (struct world){.dir = scratch_make(), .ca = make(&good_ca, NULL)};
	out->path = path_join(out->dir, "admin-ca.pem");
	load(out, &out->ca.cert, 1);
}

static void world_free(struct world *world)
{
	admin_ca_free(&world->admin);
	signed_free(&world->ca);
	free(world->path);
	scratch_remove(&world->dir);
}

static enum err judge(const struct world *world, const X509 *cert, struct operator_certificate *out)
{
	AUTO(buf_free) struct buf der = BUF(8192);

	assert_ok(cert_der_add(cert, &der));
	return admin_ca_judge(world->admin, buf_view(&der), NOW, out);
}

static void an_operator_s_certificate_tells_who_he_is(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(signed_free) struct signed_by alice = {NULL, NULL};
	AUTO(buf_free) struct buf der = BUF(8192);
	struct operator_certificate is;
	uint8_t digest[SHA256_SIZE];

	(void)state;
	world_make(&world);
	alice = make(&good, &world.ca);
	assert_ok(judge(&world, alice.cert, &is));
	assert_string_equal("alice", is.name);
	assert_int_equal(NOW + DAY, is.not_after);
	assert_ok(cert_der_add(alice.cert, &der));
	assert_ok(SHA256_OF(digest, buf_view(&der)));
	assert_memory_equal(digest, is.sha256, SHA256_SIZE);
}

/* Each differs from a good one in this one thing. */
static const struct {
	const char *is;
	struct recipe recipe;
	const char *code;
} rows[] = {
#define ALICE .names = {"alice"}, .from = NOW - DAY, .until = NOW + DAY
#define LEAF .constraints = "critical,CA:FALSE", .key_usage = "critical,digitalSignature"
	{"has expired",
		{.names = {"alice"},
			.from = NOW - 2 * DAY,
			.until = NOW - 1,
			LEAF,
			.usages = "clientAuth"},
		"operator-certificate-expired"},
	{"is not valid yet",
		{.names = {"alice"},
			.from = NOW + 1,
			.until = NOW + DAY,
			LEAF,
			.usages = "clientAuth"},
		"operator-certificate-expired"},
	{"is a CA's",
		{ALICE, .constraints = "critical,CA:TRUE", .key_usage = "digitalSignature",
			.usages = "clientAuth"},
		"not-an-operator"},
	{"signs certificates",
		{ALICE, .constraints = NULL, .key_usage = "digitalSignature,keyCertSign",
			.usages = "clientAuth"},
		"not-an-operator"},
	{"is for servers", {ALICE, LEAF, .usages = "serverAuth"}, "not-an-operator"},
	{"is for nothing that is said", {ALICE, LEAF, .usages = NULL}, "not-an-operator"},
	{"is for anything", {ALICE, LEAF, .usages = "anyExtendedKeyUsage"}, "not-an-operator"},
	{"has a key that does not sign",
		{ALICE, .constraints = "critical,CA:FALSE", .key_usage = "keyEncipherment",
			.usages = "clientAuth"},
		"not-an-operator"},
	{"has something critical that nobody knows",
		{ALICE, LEAF, .usages = "clientAuth", .critical = "x"}, "not-an-operator"},
	{"is signed with SHA-1", {ALICE, LEAF, .usages = "clientAuth", .digest = NULL},
		"not-an-operator"},
	{"has no common name",
		{.names = {NULL},
			.from = NOW - DAY,
			.until = NOW + DAY,
			LEAF,
			.usages = "clientAuth"},
		"not-an-operator"},
	{"has two",
		{.names = {"alice", "root"},
			.from = NOW - DAY,
			.until = NOW + DAY,
			LEAF,
			.usages = "clientAuth"},
		"not-an-operator"},
	{"has a blank in it",
		{.names = {"alice b"},
			.from = NOW - DAY,
			.until = NOW + DAY,
			LEAF,
			.usages = "clientAuth"},
		"not-an-operator"},
	{"begins with a dot",
		{.names = {".alice"},
			.from = NOW - DAY,
			.until = NOW + DAY,
			LEAF,
			.usages = "clientAuth"},
		"not-an-operator"},
	{"has a NUL in it",
		{.names = {"alice\0bob"},
			.name_bytes = 9,
			.from = NOW - DAY,
			.until = NOW + DAY,
			LEAF,
			.usages = "clientAuth"},
		"not-an-operator"},
	{"has a letter of another alphabet",
		{.names = {"\xd0\xb0lice"},
			.from = NOW - DAY,
			.until = NOW + DAY,
			LEAF,
			.usages = "clientAuth"},
		"not-an-operator"},
};

static void each_fault_alone_keeps_its_holder_out(void **state)
{
	AUTO(world_free) struct world world;

	(void)state;
	world_make(&world);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct recipe recipe = rows[i].recipe;
		AUTO(signed_free) struct signed_by one = {NULL, NULL};
		struct operator_certificate is;

		if (strstr(rows[i].is, "SHA-1") != NULL)
			recipe.digest = EVP_sha1();
		one = make(&recipe, &world.ca);
		assert_refused_in(
			rows[i].is, judge(&world, one.cert, &is), ERR_DENIED, rows[i].code);
	}
}

static void who_signed_it_is_an_admin_ca_and_nobody_below_or_beside_it(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(signed_free) struct signed_by beside = make(&good_ca, NULL), below = {NULL, NULL};
	AUTO(signed_free) struct signed_by one = make(&good, &beside), two = {NULL, NULL};
	AUTO(signed_free) struct signed_by self = make(&good, NULL);
	struct recipe middle = good_ca;
	struct operator_certificate is;

	(void)state;
	world_make(&world);
	/* Of the same name, and with another key. */
	assert_refused(judge(&world, one.cert, &is), ERR_DENIED, "not-an-operator");
	middle.names[0] = "Middle";
	below = make(&middle, &world.ca);
	two = make(&good, &below);
	assert_refused(judge(&world, two.cert, &is), ERR_DENIED, "not-an-operator");
	assert_refused(judge(&world, self.cert, &is), ERR_DENIED, "not-an-operator");
	assert_refused(judge(&world, world.ca.cert, &is), ERR_DENIED, "not-an-operator");
}

static void an_admin_ca_that_has_ended_lets_nobody_in(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(signed_free) struct signed_by ca = {NULL, NULL}, alice = {NULL, NULL};
	struct recipe late = good_ca;
	struct operator_certificate is;

	(void)state;
	world_make(&world);
	late.until = NOW - 1;
	ca = make(&late, NULL);
	load(&world, &ca.cert, 1);
	alice = make(&good, &ca);
	assert_refused(judge(&world, alice.cert, &is), ERR_DENIED, "not-an-operator");
}

static void a_certificate_that_was_altered_is_nobody_s(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(signed_free) struct signed_by alice = {NULL, NULL};
	AUTO(buf_free) struct buf der = BUF(8192);
	struct operator_certificate is;

	(void)state;
	world_make(&world);
	alice = make(&good, &world.ca);
	assert_ok(cert_der_add(alice.cert, &der));
	for (size_t i = 0; i < der.n; i++) {
		der.p[i] ^= 1;
		assert_true(admin_ca_judge(world.admin, buf_view(&der), NOW, &is) != OK);
		der.p[i] ^= 1;
	}
	for (size_t n = 0; n < der.n; n += 7)
		assert_refused(admin_ca_judge(world.admin, (struct view){der.p, n}, NOW, &is),
			ERR_DENIED, "not-an-operator");
	assert_ok(admin_ca_judge(world.admin, buf_view(&der), NOW, &is));
	buf_u8(&der, 0);
	assert_refused(admin_ca_judge(world.admin, buf_view(&der), NOW, &is), ERR_DENIED,
		"not-an-operator");
}

static void while_an_admin_ca_is_replaced_there_are_two(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(admin_ca_free) struct admin_ca *alone = NULL;
	AUTO(signed_free) struct signed_by next = {NULL, NULL}, a = {NULL, NULL}, b = {NULL, NULL};
	struct recipe other = good_ca;
	struct operator_certificate is;

	(void)state;
	world_make(&world);
	assert_ok(admin_ca_load(world.path, &alone));
	assert_true(admin_ca_equal(world.admin, alone));
	other.names[0] = "The next one";
	next = make(&other, NULL);
	load(&world, (X509 *[]){world.ca.cert, next.cert}, 2);
	a = make(&good, &world.ca);
	b = make(&good, &next);
	assert_ok(judge(&world, a.cert, &is));
	assert_ok(judge(&world, b.cert, &is));
	assert_false(admin_ca_equal(world.admin, alone));
	assert_false(admin_ca_equal(NULL, alone));
	assert_true(admin_ca_equal(NULL, NULL));
}

static void what_is_no_ca_is_no_admin_ca(void **state)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(mem_free) char *path = path_join(dir, "ca.pem");
	AUTO(signed_free) struct signed_by alice = make(&good, NULL);
	AUTO(buf_free) struct buf pem = BUF(8192);
	AUTO(admin_ca_free) struct admin_ca *ca = NULL;

	(void)state;
	assert_refused(admin_ca_load(path, &ca), ERR_NOT_FOUND, "file-missing");
	assert_ok(file_replace(path, 0644, view_str("nothing\n")));
	assert_refused(admin_ca_load(path, &ca), ERR_INTERNAL, "admin-ca");
	assert_ok(cert_pem_add(alice.cert, &pem));
	assert_ok(file_replace(path, 0644, buf_view(&pem)));
	assert_refused(admin_ca_load(path, &ca), ERR_INTERNAL, "admin-ca");
	assert_null(ca);
}

static void a_name_is_a_letter_or_digit_and_what_may_follow(void **state)
{
	static const char *const yes[] = {"a", "0", "alice.b@example.org", "a_b-c",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	static const char *const no[] = {"", ".", "-a", "@a", "a b", "a:b", "a/b", "a\n",
		"\xc3\xa4", "a\"",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	(void)state;
	for (size_t i = 0; i < COUNT(yes); i++)
		assert_true(operator_name_is(yes[i]));
	for (size_t i = 0; i < COUNT(no); i++)
		assert_false(operator_name_is(no[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_operator_s_certificate_tells_who_he_is),
		cmocka_unit_test(each_fault_alone_keeps_its_holder_out),
		cmocka_unit_test(who_signed_it_is_an_admin_ca_and_nobody_below_or_beside_it),
		cmocka_unit_test(an_admin_ca_that_has_ended_lets_nobody_in),
		cmocka_unit_test(a_certificate_that_was_altered_is_nobody_s),
		cmocka_unit_test(while_an_admin_ca_is_replaced_there_are_two),
		cmocka_unit_test(what_is_no_ca_is_no_admin_ca),
		cmocka_unit_test(a_name_is_a_letter_or_digit_and_what_may_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
