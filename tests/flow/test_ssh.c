/* test_ssh.c - certificates of ours, as sshd and ssh of OpenSSH take them or refuse them. */
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/hierarchy.h"
#include "ca/signer/client.h"
#include "ca/ssh.h"
#include "ca/sshkey.h"
#include "tests/flow/process.h"
#include "tests/flow/sshd.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HOST "web-01.example.test"
#define JOBS "jobs-01.example.test"

/* A copy of the shipped templates, and two of users that OpenSSH is to hold to their options. */
static const char limited[] = "name: %s\nversion: 1\nkind: ssh-user\nkey: any\nlifetime: 1d\n"
			      "ssh:\n  principals: [\"${label.login}\"]\n  critical_options:\n"
			      "    - {name: %s, value: \"%s\"}\n";

static void make_templates(const char *dir)
{
	static const char *const rows[][3] = {{"only-uptime", "force-command", "echo forced"},
		{"from-elsewhere", "source-address", "192.0.2.0/24"},
		{"from-here", "source-address", "127.0.0.0/8"}};
	AUTO(mem_free) char *shipped = world_source("templates");

	MUST_RUN("cp", "-R", shipped, dir);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(mem_free) char *path = text("%s/%s.yaml", dir, rows[i][0]);
		AUTO(mem_free) char *yaml = text(limited, rows[i][0], rows[i][1], rows[i][2]);

		write_file(path, 0644, view_str(yaml));
	}
}

/* An installation's signer, made as `endorsectl ca init` makes it. */
static struct signer *make_signer(const char *dir, enum key_type type, const char *templates)
{
	static const char *const names[] = {"issuing.pem", "issuing.key", "issuing.passphrase",
		"ssh-host-ca.key", "ssh-host-ca.passphrase", "ssh-user-ca.key",
		"ssh-user-ca.passphrase"};
	AUTO(problems_free) struct problems problems;
	struct signer *signer = NULL;
	char *path[COUNT(names)];

	must(hierarchy_make(dir, "Example", type) == OK, "%s", why()->sentence);
	for (size_t i = 0; i < COUNT(names); i++)
		path[i] = text("%s/%s", dir, names[i]);
	problems_init(&problems);
	must(signer_open(&(struct signer_files){.certificate = path[0],
				 .key = path[1],
				 .passphrase = path[2],
				 .templates = templates,
				 .ssh_host_key = path[3],
				 .ssh_host_passphrase = path[4],
				 .ssh_user_key = path[5],
				 .ssh_user_passphrase = path[6]},
		     &problems, &signer) == OK,
		"%s", buf_text(&problems.text));
	for (size_t i = 0; i < COUNT(names); i++)
		free(path[i]);
	return signer;
}

/* What is made once: two installations, and keys of ssh-keygen's. */
static struct {
	char *dir, *templates, *ca, *other_ca;
	struct signer *signer, *other;
} ground;

static char *in(const char *name)
{
	return text("%s/%s", ground.dir, name);
}

static void keygen(const char *name, const char *type)
{
	AUTO(mem_free) char *path = in(name);

	MUST_RUN("ssh-keygen", "-q", "-t", type, "-N", "", "-C", "", "-f", path);
}

static int make(void **state)
{
	(void)state;
	ground.dir = text("%s", supervise_dir());
	ground.templates = in("templates");
	ground.ca = in("ca");
	ground.other_ca = in("other-ca");
	make_templates(ground.templates);
	ground.signer = make_signer(ground.ca, KEY_TYPE_P256, ground.templates);
	ground.other = make_signer(ground.other_ca, KEY_TYPE_P256, ground.templates);
	keygen("host", "ed25519");
	keygen("host-rsa", "rsa");
	keygen("host-ecdsa", "ecdsa");
	keygen("other-host", "ed25519");
	keygen("user", "ed25519");
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	signer_close(&ground.signer);
	signer_close(&ground.other);
	free(ground.dir);
	free(ground.templates);
	free(ground.ca);
	free(ground.other_ca);
	return 0;
}

/* One certificate, and what is odd about it. */
struct wish {
	struct signer *by; /* NULL: ours */
	const char *template, *host, *login;
	const char *key; /* which is certified */
	int64_t later; /* than now, seconds */
};

static void read_key(const char *name, struct buf *blob)
{
	AUTO(mem_free) char *path = text("%s/%s.pub", ground.dir, name);
	AUTO(buf_free) struct buf line = BUF(8192);

	must(file_read(path, &line) == OK && sshkey_line(buf_view(&line), blob) == OK, "%s: %s",
		path, why()->sentence);
}

/* Issues it into the file `name`. */
static void certify(const struct wish *wish, const char *name)
{
	static const struct grant_evidence evidence; /* ssh-user is for keys that an AK certified */
	const struct grant_label labels[] = {{"login", wish->login}};
	AUTO(buf_free) struct buf blob = BUF(SSHKEY_MAX), bits = BUF(SSHKEY_MAX);
	AUTO(buf_free) struct buf line = BUF(1 << 15);
	AUTO(issued_free) struct issued issued = {0};
	AUTO(mem_free) char *path = in(name);
	struct grant grant = {.template = wish->template,
		.template_version = 1,
		.host = wish->host,
		.device_id = "0123456789abcdef0123456789abcdef",
		.trust_class = "manufacturer",
		.labels = labels,
		.labels_n = 1,
		.evidence = strcmp(wish->template, "ssh-user") == 0 ? &evidence : NULL,
		.ssh_serial = 1};

	read_key(wish->key, &blob);
	must(sshkey_parse(buf_view(&blob), &bits, &grant.key) == OK, "%s", why()->sentence);
	must(signer_issue(wish->by != NULL ? wish->by : ground.signer, &grant,
		     clock_now() + wish->later, &issued) == OK,
		"%s", why()->sentence);
	must(sshkey_text(buf_view(&issued.der), &line) == OK, "%s", why()->sentence);
	buf_str(&line, "\n");
	write_file(path, 0644, buf_view(&line));
}

/* What a visit is made of; each row below changes one thing of it. */
struct visit {
	struct wish host, user;
	const char *host_key, *user_ca, *known_ca; /* user_ca and known_ca: files of the CA */
	const char *dialled;
	const char *logged, *told; /* by sshd, and by ssh: NULL: nothing in particular */
	const char *said; /* by the command; NULL: it was never run */
};

static struct visit good_visit(void)
{
	return (struct visit){.host = {.template = "ssh-host", .host = HOST, .key = "host"},
		.user = {.template = "ssh-user", .host = JOBS, .key = "user"},
		.host_key = "host",
		.user_ca = "ca/ssh-user-ca.pub",
		.known_ca = "ca/ssh-host-ca.pub",
		.dialled = HOST,
		.said = "inside\n"};
}

/* What known_hosts says of a CA. */
static void write_known_hosts(const char *ca, const char *path)
{
	AUTO(mem_free) char *from = in(ca);
	AUTO(buf_free) struct buf line = BUF(8192), key = BUF(8192);

	must(file_read(from, &key) == OK, "%s", why()->sentence);
	buf_fmt(&line, "@cert-authority *.example.test %s", buf_text(&key));
	write_file(path, 0644, buf_view(&line));
}

static void make_visit(const struct visit *visit, struct output *output, char **log)
{
	AUTO(mem_free) char *known = in("known_hosts"), *principals = in("principals");
	AUTO(mem_free) char *host_key = in(visit->host_key), *user_key = in("user");
	AUTO(mem_free) char *host_cert = in("host-cert.pub"), *user_cert = in("user-cert.pub");
	AUTO(mem_free) char *user_ca = in(visit->user_ca);
	AUTO(buf_free) struct buf logged = BUF(1 << 20);
	struct sshd sshd;

	certify(&visit->host, "host-cert.pub");
	certify(&visit->user, "user-cert.pub");
	write_known_hosts(visit->known_ca, known);
	write_file(principals, 0644, view_str(JOBS "\ndeployer\n"));
	sshd_start(ground.dir,
		&(struct sshd_plan){.host_key = host_key,
			.host_certificate = host_cert,
			.user_ca = user_ca,
			.principals = principals},
		&sshd);
	ssh_visit(&sshd,
		&(struct ssh_plan){.name = visit->dialled,
			.known_hosts = known,
			.key = user_key,
			.certificate = user_cert},
		output);
	must(file_read(sshd.log, &logged) == OK, "%s", why()->sentence);
	*log = text("%s", buf_text(&logged));
	sshd_stop(&sshd);
}

static void assert_goes(const char *name, const struct visit *visit)
{
	AUTO(output_free) struct output output;
	AUTO(mem_free) char *log = NULL;
	const char *said, *told;

	make_visit(visit, &output, &log);
	said = buf_text(&output.out);
	told = buf_text(&output.err);
	if ((output.code == 0) != (visit->said != NULL) ||
		strcmp(said, visit->said == NULL ? "" : visit->said) != 0 ||
		(visit->told != NULL && strstr(told, visit->told) == NULL) ||
		(visit->logged != NULL && strstr(log, visit->logged) == NULL)) {
		/* Longer than a message of cmocka can be. */
		fprintf(stderr, "ssh:\n%s%s\nsshd:\n%s", said, told, log);
		fail_msg("%s: exit code %d", name, output.code);
	}
}

static void host_and_user_know_each_other_by_certificates_alone(void **state)
{
	static const char *const keys[][2] = {{"host", "ssh-ed25519-cert-v01@openssh.com"},
		{"host-ecdsa", "ecdsa-sha2-nistp256-cert-v01@openssh.com"},
		{"host-rsa", "rsa-sha2-512-cert-v01@openssh.com"}};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		AUTO(mem_free) char *told = text("kex: host key algorithm: %s\r", keys[i][1]);
		struct visit visit = good_visit();

		visit.host.key = visit.host_key = keys[i][0];
		visit.told = told;
		visit.logged = "ID 0123456789abcdef0123456789abcdef (serial 1) CA ECDSA";
		assert_goes(keys[i][0], &visit);
	}
}

static void cas_of_all_types_are_believed(void **state)
{
	static const char *const names[] = {[KEY_TYPE_P256] = NULL,
		[KEY_TYPE_P384] = "p384",
		[KEY_TYPE_RSA2048] = "rsa2048",
		[KEY_TYPE_RSA3072] = "rsa3072",
		[KEY_TYPE_ED25519] = "ed25519"};

	(void)state;
	for (size_t i = 1; i < COUNT(names); i++) {
		AUTO(mem_free) char *dir = in(names[i]);
		AUTO(mem_free) char *user_ca = text("%s/ssh-user-ca.pub", names[i]);
		AUTO(mem_free) char *host_ca = text("%s/ssh-host-ca.pub", names[i]);
		struct signer *signer = make_signer(dir, (enum key_type)i, ground.templates);
		struct visit visit = good_visit();

		visit.host.by = visit.user.by = signer;
		visit.user_ca = user_ca;
		visit.known_ca = host_ca;
		assert_goes(names[i], &visit);
		signer_close(&signer);
	}
}

static void other_name(struct visit *visit)
{
	visit->dialled = "web-02.example.test";
	visit->told = "Certificate invalid: name is not a listed principal";
}

static void host_expired(struct visit *visit)
{
	visit->host.later = -31 * DAY;
	visit->told = "Certificate invalid: expired";
}

static void host_early(struct visit *visit)
{
	visit->host.later = DAY;
	visit->told = "Certificate invalid: not yet valid";
}

static void host_of_another_ca(struct visit *visit)
{
	visit->host.by = ground.other;
	visit->told = "Host key verification failed.";
}

static void host_of_another_key(struct visit *visit)
{
	visit->host_key = "other-host";
	visit->logged = "No matching private key for certificate";
	visit->told = "Host key verification failed.";
}

static void user_for_host(struct visit *visit)
{
	visit->host = (struct wish){.template = "ssh-user", .host = HOST, .key = "host"};
	visit->known_ca = "ca/ssh-user-ca.pub";
	visit->told = "Certificate invalid: not a host certificate";
}

static void other_principal(struct visit *visit)
{
	visit->user.host = "jobs-02.example.test";
	visit->logged = "Certificate does not contain an authorized principal";
}

static void user_expired(struct visit *visit)
{
	visit->user.later = -2 * DAY;
	visit->logged = "Certificate invalid: expired";
}

static void user_early(struct visit *visit)
{
	visit->user.later = DAY;
	visit->logged = "Certificate invalid: not yet valid";
}

static void user_of_another_ca(struct visit *visit)
{
	visit->user.by = ground.other;
	visit->told = "Permission denied (publickey)";
}

static void host_for_user(struct visit *visit)
{
	visit->user.template = "ssh-host";
	visit->user_ca = "ca/ssh-host-ca.pub";
	visit->told = "not a user certificate"; /* which ssh does not even show */
}

static void user_of_another_key(struct visit *visit)
{
	visit->user.key = "other-host";
	visit->told = "Permission denied (publickey)";
}

static void from_elsewhere(struct visit *visit)
{
	visit->user =
		(struct wish){.template = "from-elsewhere", .login = "deployer", .key = "user"};
	visit->logged = "not from a permitted source address";
}

static const struct {
	const char *name;
	void (*change)(struct visit *visit);
} rows[] = {
	{"another name", other_name},
	{"a host's that is expired", host_expired},
	{"a host's of tomorrow", host_early},
	{"a host's of another CA", host_of_another_ca},
	{"a host's of another key", host_of_another_key},
	{"a user's for a host", user_for_host},
	{"another principal", other_principal},
	{"a user's that is expired", user_expired},
	{"a user's of tomorrow", user_early},
	{"a user's of another CA", user_of_another_ca},
	{"a user's of another key", user_of_another_key},
	{"a host's for a user", host_for_user},
	{"from elsewhere", from_elsewhere},
};

static void one_thing_that_is_wrong_is_enough(void **state)
{
	const struct visit good = good_visit();

	(void)state;
	assert_goes("nothing wrong", &good);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct visit visit = good_visit();

		visit.said = NULL;
		rows[i].change(&visit);
		assert_goes(rows[i].name, &visit);
	}
}

static void options_of_a_template_are_in_force(void **state)
{
	struct visit visit = good_visit();

	(void)state;
	visit.user = (struct wish){.template = "from-here", .login = "deployer", .key = "user"};
	assert_goes("from here", &visit);
	visit.user.template = "only-uptime";
	visit.said = "forced\n";
	assert_goes("forced", &visit);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(host_and_user_know_each_other_by_certificates_alone),
		cmocka_unit_test(cas_of_all_types_are_believed),
		cmocka_unit_test(one_thing_that_is_wrong_is_enough),
		cmocka_unit_test(options_of_a_template_are_in_force),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
