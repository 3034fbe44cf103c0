/* test_tpm_model.c - what a TPM's maker, or who plays one, writes as its model: a certificate that states it states
 * exactly that, or there is none. */
#include "ca/base/cert.h"
#include "ca/base/ossl.h"
#include "tests/flow/cluster.h"
#include "tests/flow/knock.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXTENSION "1.3.6.1.4.1.32473.7" /* RFC 5612 */

static const char policy[] = "rules:\n"
			     "  - name: any\n"
			     "    hosts: [{suffix: example.test}]\n"
			     "    templates: [model, model-uri]\n";

/* An AK's certificate may have no subject, a platform-property certificate may. */
#define HEAD(name)                                                                                 \
	"name: " name "\nversion: 1\nkind: x509\nkey: ak\nlifetime: 30d\nbackdate: 5m\n"           \
	"key_usage: [digitalSignature]\n"                                                          \
	"extended_key_usage: "                                                                     \
	"[1.2.840.113556.1.8000.2554.11678.54212.13990.18118.39851.7049480.9573563.1.1]\n"         \
	"extended_key_usage_critical: true\n"

static const char model_template[] =
	HEAD("model") "subject: [{type: 2.5.4.11, value: \"${tpm.model}\"}]\n"
		      "subject_alt_name: {critical: false, names: [{dns_name: \"${host}\"}, "
		      "{directory_name: "
		      "[{type: 2.23.133.2.2, value: \"${tpm.model}\"}]}]}\n"
		      "extensions: [{oid: " EXTENSION
		      ", critical: false, type: utf8, value: \"${tpm.model}\"}]\n";

static const char uri_template[] = HEAD(
	"model-uri") "subject_alt_name: {critical: true, names: [{dns_name: \"${host}\"}, {uri: "
		     "\"urn:tpm:${tpm.model}\"}]}\n";

/* As long as an organizational unit may be (RFC 5280 A.1). */
#define SIXTY_FOUR "0123456789012345678901234567890123456789012345678901234567890123"

static struct world world;
static unsigned hosts;

static int make(void **state)
{
	char *dir = text("%s/templates", supervise_dir());
	AUTO(mem_free) char *model = text("%s/model.yaml", dir);
	AUTO(mem_free) char *uri = text("%s/model-uri.yaml", dir);

	(void)state;
	MUST_RUN("mkdir", dir);
	write_file(model, 0644, view_str(model_template));
	write_file(uri, 0644, view_str(uri_template));
	world_make(&(struct world_plan){.policy = policy, .templates = dir}, &world);
	free(dir);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

/* A device of the maker that is trusted, with this model and a name of its own. */
static void device_of(struct view model, struct soft_device *out)
{
	const struct ek_wish wish = {.model_bytes = model};
	char host[64];

	snprintf(host, sizeof(host), "web-%u.example.test", ++hosts);
	stranger_make(&world,
		&(struct stranger_plan){
			.maker = &world.maker, .host = host, .ek = SOFT_L2, .wish = &wish},
		out);
}

static void assert_is(const ASN1_STRING *value, struct view model)
{
	assert_int_equal(ASN1_STRING_length(value), model.n);
	assert_memory_equal(ASN1_STRING_get0_data(value), model.p, model.n);
}

static void assert_only(const X509_NAME *name, const char *oid, struct view model)
{
	char type[64];

	assert_int_equal(X509_NAME_entry_count(name), 1);
	OBJ_obj2txt(
		type, sizeof(type), X509_NAME_ENTRY_get_object(X509_NAME_get_entry(name, 0)), 1);
	assert_string_equal(type, oid);
	assert_is(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, 0)), model);
}

static void assert_alternative(X509 *certificate, const char *host, struct view model)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	const GENERAL_NAME *first, *second;

	assert_int_equal(sk_GENERAL_NAME_num(names), 2);
	first = sk_GENERAL_NAME_value(names, 0);
	second = sk_GENERAL_NAME_value(names, 1);
	assert_int_equal(first->type, GEN_DNS);
	assert_is(first->d.dNSName, view_str(host));
	assert_int_equal(second->type, GEN_DIRNAME);
	assert_only(second->d.directoryName, "2.23.133.2.2", model);
	GENERAL_NAMES_free(names);
}

static void assert_extension(X509 *certificate, struct view model)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(EXTENSION, 1);
	int at = X509_get_ext_by_OBJ(certificate, oid, -1);
	const ASN1_OCTET_STRING *data;
	const uint8_t *der;
	ASN1_UTF8STRING *value;

	assert_true(at >= 0);
	data = X509_EXTENSION_get_data(X509_get_ext(certificate, at));
	der = ASN1_STRING_get0_data(data);
	value = d2i_ASN1_UTF8STRING(NULL, &der, ASN1_STRING_length(data));
	assert_non_null(value);
	assert_ptr_equal(der, ASN1_STRING_get0_data(data) + ASN1_STRING_length(data));
	assert_is(value, model);
	ASN1_STRING_free(value);
	ASN1_OBJECT_free(oid);
}

static void a_model_is_stated_as_it_is_and_opens_nothing(void **state)
{
	static const char *const models[] = {"swtpm", "a,b", "a, DNS:evil.example.test",
		"DNS:evil.example.test,email:root@example.test", "swtpm/CN=evil.example.test",
		"swtpm+CN=evil", "critical,CA:TRUE", "@san", "${host}", "${label.rack}", "$",
		"%s%n%p", "ASN1:SEQUENCE:x", "\\", "\"; names: [{dns_name: evil}]", "# x",
		" blanks ", "<!--", "'; DROP TABLE host; --", "{\"\\u0000\"}", SIXTY_FOUR};
	int extensions = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(models); i++) {
		struct view model = view_str(models[i]);
		AUTO(soft_device_free) struct soft_device device;
		AUTO(knock_free) struct knock knock;
		AUTO(x509_free) X509 *certificate = NULL;

		device_of(model, &device);
		knock_init(&knock, &world, &device);
		knock.x.template = "model";
		if (knock_at(&knock) != 200)
			fail_msg("\"%s\": %s", models[i], knock.problem.detail);
		assert_string_equal(knock.x.answer->tpm_model, models[i]);
		certificate = cert_from_der(knock.x.answer->certificates[0].der);
		assert_non_null(certificate);
		assert_only(X509_get_subject_name(certificate), "2.5.4.11", model);
		assert_alternative(certificate, device.host, model);
		assert_extension(certificate, model);
		/* As many as the first has, whose model is harmless. */
		if (i == 0)
			extensions = X509_get_ext_count(certificate);
		assert_int_equal(X509_get_ext_count(certificate), extensions);
		assert_int_equal(X509_check_ca(certificate), 0);
	}
}

static void refused(struct view model, const char *template, int status, const char *code)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(knock_free) struct knock knock;

	device_of(model, &device);
	knock_init(&knock, &world, &device);
	knock.x.template = template;
	knock_at(&knock);
	if (knock.status != status || strcmp(knock.problem.code, code) != 0)
		fail_msg("%.*s: %d %s %s", (int)(model.n > 40 ? 40 : model.n), model.p,
			knock.status, knock.problem.code, knock.problem.detail);
	assert_int_equal(0, sql_number(world.conninfo,
				    "SELECT count(*) FROM host WHERE name = '%s'", device.host));
}

#define BYTES(literal) ((struct view){(const uint8_t *)(literal), sizeof(literal) - 1})

static void a_model_that_is_no_line_of_text_is_no_model(void **state)
{
	static uint8_t many[7000];
	const struct view models[] = {BYTES("a\nb"), BYTES("a\r\nX: y"), BYTES("a\0b"), BYTES("\0"),
		BYTES("swtpm\0, DNS:evil.example.test"), BYTES("\033[2J"), BYTES("a\177"),
		BYTES("\xc3\xa9"), BYTES("\xe2\x80\xae"), {many, 128}, {many, sizeof(many)}};

	(void)state;
	memset(many, 'm', sizeof(many));
	for (size_t i = 0; i < COUNT(models); i++)
		refused(models[i], "model", 422, "ek-san");
}

/* What the TPM may be called, and its place in the certificate does not take. */
static void a_model_that_does_not_fit_its_place_is_not_shortened(void **state)
{
	static uint8_t long_one[65];

	(void)state;
	memset(long_one, 'm', sizeof(long_one));
	refused(VIEW(long_one), "model", 422, "template-value");
	refused(BYTES("a/b?c#d"), "model-uri", 422, "template-value");
	refused(BYTES("a%2fb"), "model-uri", 422, "template-value");
	refused(BYTES("a,DNS:b"), "model-uri", 422, "template-value");
}

/* The status of a ticket for a model of so many bytes. */
static int ticket_for(size_t n, char *code, size_t code_size)
{
	const struct view model = {calloc(1, n), n};
	const struct ek_wish wish = {.model_bytes = model};
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_enrollment_free) struct soft_enrollment x;
	AUTO(buf_free) struct buf body = BUF(1 << 20);
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	struct problem problem = {0};

	memset((uint8_t *)(uintptr_t)model.p, 'm', n);
	device_of(BYTES("swtpm"), &device);
	buf_free(&device.ek_certificate);
	device.ek_certificate = BUF(1 << 18);
	maker_certify(&world.maker, device.ek.pkey, &wish, &device.ek_certificate);
	soft_enrollment_init(&x, &device);
	x.claim = BUF(1 << 19);
	must(soft_enrollment_begin(&x, world.name, &body) == OK, "%s", why()->sentence);
	httpc_post(&world.services[0].peer, "/v1/ticket", buf_view(&body), &answer);
	if (answer.body.n > 0 && problem_parse(buf_view(&answer.body), &problem) == OK)
		snprintf(code, code_size, "%s", problem.code);
	free((void *)(uintptr_t)model.p);
	return answer.status;
}

static void a_model_of_64_kilobytes_is_not_even_read(void **state)
{
	char code[64] = "";

	(void)state;
	assert_int_equal(ticket_for(12000, code, sizeof(code)), 400);
	assert_string_equal(code, "field-too-long");
	assert_int_equal(ticket_for(65536, code, sizeof(code)), 413);
	assert_string_equal(code, "body-too-large");
}

/* Nor does it write a line of the log of its own. */
static void the_log_has_one_line_for_one_event(void **state)
{
	AUTO(mem_free) char *log = world_log(&world, 0);

	(void)state;
	assert_null(strstr(log, "\nevil"));
	assert_null(strchr(log, '\033'));
	assert_null(strchr(log, '\r'));
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_model_is_stated_as_it_is_and_opens_nothing),
		cmocka_unit_test(a_model_that_is_no_line_of_text_is_no_model),
		cmocka_unit_test(a_model_that_does_not_fit_its_place_is_not_shortened),
		cmocka_unit_test(a_model_of_64_kilobytes_is_not_even_read),
		cmocka_unit_test(the_log_has_one_line_for_one_event),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
