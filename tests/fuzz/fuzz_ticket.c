/* fuzz_ticket.c - a ticket; the corpus has one that opens, and nothing else may. */
#include "tests/fuzz/target.h"

#include "ca/base/file.h"
#include "enroll/flow/ticket.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct secret_key master;
	static struct buf right = BUF(4096);
	static struct ticket_keys *keys;
	AUTO(ticket_wipe) struct ticket ticket;

	if (keys == NULL && (ticket_keys_make(&master, "https://endorse.example", &keys) != OK ||
				    file_read(ENDORSE_SOURCE_DIR "/tests/fuzz/corpus/ticket/right",
					    &right) != OK))
		abort();
	if (ticket_open(keys, (struct view){p, n}, 1800000000, &ticket) == OK &&
		!view_equal((struct view){p, n}, buf_view(&right)))
		abort();
	return 0;
}
