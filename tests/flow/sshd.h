/* sshd.h - a private sshd of OpenSSH, and ssh that visits it. */
#pragma once

#include "tests/flow/process.h"

/* Files; NULL: none. */
struct sshd_plan {
	const char *host_key, *host_certificate;
	const char *user_ca; /* TrustedUserCAKeys */
	const char *principals; /* AuthorizedPrincipalsFile */
	const char *lines; /* more of sshd_config, as it is */
};

struct sshd {
	pid_t pid;
	int port;
	char *log;
};
/* Has it listen at 127.0.0.1; its configuration and log are `dir`/sshd.conf and .log, anew. */
void sshd_start(const char *dir, const struct sshd_plan *plan, struct sshd *out);
void sshd_stop(struct sshd *sshd);
/* The certificate that it shows to ssh-keyscan, "TYPE BASE64"; "" for none; for free(). */
char *sshd_certificate(const struct sshd *sshd);

/* Whom ssh is and whom it believes. */
struct ssh_plan {
	const char *name; /* the host's, as it was dialled */
	const char *known_hosts;
	const char *key, *certificate; /* the user's; files */
	const char *revoked; /* RevokedHostKeys; NULL: none */
	const char *ahead; /* how much its clock is, as faketime takes it; NULL: it is right */
};
/* Logs in as the user that runs the test, and runs `echo inside`; batch mode, nobody is asked. */
void ssh_visit(const struct sshd *sshd, const struct ssh_plan *plan, struct output *output);
