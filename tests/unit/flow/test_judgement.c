#include "enroll/flow/judgement.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/flow/device.h"
#include "tests/unit/tpm/area.h"

static enum err judge_bytes(const struct service *service, struct view bytes)
{
	AUTO(judgement_free) struct judgement judgement = {0};

	return claim_judge(service, bytes, NOW, &judgement);
}

static enum err judge(const struct service *service, const struct device *device)
{
	AUTO(buf_free) struct buf bytes = BUF(1 << 16);

	claim_bytes(device, &bytes);
	return judge_bytes(service, buf_view(&bytes));
}

static void nothing(struct device *device)
{
	(void)device;
}

static void other_service(struct device *device)
{
	device->claim.service = "https://other.example.org";
}

static void service_with_slash(struct device *device)
{
	device->claim.service = SERVICE "/";
}

static void service_in_capitals(struct device *device)
{
	device->claim.service = "HTTPS://CA.EXAMPLE.ORG";
}

static void address(struct device *device)
{
	device->claim.host = "10.0.0.1";
}

static void two_dots(struct device *device)
{
	device->claim.host = "a..b";
}

static void wildcard(struct device *device)
{
	device->claim.host = "*.x.y";
}

static void trailing_dot(struct device *device)
{
	device->claim.host = "x.y.";
}

static void one_label(struct device *device)
{
	device->claim.host = "localhost";
}

static void own_name(struct device *device)
{
	device->claim.host = "ca.example.org";
}

static void below_own_name(struct device *device)
{
	device->claim.host = "web.ca.example.org";
}

static void capitals(struct device *device)
{
	device->claim.host = "Web-01.example.org";
}

static void ak_for_another(struct device *device)
{
	area_tag(&device->ak, "https://other.example.org");
	device_refresh(device);
}

static void ak_untagged(struct device *device)
{
	device->ak.authPolicy.size = 0;
	device_refresh(device);
}

static void ak_external(struct device *device)
{
	device->ak.objectAttributes &= ~TPMA_OBJECT_FIXEDTPM;
	device_refresh(device);
}

static void no_certificate(struct device *device)
{
	device->claim.ek_certificate = (struct view){NULL, 0};
	device->claim.ek_public = buf_view(&device->ak_public);
}

static void unknown_root(struct device *device)
{
	AUTO(world_free) struct world other;

	world_make(&other);
	X509_free(device->world.leaf);
	device->world.leaf = other.leaf;
	X509_up_ref(other.leaf);
	device_refresh(device);
}

static void unknown_maker(struct device *device)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	const struct recipe root = recipe_root("Elsewhere", key);
	AUTO(x509_free) X509 *elsewhere = certificate_made(&root);
	const struct recipe leaf = recipe_ek(device->world.ek_key, elsewhere, key);

	world_leaf(&device->world, &leaf);
	device_refresh(device);
}

static void public_of_another(struct device *device)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);

	assert_ok(ek_public_build(ek_template_of(KEY_P256), key, &device->sent));
	device->claim.ek_public = buf_view(&device->sent);
}

static void chain_of_garbage(struct device *device)
{
	device->claim.ek_chain[0] = view_str("garbage");
	device->claim.ek_chain_n = 1;
}

static const struct {
	const char *name;
	void (*change)(struct device *device);
	enum err err;
	const char *code;
	const char *clause;
} rows[] = {
	{"base", nothing, OK, "", ""},
	{"below-own-name", below_own_name, OK, "", ""},
	{"service-other", other_service, ERR_DENIED, "wrong-service", "PROTOCOL claim"},
	{"service-slash", service_with_slash, ERR_DENIED, "wrong-service", "PROTOCOL claim"},
	{"service-capitals", service_in_capitals, ERR_DENIED, "wrong-service", "PROTOCOL claim"},
	{"name-address", address, ERR_MALFORMED, "host-name", "RFC 1123 2.1"},
	{"name-two-dots", two_dots, ERR_MALFORMED, "host-name", "RFC 1123 2.1"},
	{"name-wildcard", wildcard, ERR_MALFORMED, "host-name", "RFC 1123 2.1"},
	{"name-trailing-dot", trailing_dot, ERR_MALFORMED, "host-name", "RFC 1123 2.1"},
	{"name-one-label", one_label, ERR_MALFORMED, "host-name", "RFC 1123 2.1"},
	{"name-capitals", capitals, ERR_MALFORMED, "host-name", "RFC 1123 2.1"},
	{"name-own", own_name, ERR_MALFORMED, "host-name", "PROTOCOL hosts"},
	{"ak-tag-other", ak_for_another, ERR_REJECTED, "ak-not-for-this-service", "PROTOCOL tag"},
	{"ak-untagged", ak_untagged, ERR_REJECTED, "ak-not-for-this-service", "PROTOCOL tag"},
	{"ak-external", ak_external, ERR_REJECTED, "ak-attributes", "PROTOCOL keys"},
	{"ek-missing", no_certificate, ERR_REJECTED, "ek-certificate-missing", "PROTOCOL ek"},
	{"ek-unknown-maker", unknown_maker, ERR_REJECTED, "ek-untrusted", "RFC 5280 6.1"},
	{"ek-unknown-root", unknown_root, ERR_REJECTED, "ek-untrusted", "RFC 5280 4.2.1.1"},
	{"ek-public-other", public_of_another, ERR_REJECTED, "ek-mismatch", "PROTOCOL ek"},
	{"ek-chain", chain_of_garbage, ERR_REJECTED, "ek-chain", "PROTOCOL limits"},
};

static void one_fault_of_a_claim_gives_one_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(device_free) struct device device;
		AUTO(believer_free) struct believer believer;

		device_make(&device);
		believer_make(&device.world, SERVICE, &believer);
		assert_ok(judge(&believer.service, &device));
		rows[i].change(&device);
		assert_refused_in(
			rows[i].name, judge(&believer.service, &device), rows[i].err, rows[i].code);
		if (rows[i].err != OK && strcmp(why()->clause, rows[i].clause) != 0)
			fail_msg("%s: clause \"%s\"", rows[i].name, why()->clause);
	}
}

/* The name of the service in each form in which it can stand in its configuration. */
static void the_services_own_name_is_found_in_its_url(void **state)
{
	static const char *const services[] = {"https://ca.example.org", "https://ca.example.org/",
		"https://ca.example.org:8443/endorse", "https://CA.example.org", "ca.example.org"};

	(void)state;
	for (size_t i = 0; i < COUNT(services); i++) {
		AUTO(device_free) struct device device;
		AUTO(believer_free) struct believer believer;

		device_make(&device);
		believer_make(&device.world, services[i], &believer);
		device.claim.service = services[i];
		area_tag(&device.ak, services[i]);
		device_refresh(&device);
		assert_ok(judge(&believer.service, &device));
		own_name(&device);
		assert_refused(judge(&believer.service, &device), ERR_MALFORMED, "host-name");
	}
}

static void a_claim_that_cannot_be_read_is_malformed(void **state)
{
	AUTO(device_free) struct device device;
	AUTO(believer_free) struct believer believer;
	AUTO(buf_free) struct buf bytes = BUF(1 << 16);

	(void)state;
	device_make(&device);
	believer_make(&device.world, SERVICE, &believer);
	assert_refused(judge_bytes(&believer.service, view_str("{")), ERR_MALFORMED, "json");
	assert_refused(
		judge_bytes(&believer.service, view_str("{}")), ERR_MALFORMED, "json-key-missing");
	claim_bytes(&device, &bytes);
	bytes.n--;
	assert_refused(judge_bytes(&believer.service, buf_view(&bytes)), ERR_MALFORMED, "json");
}

static void a_judgement_holds_what_was_judged(void **state)
{
	AUTO(device_free) struct device device;
	AUTO(believer_free) struct believer believer;
	AUTO(buf_free) struct buf bytes = BUF(1 << 16);
	AUTO(judgement_free) struct judgement judgement = {0};
	uint8_t digest[32];

	(void)state;
	device_make(&device);
	believer_make(&device.world, SERVICE, &believer);
	claim_bytes(&device, &bytes);
	assert_ok(claim_judge(&believer.service, buf_view(&bytes), NOW, &judgement));
	assert_string_equal(HOST, judgement.claim->host);
	assert_view_equal(buf_view(&device.ak_public), ak_public(judgement.ak));
	assert_ok(spki_sha256(device.world.ek_key, digest));
	assert_memory_equal(digest, identity_ek_digest(judgement.identity), 32);
}

static void a_refused_claim_still_tells_its_host_to_the_log(void **state)
{
	AUTO(device_free) struct device device;
	AUTO(believer_free) struct believer believer;
	AUTO(buf_free) struct buf bytes = BUF(1 << 16);
	AUTO(judgement_free) struct judgement judgement = {0};

	(void)state;
	device_make(&device);
	believer_make(&device.world, SERVICE, &believer);
	other_service(&device);
	claim_bytes(&device, &bytes);
	assert_refused(claim_judge(&believer.service, buf_view(&bytes), NOW, &judgement),
		ERR_DENIED, "wrong-service");
	assert_non_null(judgement.claim);
	assert_string_equal(HOST, judgement.claim->host);
	assert_null(judgement.ak);
	assert_null(judgement.identity);
}

#define RULES                                                                                      \
	"rules:\n"                                                                                 \
	"  - name: strict\n"                                                                       \
	"    hosts: [{exact: strict.example.org}]\n"                                               \
	"    templates: [ak]\n"                                                                    \
	"  - name: lenient\n"                                                                      \
	"    hosts: [{glob: 'web-*.example.org'}]\n"                                               \
	"    templates: [ak]\n"                                                                    \
	"    trust: [manufacturer, operator-import, approved]\n"                                   \
	"    unknown_ek: hold\n"                                                                   \
	"    expired_ek: warn\n"                                                                   \
	"    untagged_aks: true\n"

static void expired(struct device *device)
{
	struct recipe leaf =
		recipe_ek(device->world.ek_key, device->world.ca, device->world.ca_key);

	leaf.from = NOW - 2 * YEAR;
	leaf.until = NOW - YEAR;
	world_leaf(&device->world, &leaf);
	device_refresh(device);
}

static void ek_alone(struct device *device)
{
	assert_ok(ek_public_build(ek_template_of(KEY_P256), device->world.ek_key, &device->sent));
	device->claim.ek_certificate = (struct view){NULL, 0};
	device->claim.ek_public = buf_view(&device->sent);
}

static void unknown_maker_and_ak_external(struct device *device)
{
	unknown_maker(device);
	ak_external(device);
}

/* A name gets by its rule what that one takes; without a name, what any rule takes but an AK without a tag. */
static void what_a_rule_takes_is_taken_for_its_names_alone(void **state)
{
	static const struct {
		const char *name;
		void (*change)(struct device *device);
		const char *host;
		const char *code; /* "": taken */
	} lines[] = {
		{"known", nothing, "strict.example.org", ""},
		{"known", nothing, NULL, ""},
		{"unknown", unknown_maker, "web-01.example.org", ""},
		{"unknown", unknown_maker, NULL, ""},
		{"unknown", unknown_maker, "strict.example.org", "ek-untrusted"},
		{"unknown", unknown_maker, "web-01.example.com", "ek-untrusted"},
		{"unknown, AK external", unknown_maker_and_ak_external, "web-01.example.org",
			"ak-attributes"},
		{"no certificate", ek_alone, "web-01.example.org", ""},
		{"no certificate", ek_alone, NULL, ""},
		{"no certificate", ek_alone, "strict.example.org", "ek-certificate-missing"},
		{"expired", expired, "web-01.example.org", ""},
		{"expired", expired, NULL, ""},
		{"expired", expired, "strict.example.org", "ek-expired"},
		{"untagged", ak_untagged, "web-01.example.org", ""},
		{"untagged", ak_untagged, NULL, "ak-not-for-this-service"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		AUTO(device_free) struct device device;
		AUTO(believer_free) struct believer believer;

		device_make(&device);
		believer_make(&device.world, SERVICE, &believer);
		believer_policy(&believer, RULES);
		lines[i].change(&device);
		device.claim.host = lines[i].host;
		assert_refused_in(lines[i].name, judge(&believer.service, &device),
			lines[i].code[0] == '\0' ? OK : ERR_REJECTED, lines[i].code);
	}
}

static void without_a_rule_that_takes_it_no_unknown_ek_gets_a_ticket_for_no_name(void **state)
{
	AUTO(device_free) struct device device;
	AUTO(believer_free) struct believer believer;

	(void)state;
	device_make(&device);
	believer_make(&device.world, SERVICE, &believer);
	unknown_maker(&device);
	device.claim.host = NULL;
	assert_refused(judge(&believer.service, &device), ERR_REJECTED, "ek-untrusted");
}

/* The name comes from the records later, and is judged like one that was sent. */
static void a_learned_name_is_judged_with_all_that_hangs_on_it(void **state)
{
	AUTO(device_free) struct device device;
	AUTO(believer_free) struct believer believer;
	AUTO(buf_free) struct buf bytes = BUF(1 << 16);
	AUTO(judgement_free) struct judgement judgement = {0};

	(void)state;
	device_make(&device);
	believer_make(&device.world, SERVICE, &believer);
	believer_policy(&believer, RULES);
	unknown_maker(&device);
	device.claim.host = NULL;
	claim_bytes(&device, &bytes);
	assert_ok(claim_judge(&believer.service, buf_view(&bytes), NOW, &judgement));
	assert_string_equal("", judgement.host);
	assert_ok(claim_judge_as(&believer.service, "web-01.example.org", NULL, NOW, &judgement));
	assert_string_equal("web-01.example.org", judgement.host);
	assert_int_equal(TRUST_UNPROVEN, identity_trust(judgement.identity)->class);
	assert_refused(
		claim_judge_as(&believer.service, "strict.example.org", NULL, NOW, &judgement),
		ERR_REJECTED, "ek-untrusted");
	assert_refused(claim_judge_as(&believer.service, "ca.example.org", NULL, NOW, &judgement),
		ERR_MALFORMED, "host-name");
	assert_refused(claim_judge_as(&believer.service, "a..b", NULL, NOW, &judgement),
		ERR_MALFORMED, "host-name");
}

#define LABELLED                                                                                   \
	"rules:\n"                                                                                 \
	"  - {name: lab, hosts: [{exact: web-01.example.org}], templates: [ak],\n"                 \
	"     labels: [{name: site, value: lab}], expired_ek: warn, untagged_aks: true}\n"         \
	"  - {name: rest, hosts: [{exact: web-01.example.org}], templates: [ak]}\n"

/* What was let pass while the labels were not known is refused when they are. */
static void labels_that_are_known_decide_by_which_rule_a_claim_is_judged(void **state)
{
	static const struct fact_label lab = {"site", "lab"};
	static const struct fact_labels in_lab = {&lab, 1}, outside = {NULL, 0};
	static const struct {
		void (*change)(struct device *device);
		const char *code;
	} lines[] = {{expired, "ek-expired"}, {ak_untagged, "ak-not-for-this-service"}};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		AUTO(device_free) struct device device;
		AUTO(believer_free) struct believer believer;
		AUTO(buf_free) struct buf bytes = BUF(1 << 16);
		AUTO(judgement_free) struct judgement judgement = {0};

		device_make(&device);
		believer_make(&device.world, SERVICE, &believer);
		believer_policy(&believer, LABELLED);
		lines[i].change(&device);
		claim_bytes(&device, &bytes);
		assert_ok(claim_judge(&believer.service, buf_view(&bytes), NOW, &judgement));
		assert_ok(claim_judge_as(
			&believer.service, "web-01.example.org", &in_lab, NOW, &judgement));
		assert_refused_in(lines[i].code,
			claim_judge_as(
				&believer.service, "web-01.example.org", &outside, NOW, &judgement),
			ERR_REJECTED, lines[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_fault_of_a_claim_gives_one_reason),
		cmocka_unit_test(the_services_own_name_is_found_in_its_url),
		cmocka_unit_test(a_claim_that_cannot_be_read_is_malformed),
		cmocka_unit_test(a_judgement_holds_what_was_judged),
		cmocka_unit_test(what_a_rule_takes_is_taken_for_its_names_alone),
		cmocka_unit_test(
			without_a_rule_that_takes_it_no_unknown_ek_gets_a_ticket_for_no_name),
		cmocka_unit_test(a_learned_name_is_judged_with_all_that_hangs_on_it),
		cmocka_unit_test(labels_that_are_known_decide_by_which_rule_a_claim_is_judged),
		cmocka_unit_test(a_refused_claim_still_tells_its_host_to_the_log),
	};

	setenv("TSS2_LOG", "all+none", 0); /* what tss2-mu says of bad bytes */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
