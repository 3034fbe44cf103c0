/* test_ca_published.c - what a service publishes of its CAs, and the CRLs as files. */
#include "ca/base/file.h"
#include "tests/flow/cluster.h"
#include "tests/flow/published.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct world world;
static struct soft_device device;
static struct soft_outcome enrolled;
static char *admin, *token_file; /* options of endorsectl */

static int make(void **state)
{
	struct soft_plan plan = {.ek = SOFT_L2, .ak = SOFT_P256, .host = "web-1.example.test"};

	(void)state;
	world_make(&(struct world_plan){.services = 1}, &world);
	plan.service = world.name;
	soft_device_make(&plan, &world.maker, &device);
	soft_enroll(&device, &world.services[0].peer, world.name, &enrolled);
	must(enrolled.status == 200, "%s: %s", enrolled.code, enrolled.detail);
	admin = text("http://127.0.0.1:%d", world.services[0].admin_port);
	token_file = text("%s/admin.token", world.dir);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	soft_outcome_free(&enrolled);
	soft_device_free(&device);
	free(admin);
	free(token_file);
	world_free(&world);
	return 0;
}

/* What is at the path, as a file of that name; for free(). */
static char *fetched(const char *path, const char *type, const char *name)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	AUTO(mem_free) char *is = NULL, *cache = NULL;
	char *file = text("%s/%s", world.dir, name);

	httpc_get(&world.services[0].peer, path, &answer);
	if (answer.status != 200)
		fail_msg("%s: %d %s", path, answer.status, buf_text(&answer.body));
	is = httpc_header(&answer, "Content-Type");
	cache = httpc_header(&answer, "Cache-Control");
	assert_string_equal(type, is);
	assert_string_equal("public, max-age=3600", cache);
	write_file(file, 0644, buf_view(&answer.body));
	return file;
}

static char *printed(const char *const *argv)
{
	AUTO(output_free) struct output output;

	process_run(&(struct program){.argv = argv}, &output);
	must(output.code == 0, "%s: %s", argv[0], buf_text(&output.err));
	return text("%s", buf_text(&output.out));
}

static char *contents(const char *path)
{
	AUTO(buf_free) struct buf bytes = BUF(1 << 20);

	must(file_read(path, &bytes) == OK, "%s", why()->sentence);
	return text("%s", buf_text(&bytes));
}

/* The last segment of the CRL's path has the short id. */
static char *short_path(const char *ending)
{
	AUTO(mem_free) char *crl = crl_path_of(buf_view(&enrolled.certificate));

	return text("/ca/%.16s%s", crl + strlen("/crl/"), ending);
}

static void the_issuing_cas_certificate_is_there_in_all_forms(void **state)
{
	AUTO(mem_free)
	char *cer = short_path(".cer"), *pem = short_path(".pem"),
	     *issuing = text("%s/issuing.pem", world.ca);
	AUTO(mem_free)
	char *der = fetched(cer, "application/pkix-cert", "ca.cer"),
	     *text_form = fetched(pem, "application/x-pem-file", "ca.pem"),
	     *chain = fetched("/ca/chain.pem", "application/x-pem-file", "chain.pem"),
	     *p7c = fetched("/ca/chain.p7c", "application/pkcs7-mime", "chain.p7c");
	AUTO(mem_free)
	char *ours = printed((const char *const[]){"openssl", "x509", "-in", issuing, NULL});
	AUTO(mem_free)
	char *as_der = printed(
		(const char *const[]){"openssl", "x509", "-inform", "DER", "-in", der, NULL});
	AUTO(mem_free) char *as_pem = contents(text_form), *as_chain = contents(chain);
	AUTO(mem_free)
	char *in_p7c = printed((const char *const[]){
		"openssl", "pkcs7", "-inform", "DER", "-in", p7c, "-print_certs", NULL});

	(void)state;
	assert_string_equal(ours, as_der);
	assert_string_equal(ours, as_pem);
	assert_int_equal(0, strncmp(as_chain, ours, strlen(ours)));
	assert_non_null(strstr(in_p7c, ours));
}

static void openssh_has_its_cas(void **state)
{
	static const char *const kinds[] = {"ssh-host-ca", "ssh-user-ca"};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		AUTO(mem_free)
		char *path = text("/ca/%s.pub", kinds[i]),
		     *local = text("%s/%s.pub", world.ca, kinds[i]);
		AUTO(mem_free) char *file = fetched(path, "text/plain", kinds[i]);
		AUTO(mem_free)
		char *is = printed((const char *const[]){"ssh-keygen", "-l", "-f", file, NULL});
		AUTO(mem_free)
		char *should =
			printed((const char *const[]){"ssh-keygen", "-l", "-f", local, NULL});

		/* "256 SHA256:" and 43 digits; the comments differ. */
		assert_int_equal(0, strncmp(is, should, 54));
	}
}

static void known_hosts_names_the_ca_for_the_services_domain(void **state)
{
	AUTO(mem_free) char *file = fetched("/ca/known_hosts", "text/plain", "known_hosts");
	AUTO(mem_free) char *line = contents(file), *found = NULL;

	(void)state;
	/* The name of this service is of no domain. */
	if (strncmp(line, "@cert-authority localhost ecdsa-sha2-nistp256 ", 46) != 0)
		fail_msg("%s", line);
	assert_string_equal("\n", strchr(line, '\n'));
	found = printed((const char *const[]){"ssh-keygen", "-F", "localhost", "-f", file, NULL});
	assert_non_null(strstr(found, "# Host localhost found: line 1 CA"));
}

static void what_there_is_not_is_said_so(void **state)
{
	static const char *const bad[] = {"/ca/root.crl", "/ca/0123456789abcdef.cer", "/ca/x",
		"/ca/x.y", "/ca/ssh-.pub", "/ca/chain.der"};
	AUTO(mem_free) char *other = short_path(".key");

	(void)state;
	for (size_t i = 0; i <= COUNT(bad); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer = {0};

		httpc_get(&world.services[0].peer, i < COUNT(bad) ? bad[i] : other, &answer);
		assert_int_equal(404, answer.status);
		assert_non_null(strstr(buf_text(&answer.body), "ca-unknown"));
	}
}

static char *exported(const char *dir)
{
	AUTO(output_free) struct output output;

	world_run(&world, &output, "endorsectl", "crl", "export", dir, "--admin", admin,
		"--token-file", token_file, NULL);
	must(output.code == 0, "%s", buf_text(&output.err));
	return text("%s", buf_text(&output.out));
}

static void crls_are_exported_where_they_are_newer(void **state)
{
	AUTO(mem_free)
	char *dir = text("%s/crls", world.dir),
	     *path = crl_path_of(buf_view(&enrolled.certificate));
	AUTO(mem_free) char *file = text("%s%s", dir, path + strlen("/crl"));
	AUTO(mem_free) char *once = NULL, *again = NULL, *later = NULL, *entries = NULL;

	(void)state;
	must(mkdir(dir, 0755) == 0, "%s", dir);
	once = exported(dir);
	if (strncmp(once, "1 CRL(s) in ", 12) != 0)
		fail_msg("%s", once);
	assert_non_null(strstr(once, ", 1 of them new\n"));
	again = exported(dir);
	assert_non_null(strstr(again, ", 0 of them new\n"));
	free(sql_text(world.conninfo, "UPDATE certificate SET revoked_at = now(),"
				      " revocation_reason = 'superseded'"));
	crl_wait(&world.services[0].peer, buf_view(&enrolled.certificate), true);
	later = exported(dir);
	assert_non_null(strstr(later, ", 1 of them new\n"));
	entries = printed((const char *const[]){
		"openssl", "crl", "-inform", "DER", "-noout", "-text", "-in", file, NULL});
	assert_non_null(strstr(entries, "Superseded"));
}

static void a_crl_is_asked_for_by_what_it_is(void **state)
{
	static const char *const bad[] = {
		"/v1/admin/crl", "/v1/admin/crl?issuer=00&shard=0", "/v1/admin/crls?after=x"};
	AUTO(httpc_answer_free) struct httpc_answer none = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer = {0};

		httpc_get(&world.services[0].admin, bad[i], &answer);
		assert_int_equal(400, answer.status);
		assert_non_null(strstr(buf_text(&answer.body), ":query-value\""));
	}
	httpc_get(&world.services[0].admin,
		"/v1/admin/crl?issuer="
		"0000000000000000000000000000000000000000000000000000000000000000&shard=0",
		&none);
	assert_int_equal(404, none.status);
	assert_non_null(strstr(buf_text(&none.body), "crl-unknown"));
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(the_issuing_cas_certificate_is_there_in_all_forms),
		cmocka_unit_test(openssh_has_its_cas),
		cmocka_unit_test(known_hosts_names_the_ca_for_the_services_domain),
		cmocka_unit_test(what_there_is_not_is_said_so),
		cmocka_unit_test(crls_are_exported_where_they_are_newer),
		cmocka_unit_test(a_crl_is_asked_for_by_what_it_is),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
