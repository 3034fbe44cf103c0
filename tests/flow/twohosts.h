/* twohosts.h - a host with an sshd, and a machine that visits it: both enrolled, and know each other by what they got. */
#pragma once

#include "tests/flow/sshd.h"
#include "tests/flow/world.h"

#define HOST "web-01.example.test"
#define JOBS "jobs-01.example.test"

/* Files and directories, each with its path. */
struct two_hosts {
	struct world world;
	char *templates;
	char *host, *jobs; /* state directories, of HOST and JOBS */
	char *host_key, *host_cert, *user_key, *user_cert; /* of HOST, and of JOBS */
	char *known_hosts; /* for the test to write */
	char *principals; /* whom sshd lets in: JOBS */
	char *krl; /* for the test to bring */
	struct sshd sshd; /* for the test to start */
};
extern struct two_hosts two;

/* For cmocka_run_group_tests(); both enroll. */
int two_hosts_make(void **state);
int two_hosts_free(void **state);
/* A file of the world's directory; for free(). */
char *two_hosts_file(const char *name);
/* Has a chip enroll, for a name and one template, into a state directory. */
void two_hosts_enroll(size_t chip, const char *name, const char *state, const char *template);
/* JOBS goes to HOST, with the list as RevokedHostKeys. */
void two_hosts_visit(struct output *output);
