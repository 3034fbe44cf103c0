/* broker.h - TPMs behind resource managers, as the kernel's /dev/tpmrm0 is one, on a message bus of their own. */
#pragma once

#include "tests/flow/chip.h"

#define BROKER_CHIPS 2

struct broker {
	pid_t bus, managers[BROKER_CHIPS];
	char *address; /* of the bus; DBUS_SESSION_BUS_ADDRESS has it too */
	char *tctis[BROKER_CHIPS]; /* "tabrmd:..." */
};

/* Starts them for `n` chips and waits until they answer; sockets and logs are in `dir`. */
void broker_start(const char *dir, const struct chip *chips, size_t n, struct broker *broker);
void broker_stop(struct broker *broker);
