/* test_renewal_today.c - what has changed since a device enrolled: policy, templates, whom we believe. */
#include "tests/flow/cluster.h"
#include "tests/flow/knock.h"
#include "tests/flow/soft_renew.h"
#include "tests/flow/supervise.h"

#include "ca/base/file.h"

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLICY                                                                                     \
	"rules:\n"                                                                                 \
	"  - name: any\n"                                                                          \
	"    hosts: [{suffix: example.test}]\n"                                                    \
	"    templates: [ak]\n"

static struct world world;
static char *templates; /* a copy, to be changed */

static int make(void **state)
{
	AUTO(mem_free) char *source = world_source("templates");

	(void)state;
	templates = text("%s/templates", supervise_dir());
	MUST_RUN("/bin/cp", "-R", source, templates);
	world_make(&(struct world_plan){.policy = POLICY, .templates = templates}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	free(templates);
	return 0;
}

static const struct httpc_peer *peer(size_t i)
{
	return &world.services[i].peer;
}

/* A device of the maker that the services trust, enrolled under this name. */
static void enrolled(const char *host, struct soft_device *device)
{
	soft_device_enrolled(&world, host, device);
}

/* Runs SQL in which %s is the host's name. */
static void change(const char *sql, const char *host)
{
	free(sql_text(world.conninfo, sql, host));
}

static long audited(const char *event, const char *host)
{
	return sql_number(world.conninfo,
		"SELECT count(*) FROM audit WHERE event = '%s' AND host = '%s'", event, host);
}

static void restart(void)
{
	assert_int_equal(world_service_stop(&world, 0, SIGTERM), 0);
	world_service_start(&world, 0);
}

static void set_policy(const char *yaml)
{
	AUTO(mem_free) char *path = text("%s/policy.yaml", world.dir);

	write_file(path, 0644, view_str(yaml));
	restart();
}

static void a_renewal_is_judged_by_the_policy_of_today(void **state)
{
	static const struct {
		const char *yaml, *code;
	} lines[] = {
		{"rules: [{name: any, hosts: [{suffix: example.org}], templates: [ak]}]\n",
			"name-not-allowed"},
		{"rules: [{name: any, hosts: [{suffix: example.test}], templates: [tls-client]}]\n",
			"template-not-allowed"},
		{"rules: [{name: any, hosts: [{suffix: example.test}], templates: [ak], "
		 "ek_kinds: [p521]}]\n",
			"ek-kind-not-allowed"},
		{"rules: [{name: any, hosts: [{suffix: example.test}], templates: [ak], "
		 "trust: [manufacturer]}]\n",
			"trust-not-allowed"},
		{"rules: [{name: any, hosts: [{suffix: example.test}], templates: [ak], "
		 "labels: [{name: site, value: fra}]}]\n",
			"label-not-allowed"},
	};
	AUTO(soft_device_free) struct soft_device device;

	(void)state;
	enrolled("web-13.example.test", &device);
	for (size_t i = 0; i < COUNT(lines); i++) {
		AUTO(soft_renewal_free) struct soft_renewal x;

		set_policy(lines[i].yaml);
		soft_renewal_init(&x, &device, world.name);
		soft_renew(&x, peer(0));
		assert_renewal(&x, 403, lines[i].code);
	}
	assert_int_equal(audited("renew.refused", "web-13.example.test"), COUNT(lines));
	set_policy(POLICY);
}

/* What is recorded was made from the template as it was, and is not returned. */
static void a_renewal_is_by_the_template_of_today(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_renewal_free) struct soft_renewal before, after;
	AUTO(mem_free) char *path = text("%s/ak.yaml", templates);
	AUTO(buf_free) struct buf yaml = BUF(1 << 16);
	char *version;

	(void)state;
	enrolled("web-16.example.test", &device);
	soft_renewal_init(&before, &device, world.name);
	soft_renew(&before, peer(0));
	assert_renewal(&before, 200, "");
	must(file_read(path, &yaml) == OK, "%s", why()->sentence);
	version = strstr(buf_text(&yaml), "\nversion: ");
	must(version != NULL, "%s has no version", path);
	version[strlen("\nversion: ")]++;
	write_file(path, 0644, buf_view(&yaml));
	restart();
	soft_renewal_init(&after, &device, world.name);
	soft_renew(&after, peer(0));
	assert_renewal(&after, 200, "");
	assert_false(
		view_equal(before.answer->certificates[0].der, after.answer->certificates[0].der));
	assert_int_equal(audited("renew.returned", "web-16.example.test"), 1);
	assert_int_equal(audited("renew.issued", "web-16.example.test"), 1);
}

/* Admins see both kinds of refusals, in one order. */
static void admins_are_told_of_renewals_that_were_refused(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_renewal_free) struct soft_renewal x;
	AUTO(mem_free) char *log = NULL;

	(void)state;
	enrolled("web-17.example.test", &device);
	change("UPDATE ak SET state = 'superseded' WHERE device_id ="
	       " (SELECT device_id FROM host WHERE name = '%s')",
		"web-17.example.test");
	soft_renewal_init(&x, &device, world.name);
	soft_renew(&x, peer(0));
	assert_renewal(&x, 403, "ak-superseded");
	httpc_get(&world.services[0].admin, "/v1/admin/attempts?host=web-17.example.test", &answer);
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(buf_text(&answer.body), "\"reason\":\"ak-superseded\""));
	log = world_log(&world, 0);
	assert_non_null(strstr(log, "renew.refused host=web-17.example.test"));
	assert_non_null(strstr(log, "renew.ticket.challenged"));
}

/* A rule that holds strangers holds no renewal: it is not the EK that asks. */
static void an_ek_whose_root_is_gone_renews_nothing(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_renewal_free) struct soft_renewal refused, not_held, x;
	AUTO(mem_free) char *nobody_dir = text("%s/nobody", world.dir);
	AUTO(mem_free) char *roots = text("%s/roots", world.maker.dir);
	AUTO(mem_free) char *away = text("%s/roots.away", world.maker.dir);
	AUTO(mem_free) char *other = text("%s/roots", nobody_dir);
	struct maker nobody;

	(void)state;
	enrolled("web-14.example.test", &device);
	maker_init(&nobody, nobody_dir, "Nobody");
	must(rename(roots, away) == 0 && rename(other, roots) == 0, "cannot rename %s", roots);
	restart();
	soft_renewal_init(&refused, &device, world.name);
	soft_renew(&refused, peer(0));
	assert_renewal(&refused, 422, "ek-untrusted");
	set_policy("rules: [{name: any, hosts: [{suffix: example.test}], templates: [ak], "
		   "trust: [operator-import, approved], unknown_ek: hold}]\n");
	soft_renewal_init(&not_held, &device, world.name);
	soft_renew(&not_held, peer(0));
	assert_renewal(&not_held, 422, "ek-untrusted");
	assert_int_equal(world_rows(&world, "pending"), 0);
	assert_int_equal(audited("renew.refused", "web-14.example.test"), 2);
	must(rename(roots, other) == 0 && rename(away, roots) == 0, "cannot rename %s", roots);
	set_policy(POLICY);
	soft_renewal_init(&x, &device, world.name);
	soft_renew(&x, peer(0));
	assert_renewal(&x, 200, "");
	maker_free(&nobody);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_renewal_is_judged_by_the_policy_of_today),
		cmocka_unit_test(a_renewal_is_by_the_template_of_today),
		cmocka_unit_test(admins_are_told_of_renewals_that_were_refused),
		cmocka_unit_test(an_ek_whose_root_is_gone_renews_nothing),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
