#include "tests/flow/visit.h"

void visit_begin(struct visit *visit, struct world *world, size_t chip, size_t service,
	const char *host, enum key_kind kind)
{
	device_open(&visit->device, world->chips[chip].tcti);
	dialogue_init(&visit->dialogue, &visit->device, &world->services[service].peer, world->name,
		host);
	dialogue_keys(&visit->dialogue, kind, AK_P256);
}

void visit_end(struct visit *visit)
{
	dialogue_free(&visit->dialogue);
	device_close(&visit->device);
}
