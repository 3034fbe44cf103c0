#include "enroll/agent/exit.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *code;
	int exit;
} exits[] = {
	{"usage", EXIT_USAGE},
	{"tpm", EXIT_TPM},
	{"tpm-auth", EXIT_TPM},
	{"tpm-ek", EXIT_TPM},
	{"tpm-key", EXIT_TPM},
	{"service-away", EXIT_AWAY},
	{"endpoint-away", EXIT_AWAY},
	{"location-away", EXIT_AWAY},
	{"service-refused", EXIT_REFUSED},
	{"service-answer", EXIT_REFUSED},
	{"host-changed", EXIT_REFUSED},
	{"krl-older", EXIT_REFUSED},
	{"service-not-trusted", EXIT_UNTRUSTED},
	{"service-pending", EXIT_PENDING},
};

int exit_code(const struct reason *reason)
{
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
		if (strcmp(exits[i].code, reason->code) == 0)
			return exits[i].exit;
	return EXIT_LOCAL;
}

int exit_failed(void)
{
	fprintf(stderr, "endorse: %s\n", why()->sentence);
	return exit_code(why());
}
