/* test_ssh_host.c - hosts enroll, and sshd and ssh of OpenSSH take what the service gave them. */
#include "ca/base/file.h"
#include "tests/flow/agent.h"
#include "tests/flow/sshd.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST "web-01.example.test"
#define OTHER "web-02.example.test"
#define JOBS "jobs-01.example.test"

/* The copies that an operator makes: users with keys in files, hosts with keys in the TPM. */
static const char policy[] = "rules:\n"
			     "  - name: any\n"
			     "    hosts: [{suffix: example.test}, {exact: web.test}]\n"
			     "    templates: [ak, ssh-host, ssh-host-tpm, ssh-job]\n"
			     "    names_per_device: 100\n";

/* What is made once: `host` is where the sshd is, `jobs` who visits it, each with a chip of its own. */
static struct world world;
static char *templates, *host, *jobs, *host_key, *host_pub, *user_key, *user_pub, *user_cert;
static char *known_hosts, *principals;
static struct sshd sshd;

static char *in(const char *name)
{
	return text("%s/%s", world.dir, name);
}

/* A shipped template under another name, for keys of another class. */
static void make_template(const char *from, const char *name, const char *key)
{
	AUTO(mem_free) char *source = text("%s/%s.yaml", templates, from);
	AUTO(mem_free) char *copy = text("%s/%s.yaml", templates, name);
	AUTO(mem_free) char *rename = text("s/^name: .*/name: %s/; s/^key: .*/key: %s/", name, key);
	AUTO(output_free) struct output edited;

	process_run(&(struct program){.argv = (const char *const[]){"sed", rename, source, NULL}},
		&edited);
	must(edited.code == 0, "sed: %s", buf_text(&edited.err));
	write_file(copy, 0644, buf_view(&edited.out));
}

static void make_templates(void)
{
	AUTO(mem_free) char *shipped = world_source("templates");

	templates = text("%s/templates", supervise_dir());
	MUST_RUN("cp", "-R", shipped, templates);
	make_template("ssh-user", "ssh-job", "any");
	make_template("ssh-host", "ssh-host-tpm", "certified");
}

/* A file key of OpenSSH's. What its comment says is nobody's business. */
static void make_key(const char *path)
{
	MUST_RUN("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "root@" OTHER, "-f", path);
}

static int make(void **state)
{
	(void)state;
	make_templates();
	world_make(&(struct world_plan){.chips = 2,
			   .services = 1,
			   .edge = true,
			   .policy = policy,
			   .templates = templates},
		&world);
	host = in("host");
	jobs = in("jobs");
	host_key = in("ssh_host_ed25519_key");
	host_pub = in("ssh_host_ed25519_key.pub");
	user_key = in("user");
	user_pub = in("user.pub");
	user_cert = in("user-cert.pub");
	known_hosts = in("known_hosts");
	principals = in("principals");
	make_key(host_key);
	make_key(user_key);
	write_file(principals, 0644, view_str(JOBS "\n"));
	return 0;
}

static int unmake(void **state)
{
	char **const made[] = {&templates, &host, &jobs, &host_key, &host_pub, &user_key, &user_pub,
		&user_cert, &known_hosts, &principals};

	(void)state;
	if (sshd.pid != 0)
		sshd_stop(&sshd);
	world_free(&world);
	for (size_t i = 0; i < COUNT(made); i++)
		mem_free(made[i]);
	return 0;
}

static void enroll(struct output *output, size_t chip, const char *name, const char *state,
	const char *template)
{
	ENDORSE(output, NULL, "enroll", "--server", world.name, "--ca", world.roots, "--tcti",
		world.chips[chip].tcti, "--host", name, "--state", state, "--timeout", "20",
		"--template", template);
}

/* Lines of `endorse ssh-config`, as they are: what follows `start`, each with its end; for free(). */
static char *lines_after(const struct output *output, const char *start)
{
	AUTO(buf_free) struct buf found = BUF(16384);
	const char *line = buf_text(&output->out);

	for (; *line != '\0'; line += strcspn(line, "\n") + 1)
		if (strncmp(line, start, strlen(start)) == 0) {
			line += strlen(start);
			buf_fmt(&found, "%.*s\n", (int)strcspn(line, "\n"), line);
		}
	return text("%s", buf_text(&found));
}

static void visit(const char *name, const char *ahead, struct output *output)
{
	ssh_visit(&sshd,
		&(struct ssh_plan){.name = name,
			.known_hosts = known_hosts,
			.key = user_key,
			.certificate = user_cert,
			.ahead = ahead},
		output);
}

static void assert_inside(void)
{
	AUTO(output_free) struct output output;

	visit(HOST, NULL, &output);
	assert_code(&output, 0);
	assert_string_equal("inside\n", buf_text(&output.out));
}

/* It is not let in for one reason: ssh says it. */
static void assert_outside(const char *name, const char *ahead, const char *told)
{
	AUTO(output_free) struct output output;

	visit(name, ahead, &output);
	assert_code(&output, 255);
	assert_string_equal("", buf_text(&output.out));
	assert_tells(&output.err, told);
}

/* The service's answer to what ssh-keygen reads out of a certificate. */
static void assert_principal(const char *certificate, const char *name)
{
	AUTO(output_free) struct output output;
	AUTO(mem_free)
	char *wanted = text("Principals: \n                %s\n        Critical", name);

	process_run(&(struct program){.argv = (const char *const[]){"ssh-keygen", "-L", "-f",
					      certificate, NULL}},
		&output);
	assert_code(&output, 0);
	assert_tells(&output.out, wanted);
}

/* The whole way: nothing but what enroll and ssh-config give goes to sshd and into known_hosts. */
static void two_hosts_that_enrolled_know_each_other(void **state)
{
	AUTO(mem_free) char *ssh_host = text("ssh-host=%s", host_pub);
	AUTO(mem_free) char *ssh_job = text("ssh-job=%s", user_pub);
	AUTO(mem_free) char *known = NULL;
	AUTO(output_free) struct output first, second, config;

	(void)state;
	enroll(&first, 0, HOST, host, ssh_host);
	assert_code(&first, 0);
	enroll(&second, 1, JOBS, jobs, ssh_job);
	assert_code(&second, 0);
	assert_principal(user_cert, JOBS);
	ENDORSE(&config, NULL, "ssh-config", "--trust-users", "--state", host);
	assert_code(&config, 0);
	known = lines_after(&config, "# known_hosts: ");
	write_file(known_hosts, 0644, view_str(known));
	sshd_start(world.dir,
		&(struct sshd_plan){.lines = buf_text(&config.out), .principals = principals},
		&sshd);
	assert_inside();
}

static void another_name_is_not_on_the_certificate(void **state)
{
	(void)state;
	assert_outside(OTHER, NULL, "Certificate invalid: name is not a listed principal");
}

static void a_name_of_another_domain_is_not_the_ca_s(void **state)
{
	(void)state;
	assert_outside("web-01.example.com", NULL, "Host key verification failed.");
}

static void an_expired_certificate_is_refused(void **state)
{
	(void)state;
	assert_outside(HOST, "+31d", "Certificate invalid: expired");
}

/* Whom sshd does not expect: the same certificate, and a file that names another machine. */
static void a_machine_that_no_file_names_is_not_let_in(void **state)
{
	(void)state;
	write_file(principals, 0644, view_str(OTHER "\nroot\n"));
	assert_outside(HOST, NULL, "Permission denied (publickey)");
	must(wait_for_text(sshd.log, "does not contain an authorized principal", 1000), "%s",
		sshd.log);
	write_file(principals, 0644, view_str(JOBS "\n"));
	assert_inside();
}

static bool is_shown(void *arg)
{
	AUTO(mem_free) char *shown = sshd_certificate(&sshd);

	return shown[0] != '\0' && strncmp(arg, shown, strlen(shown)) == 0;
}

static void a_renewal_has_sshd_take_the_next_one(void **state)
{
	AUTO(mem_free) char *hook = text("ssh-host=kill -HUP %d", (int)sshd.pid);
	AUTO(mem_free) char *path = text("%s/ssh-host-cert.pub", host);
	AUTO(mem_free) char *before = content(path), *after = NULL;
	AUTO(output_free) struct output output;

	(void)state;
	assert_true(is_shown(before));
	world_age(&world);
	ENDORSE(&output, "+16d", "renew", "--force", "--exec", hook, "--state", host, "--tcti",
		world.chips[0].tcti, "--timeout", "20");
	assert_code(&output, 0);
	after = content(path);
	assert_string_not_equal(before, after);
	if (!wait_until(is_shown, after, 10000))
		fail_msg("sshd does not show the new certificate: see %s", sshd.log);
	assert_inside();
}

/* Names are what the service bound to a TPM; the request says which of its own a device means, and no principal. */
static void a_device_gets_no_name_but_its_own(void **state)
{
	AUTO(mem_free) char *other = in("other"), *third = in("third"), *key = in("third_key");
	AUTO(mem_free) char *pub = text("%s.pub", key), *cert = text("%s-cert.pub", key);
	AUTO(mem_free) char *certified = text("ssh-job=%s", user_cert);
	AUTO(mem_free) char *job = text("ssh-job=%s", pub);
	AUTO(output_free) struct output taken, forged, own;

	(void)state;
	make_key(key);
	/* A name of another machine's. */
	enroll(&taken, 1, HOST, other, job);
	assert_code(&taken, 5);
	assert_tells(&taken.err, "host-bound-to-another-device");
	assert_int_equal(-1, access(cert, F_OK));
	/* A certificate is no key: what it says of principals is not asked for with it. */
	enroll(&forged, 1, JOBS, other, certified);
	assert_int_not_equal(0, forged.code);
	/* Another of its own: that alone. */
	enroll(&own, 1, OTHER, third, job);
	assert_code(&own, 0);
	assert_principal(cert, OTHER);
}

/* A line that it cannot use would keep sshd from starting, and everybody out. */
static void sshd_is_told_of_no_key_that_it_cannot_use(void **state)
{
	AUTO(mem_free) char *dir = in("in-tpm"), *pem = in("third_key.pem"), *from = NULL;
	AUTO(mem_free) char *of_file = text("ssh-host=%s", pem), *other = in("in-pem");
	const char *const templates_of[] = {"ssh-host-tpm=tpm", of_file}, *const dirs[] = {
										  dir, other};

	(void)state;
	MUST_RUN("openssl", "genpkey", "-algorithm", "ed25519", "-out", pem);
	from = text("%s.public", pem);
	MUST_RUN("openssl", "pkey", "-in", pem, "-pubout", "-out", from);
	MUST_RUN("mv", from, pem);
	for (size_t i = 0; i < COUNT(dirs); i++) {
		AUTO(output_free) struct output output, config;

		enroll(&output, 0, HOST, dirs[i], templates_of[i]);
		assert_code(&output, 0);
		ENDORSE(&config, NULL, "ssh-config", "--state", dirs[i]);
		assert_code(&config, 0);
		assert_tells(&config.out, "\n# HostCertificate ");
		assert_int_equal(lines_of(&config, "#"), lines_of(&config, ""));
	}
}

/* "*.test" would be everybody's of a top-level domain. */
static void a_host_of_no_domain_speaks_for_itself_alone(void **state)
{
	AUTO(mem_free) char *dir = in("alone"), *pub = in("alone_key.pub");
	AUTO(mem_free) char *key = in("alone_key"), *template = text("ssh-host=%s", pub);
	AUTO(output_free) struct output output, config;

	(void)state;
	make_key(key);
	enroll(&output, 0, "web.test", dir, template);
	assert_code(&output, 0);
	ENDORSE(&config, NULL, "ssh-config", "--state", dir);
	assert_tells(&config.out, "\n# known_hosts: @cert-authority web.test ecdsa-sha2-nistp256 ");
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(two_hosts_that_enrolled_know_each_other),
		cmocka_unit_test(another_name_is_not_on_the_certificate),
		cmocka_unit_test(a_name_of_another_domain_is_not_the_ca_s),
		cmocka_unit_test(an_expired_certificate_is_refused),
		cmocka_unit_test(a_machine_that_no_file_names_is_not_let_in),
		cmocka_unit_test(a_renewal_has_sshd_take_the_next_one),
		cmocka_unit_test(a_device_gets_no_name_but_its_own),
		cmocka_unit_test(sshd_is_told_of_no_key_that_it_cannot_use),
		cmocka_unit_test(a_host_of_no_domain_speaks_for_itself_alone),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
