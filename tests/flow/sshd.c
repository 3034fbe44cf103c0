#include "tests/flow/sshd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/file.h"
#include "tests/flow/agent.h"

/* Where its package has it, and where it wants an empty directory of root's, which nobody else makes
 * as long as the unit was never started. It may be there for others too, so it stays. */
#define SSHD "/usr/sbin/sshd"
#define RUN_DIR "/run/sshd"

static void add_line(struct buf *conf, const char *key, const char *value)
{
	if (value != NULL)
		buf_fmt(conf, "%s %s\n", key, value);
}

static void write_conf(const char *path, int port, const struct sshd_plan *plan)
{
	AUTO(buf_free) struct buf conf = BUF(8192);

	buf_fmt(&conf,
		"ListenAddress 127.0.0.1:%d\nPidFile none\nUsePAM no\nStrictModes no\n"
		"PermitRootLogin prohibit-password\nPasswordAuthentication no\n"
		"KbdInteractiveAuthentication no\nAuthorizedKeysFile none\nLogLevel VERBOSE\n",
		port);
	if (plan->lines != NULL)
		buf_str(&conf, plan->lines);
	add_line(&conf, "HostKey", plan->host_key);
	add_line(&conf, "HostCertificate", plan->host_certificate);
	add_line(&conf, "TrustedUserCAKeys", plan->user_ca);
	add_line(&conf, "AuthorizedPrincipalsFile", plan->principals);
	write_file(path, 0600, buf_view(&conf));
}

struct listening {
	int port;
	const pid_t *pid;
};

static bool is_over(void *arg)
{
	const struct listening *listening = arg;
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)listening->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	AUTO(fd_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return !process_is_alive(*listening->pid) ||
	       connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

/* False when it ended, which is what happens when its port was taken. */
static bool try_start(const char *conf, struct sshd *sshd)
{
	struct listening listening = {sshd->port, &sshd->pid};

	sshd->pid = process_start(&(struct program){.log = sshd->log,
		.argv = (const char *const[]){SSHD, "-D", "-e", "-f", conf, NULL}});
	must(wait_until(is_over, &listening, 10000), "sshd does not listen: see %s", sshd->log);
	if (process_is_alive(sshd->pid))
		return true;
	process_stop(&sshd->pid, SIGKILL);
	return false;
}

void sshd_start(const char *dir, const struct sshd_plan *plan, struct sshd *out)
{
	AUTO(mem_free) char *conf = text("%s/sshd.conf", dir);

	must(mkdir(RUN_DIR, 0755) == 0 || errno == EEXIST, RUN_DIR ": %s", strerror(errno));
	*out = (struct sshd){.log = text("%s/sshd.log", dir)};
	write_file(out->log, 0600, view_str(""));
	for (int tries = 0; tries < 4; tries++) {
		out->port = free_port();
		write_conf(conf, out->port, plan);
		if (try_start(conf, out))
			return;
	}
	must(false, "sshd ends: see %s", out->log);
}

void sshd_stop(struct sshd *sshd)
{
	process_stop(&sshd->pid, SIGTERM);
	mem_free(&sshd->log);
}

char *sshd_certificate(const struct sshd *sshd)
{
	AUTO(mem_free) char *port = text("%d", sshd->port);
	AUTO(output_free) struct output output;
	const char *argv[] = {"ssh-keyscan", "-c", "-p", port, "127.0.0.1", NULL}, *line;

	process_run(&(struct program){.argv = argv}, &output);
	for (line = buf_text(&output.out); line[0] == '#'; line += strspn(line, "\n"))
		line += strcspn(line, "\n");
	return text("%.*s", (int)strcspn(line, "\n"), line);
}

#define OPTIONS_MAX 48

struct line {
	const char *argv[OPTIONS_MAX];
	char *made[OPTIONS_MAX];
	size_t n, made_n;
};

static void add_option(struct line *line, const char *name, const char *value)
{
	must(line->n + 3 < OPTIONS_MAX, "too many options");
	line->argv[line->n++] = "-o";
	line->argv[line->n++] = line->made[line->made_n++] = text("%s=%s", name, value);
}

void ssh_visit(const struct sshd *sshd, const struct ssh_plan *plan, struct output *output)
{
	static const char *const always[][2] = {{"BatchMode", "yes"},
		{"StrictHostKeyChecking", "yes"}, {"GlobalKnownHostsFile", "none"},
		{"IdentitiesOnly", "yes"}, {"IdentityAgent", "none"}, {"UpdateHostKeys", "no"},
		{"LogLevel", "DEBUG1"}, {"ConnectTimeout", "20"}};
	const struct passwd *user = getpwuid(geteuid());
	AUTO(mem_free) char *port = text("%d", sshd->port);
	struct line line = {.argv = {"ssh", "-F", "none", "-p", port, "-i", plan->key}, .n = 7};

	must(user != NULL, "who are we?");
	for (size_t i = 0; i < COUNT(always); i++)
		add_option(&line, always[i][0], always[i][1]);
	/* The name is what certificates are compared with; where it leads to is this machine. */
	add_option(&line, "HostKeyAlias", plan->name);
	add_option(&line, "UserKnownHostsFile", plan->known_hosts);
	if (plan->certificate != NULL)
		add_option(&line, "CertificateFile", plan->certificate);
	if (plan->revoked != NULL)
		add_option(&line, "RevokedHostKeys", plan->revoked);
	line.argv[line.n++] = line.made[line.made_n++] = text("%s@127.0.0.1", user->pw_name);
	line.argv[line.n++] = "echo inside";
	run_ahead(output, plan->ahead, line.argv);
	while (line.made_n > 0)
		free(line.made[--line.made_n]);
}
