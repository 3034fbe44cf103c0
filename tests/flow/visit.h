/* visit.h - one device on its way to a name: a chip, opened, and the dialogue it begins. */
#pragma once

#include "tests/flow/dialogue.h"
#include "tests/flow/world.h"

struct visit {
	struct device device;
	struct dialogue dialogue;
};

/* Opens a chip of the world and loads its EK of a kind and a new AK, to enroll as `host` at a service. */
void visit_begin(struct visit *visit, struct world *world, size_t chip, size_t service,
	const char *host, enum key_kind kind);
void visit_end(struct visit *visit); /* for AUTO */
