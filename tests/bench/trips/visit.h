/* visit.h - a device's two trips to the records, without what the service does between them. */
#pragma once

#include "db/enrollment.h"
#include "db/enrollment_facts.h"
#include "tests/bench/trips/backend.h"

/* Stays where it is: parts of it point to others. */
struct visit {
	uint8_t ek_digest[DIGEST_SIZE], ak_name[34], ticket[DIGEST_SIZE], grant[DIGEST_SIZE];
	uint8_t device_id[DEVICE_ID_SIZE], serial[16];
	uint8_t der[746], ek_certificate[1200]; /* no two are the same */
	char host[128];
	bool is_renewal;
	int64_t now;
	struct enrollment_key key;
	struct enrollment_facts facts;
	struct handed_certificate certificate;
	struct enrollment_record record;
};
/* A new device comes, or the next one that was drawn renews. */
void visit_begin(struct visit *visit, struct backend *backend, bool is_renewal);
void visit_look(struct visit *visit, struct backend *backend);
/* After its facts are there: what is to be recorded. */
void visit_decide(struct visit *visit, struct backend *backend);
void visit_record(struct visit *visit, struct backend *backend);
void visit_end(struct visit *visit);
