/* which.h - what an admin knows of a thing that he takes back, as he types it, on its way into a request. */
#pragma once

#include "enroll/proto/revocation.h"

/* For the table that getopt_long() takes; the ids are ours alone. */
enum which_option_id {
	WHICH_ID = 2100,
	WHICH_HOST,
	WHICH_EK,
	WHICH_SERIAL,
	WHICH_SSH_SERIAL,
	WHICH_ISSUER,
	WHICH_REASON,
	WHICH_WHY,
};
#define WHICH_OPTIONS                                                                              \
	{"id", required_argument, NULL, WHICH_ID}, {"host", required_argument, NULL, WHICH_HOST},  \
		{"ek-digest", required_argument, NULL, WHICH_EK},                                  \
		{"serial", required_argument, NULL, WHICH_SERIAL},                                 \
		{"ssh-serial", required_argument, NULL, WHICH_SSH_SERIAL},                         \
		{"issuer", required_argument, NULL, WHICH_ISSUER},                                 \
		{"reason", required_argument, NULL, WHICH_REASON},                                 \
	{                                                                                          \
		"why", required_argument, NULL, WHICH_WHY                                          \
	}

/*
 * Takes such an option: digits as programs print them, with colons or dashes, in either case; a
 * reason without regard to case and dashes. False, and told why, when it cannot be that.
 */
bool which_option(struct revocation_request *request, int id, const char *value);
/* The same of --ssh-serial alone: 16 hexadecimal digits. */
bool which_ssh_serial(const char *value, char out[static LIMIT_SERIAL + 1]);
