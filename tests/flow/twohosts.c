#include "tests/flow/twohosts.h"

#include "tests/flow/agent.h"
#include "tests/flow/supervise.h"

static const char policy[] = "rules:\n"
			     "  - name: any\n"
			     "    hosts: [{suffix: example.test}]\n"
			     "    templates: [ak, ssh-host, ssh-job]\n";

static const char ssh_job[] = "name: ssh-job\nversion: 1\nkind: ssh-user\nkey: any\nlifetime: 1d\n"
			      "ssh:\n  principals: [\"${host}\"]\n  key_id: \"${device.id}\"\n";

struct two_hosts two;

char *two_hosts_file(const char *name)
{
	return text("%s/%s", two.world.dir, name);
}

static void make_templates(void)
{
	AUTO(mem_free) char *shipped = world_source("templates"), *job = NULL;

	two.templates = text("%s/templates", supervise_dir());
	job = text("%s/ssh-job.yaml", two.templates);
	MUST_RUN("cp", "-R", shipped, two.templates);
	write_file(job, 0644, view_str(ssh_job));
}

static void make_key(const char *path)
{
	MUST_RUN("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path);
}

void two_hosts_enroll(size_t chip, const char *name, const char *state, const char *template)
{
	AUTO(output_free) struct output output;

	ENDORSE(&output, NULL, "enroll", "--server", two.world.name, "--ca", two.world.roots,
		"--tcti", two.world.chips[chip].tcti, "--host", name, "--state", state, "--timeout",
		"20", "--template", template);
	must(output.code == 0, "%s", buf_text(&output.err));
}

int two_hosts_make(void **state)
{
	AUTO(mem_free) char *of_host = NULL, *of_user = NULL;

	(void)state;
	make_templates();
	world_make(&(struct world_plan){.chips = 2,
			   .services = 1,
			   .edge = true,
			   .policy = policy,
			   .templates = two.templates},
		&two.world);
	two.host = two_hosts_file("host");
	two.jobs = two_hosts_file("jobs");
	two.host_key = two_hosts_file("ssh_host_ed25519_key");
	two.host_cert = two_hosts_file("host/ssh-host-cert.pub");
	two.user_key = two_hosts_file("user");
	two.user_cert = two_hosts_file("user-cert.pub");
	two.known_hosts = two_hosts_file("known_hosts");
	two.principals = two_hosts_file("principals");
	two.krl = two_hosts_file("krl");
	make_key(two.host_key);
	make_key(two.user_key);
	write_file(two.principals, 0644, view_str(JOBS "\n"));
	of_host = text("ssh-host=%s.pub", two.host_key);
	of_user = text("ssh-job=%s.pub", two.user_key);
	two_hosts_enroll(0, HOST, two.host, of_host);
	two_hosts_enroll(1, JOBS, two.jobs, of_user);
	return 0;
}

int two_hosts_free(void **state)
{
	char **const made[] = {&two.templates, &two.host, &two.jobs, &two.host_key, &two.user_key,
		&two.user_cert, &two.host_cert, &two.known_hosts, &two.principals, &two.krl};

	(void)state;
	if (two.sshd.pid != 0)
		sshd_stop(&two.sshd);
	world_free(&two.world);
	for (size_t i = 0; i < COUNT(made); i++)
		mem_free(made[i]);
	return 0;
}

void two_hosts_visit(struct output *output)
{
	ssh_visit(&two.sshd,
		&(struct ssh_plan){.name = HOST,
			.known_hosts = two.known_hosts,
			.key = two.user_key,
			.certificate = two.user_cert,
			.revoked = two.krl},
		output);
}
