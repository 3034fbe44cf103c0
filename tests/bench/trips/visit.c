#include "tests/bench/trips/visit.h"

#include "ca/base/crypt.h"
#include "db/renewal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DIGITS "f5a1c3d2e4b60718293a4b5c6d7e8f90f5a1c3d2e4b60718293a4b5c6d7e8f90"

static void must(enum err err)
{
	if (err != OK)
		trips_end(why()->sentence);
}

static void come_anew(struct visit *visit)
{
	const uint8_t *digest = visit->ek_digest;

	must(random_bytes(visit->ek_digest, DIGEST_SIZE));
	must(random_bytes(visit->ak_name, sizeof(visit->ak_name)));
	memcpy(visit->ak_name, "\x00\x0b", 2);
	snprintf(visit->host, sizeof(visit->host),
		"node-%02x%02x%02x%02x.rack-%02x%02x.example.org", digest[0], digest[1], digest[2],
		digest[3], digest[4], digest[5]);
}

static void come_again(struct visit *visit, struct backend *backend)
{
	const PGresult *devices = backend->devices;
	int row = backend->next++ % PQntuples(devices);

	memcpy(visit->ek_digest, PQgetvalue(devices, row, 0), DIGEST_SIZE);
	memcpy(visit->ak_name, PQgetvalue(devices, row, 1), sizeof(visit->ak_name));
	snprintf(visit->host, sizeof(visit->host), "%s", PQgetvalue(devices, row, 2));
}

void visit_begin(struct visit *visit, struct backend *backend, bool is_renewal)
{
	*visit = (struct visit){.is_renewal = is_renewal, .now = time(NULL)};
	must(random_bytes(visit->ticket, DIGEST_SIZE));
	must(random_bytes(visit->grant, DIGEST_SIZE));
	/* As the service makes them. */
	must(random_of_day(visit->now, visit->device_id, DEVICE_ID_SIZE));
	must(random_of_day(visit->now, visit->serial + 1, sizeof(visit->serial) - 1));
	visit->serial[0] = 0x40;
	if (is_renewal)
		come_again(visit, backend);
	else
		come_anew(visit);
	visit->key = (struct enrollment_key){.ticket_digest = visit->ticket,
		.ek_digest = visit->ek_digest,
		.ak_name = VIEW(visit->ak_name),
		.host = visit->host,
		.crl_places = 1,
		.issuers = {backend->issuer},
		.issuers_n = 1};
}

void visit_look(struct visit *visit, struct backend *backend)
{
	if (visit->is_renewal) {
		struct renewal_facts renewal;

		must(renewal_lookup(backend->db, VIEW(visit->ak_name), visit->host, &renewal));
		renewal_facts_free(&renewal);
	}
	must(enrollment_lookup(backend->db, &visit->key, visit->now, &visit->facts));
}

static void decide_certificate(struct visit *visit, struct backend *backend)
{
	must(random_bytes(visit->der, sizeof(visit->der)));
	visit->certificate = (struct handed_certificate){.serial = VIEW(visit->serial),
		.der = VIEW(visit->der),
		.template = "ak",
		.template_version = 1,
		.kind = "x509",
		.key_kind = "ak",
		.key_sha256 = visit->grant,
		.grant_digest = visit->grant,
		.not_before = visit->now,
		.not_after = visit->now + INT64_C(90) * 86400,
		.issuer = backend->issuer,
		.shard = visit->facts.crl_shards[0]};
}

void visit_decide(struct visit *visit, struct backend *backend)
{
	static uint8_t ek_public[316], ak_public[90];
	const struct enrollment_facts *facts = &visit->facts;

	decide_certificate(visit, backend);
	must(random_bytes(visit->ek_certificate, sizeof(visit->ek_certificate)));
	visit->record = (struct enrollment_record){
		.device_id = facts->device_known ? facts->device_id : visit->device_id,
		.device_new = !facts->device_known,
		.revision = facts->revision,
		.manufacturer = "id:49465800",
		.model = "SLB9670",
		.version = "id:00070055",
		.trust_class = "manufacturer",
		.trust_source = "vendors",
		.trust_version = DIGITS,
		.policy_version = DIGITS,
		.ek_digest = visit->ek_digest,
		.is_renewal = visit->is_renewal,
		.ek_kind = "rsa2048",
		.ek_public = VIEW(ek_public),
		.ek_certificate = VIEW(visit->ek_certificate),
		.host = visit->host,
		.host_new = !facts->host_bound,
		.allowed_labels = facts->allowed_labels,
		.ak_name = VIEW(visit->ak_name),
		.ak_public = VIEW(ak_public),
		.ak_kind = "ecc-p256",
		.ak_new = !facts->ak_known,
		.live_aks_max = 2,
		.ticket_digest = visit->ticket,
		.request_digest = visit->grant,
		.certificates = &visit->certificate,
		.certificates_n = 1,
		.event = visit->is_renewal ? "renew.issued" : "enroll.issued",
		.request_id = "d41d8cd98f00b204e9800998ecf8427e",
		.client_address = "192.0.2.17",
		.now = visit->now};
}

void visit_record(struct visit *visit, struct backend *backend)
{
	must(enrollment_record(backend->db, &visit->record));
}

void visit_end(struct visit *visit)
{
	enrollment_facts_free(&visit->facts);
}
