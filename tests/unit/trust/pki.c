#include "tests/unit/trust/pki.h"

#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/validity.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/tpm/scratch.h"

#include <openssl/x509v3.h>
#include <sys/stat.h>

static const struct attribute swtpm_names[] = {
	{"2.23.133.2.1", "id:00001014", 0},
	{"2.23.133.2.2", "swtpm", 0},
	{"2.23.133.2.3", "id:20191023", 0},
};

struct recipe recipe_root(const char *name, EVP_PKEY *key)
{
	return (struct recipe){.name = name,
		.key = key,
		.issuer_key = key,
		.from = NOW - YEAR,
		.until = NOW + 10 * YEAR,
		.constraints = "critical,CA:TRUE",
		.key_usage = "critical,keyCertSign,cRLSign"};
}

struct recipe recipe_ca(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
	struct recipe recipe = recipe_root(name, key);

	recipe.issuer = issuer;
	recipe.issuer_key = issuer_key;
	return recipe;
}

struct recipe recipe_ek(EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
	return (struct recipe){.key = key,
		.issuer = issuer,
		.issuer_key = issuer_key,
		.from = NOW - YEAR,
		.until = NOW + 10 * YEAR,
		.constraints = "critical,CA:FALSE",
		.key_usage = EVP_PKEY_is_a(key, "RSA") ? "critical,keyEncipherment"
						       : "critical,keyAgreement",
		.extended_key_usage = "2.23.133.8.1",
		.names = swtpm_names,
		.names_n = COUNT(swtpm_names)};
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	if (value == NULL)
		return;
	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(1, X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
}

static void add_names(X509 *certificate, const struct recipe *recipe)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	X509_NAME *directory = X509_NAME_new();

	for (size_t i = 0; i < recipe->names_n; i++) {
		const struct attribute *from = &recipe->names[i];
		ASN1_OBJECT *type = OBJ_txt2obj(from->oid, 1);

		assert_int_equal(
			1, X509_NAME_add_entry_by_OBJ(directory, type,
				   from->type == 0 ? V_ASN1_UTF8STRING : from->type,
				   (const uint8_t *)from->value, -1, -1, i == 0 ? 0 : recipe->set));
		ASN1_OBJECT_free(type);
	}
	GENERAL_NAME_set0_value(name, GEN_DIRNAME, directory);
	assert_true(sk_GENERAL_NAME_push(names, name) > 0);
	for (int i = 0; i < (recipe->names_times == 0 ? 1 : recipe->names_times); i++)
		assert_int_equal(1, X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 1,
					    X509V3_ADD_APPEND));
	GENERAL_NAMES_free(names);
}

static void set_issuer(X509 *certificate, const char *name)
{
	X509_NAME *issuer = X509_NAME_new();

	assert_int_equal(1, X509_NAME_add_entry_by_txt(
				    issuer, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0));
	assert_int_equal(1, X509_set_issuer_name(certificate, issuer));
	X509_NAME_free(issuer);
}

X509 *certificate_made(const struct recipe *recipe)
{
	X509 *certificate = X509_new();
	X509 *issuer = recipe->issuer == NULL ? certificate : recipe->issuer;

	assert_int_equal(1, X509_set_version(certificate, X509_VERSION_3));
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate),
		recipe->serial == 0 ? 0x1234567890abcdef : recipe->serial);
	assert_int_equal(1, X509_set_pubkey(certificate, recipe->key));
	if (recipe->name != NULL)
		assert_int_equal(
			1, X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
				   MBSTRING_UTF8, (const uint8_t *)recipe->name, -1, -1, 0));
	assert_int_equal(1, X509_set_issuer_name(certificate, X509_get_subject_name(issuer)));
	if (recipe->issuer_name != NULL)
		set_issuer(certificate, recipe->issuer_name);
	assert_ok(validity_set(certificate, recipe->from, recipe->until));
	add_extension(certificate, issuer, NID_subject_key_identifier,
		recipe->lacks_subject_id ? NULL : "hash");
	add_extension(certificate, issuer, NID_authority_key_identifier,
		recipe->lacks_authority_id ? NULL : "keyid:always");
	add_extension(certificate, issuer, NID_basic_constraints, recipe->constraints);
	add_extension(certificate, issuer, NID_key_usage, recipe->key_usage);
	add_extension(certificate, issuer, NID_ext_key_usage, recipe->extended_key_usage);
	if (recipe->names != NULL)
		add_names(certificate, recipe);
	assert_true(X509_sign(certificate, recipe->issuer_key,
			    recipe->digest == NULL ? EVP_sha256() : recipe->digest) > 0);
	return certificate;
}

void certificate_add(X509 *certificate, struct buf *out)
{
	AUTO(ossl_free) uint8_t *der = NULL;
	int n = i2d_X509(certificate, &der);

	assert_true(n > 0);
	buf_add(out, (struct view){der, (size_t)n});
	assert_ok(buf_ok(out));
}

X509 *world_add(STACK_OF(X509) *stack, const struct recipe *recipe)
{
	X509 *certificate = certificate_made(recipe);

	assert_true(sk_X509_push(stack, certificate) > 0);
	return certificate;
}

void stack_add(STACK_OF(X509) *stack, X509 *certificate)
{
	assert_int_equal(1, X509_up_ref(certificate));
	assert_true(sk_X509_push(stack, certificate) > 0);
}

void stack_empty(STACK_OF(X509) *stack)
{
	while (sk_X509_num(stack) > 0)
		X509_free(sk_X509_pop(stack));
}

void world_leaf(struct world *world, const struct recipe *recipe)
{
	X509 *leaf = certificate_made(recipe);

	X509_free(world->leaf);
	world->leaf = leaf;
}

/* The old certificate stays where it can be an issuer, at the end of nothing. */
static void replace_first(STACK_OF(X509) *stack, X509 **where, const struct recipe *recipe)
{
	X509 *made = certificate_made(recipe);

	X509_free(*where);
	*where = made;
	X509_up_ref(made);
	if (sk_X509_num(stack) > 0)
		X509_free(sk_X509_shift(stack));
	assert_true(sk_X509_unshift(stack, made) > 0);
}

void world_root(struct world *world, const struct recipe *recipe)
{
	replace_first(world->roots, &world->root, recipe);
}

void world_ca(struct world *world, const struct recipe *recipe)
{
	replace_first(world->hints, &world->ca, recipe);
}

void world_make(struct world *world)
{
	struct recipe recipe;

	*world = (struct world){.now = NOW,
		.root_key = key_pair(KEY_P256),
		.ca_key = key_pair(KEY_P256),
		.ek_key = key_pair(KEY_P256),
		.roots = sk_X509_new_null(),
		.hints = sk_X509_new_null(),
		.sent = sk_X509_new_null(),
		.crls = sk_X509_CRL_new_null()};
	recipe = recipe_root("Root", world->root_key);
	world_root(world, &recipe);
	recipe = recipe_ca("Intermediate", world->ca_key, world->root, world->root_key);
	world_ca(world, &recipe);
	recipe = recipe_ek(world->ek_key, world->ca, world->ca_key);
	world_leaf(world, &recipe);
}

void world_free(struct world *world)
{
	EVP_PKEY_free(world->root_key);
	EVP_PKEY_free(world->ca_key);
	EVP_PKEY_free(world->ek_key);
	X509_free(world->root);
	X509_free(world->ca);
	X509_free(world->leaf);
	sk_X509_pop_free(world->roots, X509_free);
	sk_X509_pop_free(world->hints, X509_free);
	sk_X509_pop_free(world->sent, X509_free);
	sk_X509_CRL_pop_free(world->crls, X509_CRL_free);
}

static void put_crls(const char *dir, STACK_OF(X509_CRL) *crls)
{
	for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
		AUTO(ossl_free) uint8_t *der = NULL;
		int n = i2d_X509_CRL(sk_X509_CRL_value(crls, i), &der);
		char name[16];

		assert_true(n > 0);
		snprintf(name, sizeof(name), "%d.crl", i);
		scratch_put(dir, name, (struct view){der, (size_t)n});
	}
}

struct trust *world_trust(const struct world *world)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(mem_free)
	char *roots = path_join(dir, "roots"), *hints = path_join(dir, "hints"),
	     *crls = path_join(dir, "crls");
	struct trust_source source = {.name = "unit",
		.class = TRUST_OPERATOR_IMPORT,
		.roots = roots,
		.intermediates = hints,
		.crls = crls,
		.manufacturers = world->manufacturers};
	struct trust *trust = NULL;

	assert_int_equal(0, mkdir(roots, 0700));
	assert_int_equal(0, mkdir(hints, 0700));
	assert_int_equal(0, mkdir(crls, 0700));
	scratch_pem(roots, "all.pem", world->roots);
	if (sk_X509_num(world->hints) > 0)
		scratch_pem(hints, "all.pem", world->hints);
	put_crls(crls, world->crls);
	assert_ok(trust_load(&source, 1, NULL, NULL, &trust));
	return trust;
}

enum err world_verify(const struct world *world, struct trust_verdict *verdict)
{
	AUTO(trust_free) struct trust *trust = world_trust(world);
	AUTO(buf_free) struct buf store = BUF(1 << 16);
	struct view sent[16];
	struct trust_question question = QUESTION(world->leaf);

	question.sent = sent;
	question.sent_n = world_sent(world, &store, sent);
	question.now = world->now;
	question.takes_expired = world->takes_expired;
	return trust_verify(trust, &question, verdict);
}

void world_check(const struct world_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO(world_free) struct world world;
		struct trust_verdict verdict;

		world_make(&world);
		rows[i].change(&world);
		assert_refused_in(
			rows[i].name, world_verify(&world, &verdict), rows[i].err, rows[i].code);
		if (rows[i].err != OK && strcmp(why()->clause, rows[i].clause) != 0)
			fail_msg("%s: clause \"%s\": %s", rows[i].name, why()->clause,
				why()->sentence);
	}
}

size_t world_sent(const struct world *world, struct buf *store, struct view out[static 16])
{
	size_t starts[17] = {0}, n = (size_t)sk_X509_num(world->sent);

	assert_in_range(n, 0, 16);
	for (size_t i = 0; i < n; i++) {
		certificate_add(sk_X509_value(world->sent, (int)i), store);
		starts[i + 1] = store->n;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = (struct view){store->p + starts[i], starts[i + 1] - starts[i]};
	return n;
}

void world_deep(struct world *world, int n)
{
	X509 *above = world->root;
	EVP_PKEY *key = world->root_key;
	struct recipe recipe;

	stack_empty(world->hints);
	for (int i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "CA %d", i);
		recipe = recipe_ca(name, world->ca_key, above, key);
		above = world_add(world->hints, &recipe);
		key = world->ca_key;
	}
	recipe = recipe_ek(world->ek_key, above, key);
	world_leaf(world, &recipe);
}
