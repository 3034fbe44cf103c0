/* fuzz_renewal_ticket.c - a ticket of a renewal; the corpus has one of an enrollment, and nothing opens. */
#include "tests/fuzz/target.h"

#include "enroll/flow/ticket.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct secret_key master;
	static struct ticket_keys *keys;
	struct renewal_ticket ticket;

	if (keys == NULL && ticket_keys_make(&master, "https://endorse.example", &keys) != OK)
		abort();
	if (renewal_ticket_open(keys, (struct view){p, n}, 1800000000, &ticket) == OK)
		abort();
	return 0;
}
