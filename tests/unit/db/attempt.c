#include "attempt.h"

#include "ca/base/crypt.h"
#include "database.h"
#include "db/enrollment_batch.h"
#include "db/enrollment_look.h"

#include <stdio.h>
#include <string.h>

static const uint8_t ak_public[] = "\x00\x10 stands for a key";
static const uint8_t ek_certificate[] = "stands for a certificate";
static const uint8_t der[] = "stands for a certificate of ours";

static void digest_of(const char *what, unsigned number, uint8_t out[static DIGEST_SIZE])
{
	char text[64];

	snprintf(text, sizeof(text), "%s %u", what, number);
	assert_int_equal(OK, sha256(&(struct view){(uint8_t *)text, strlen(text)}, 1, out));
}

void attempt_use_ak(struct attempt *attempt, unsigned ak)
{
	attempt->ak_name[0] = 0x00;
	attempt->ak_name[1] = 0x0b;
	digest_of("ak", ak, attempt->ak_name + 2);
}

void attempt_use_ek(struct attempt *attempt, unsigned ek)
{
	digest_of("ek", ek, attempt->ek_digest);
}

void attempt_anew(struct attempt *attempt)
{
	assert_int_equal(OK, random_bytes(attempt->ticket_digest, DIGEST_SIZE));
	assert_int_equal(OK, random_bytes(attempt->new_device_id, DEVICE_ID_SIZE));
	assert_int_equal(OK, random_bytes(attempt->serial, sizeof(attempt->serial)));
	attempt->serial[15] = 0;
}

struct attempt attempt_of(struct db *db, unsigned tpm, const char *host)
{
	struct attempt attempt = {
		.db = db, .host = host, .certificates_n = 1, .live_aks_max = 4, .now = NOW};

	attempt_use_ek(&attempt, tpm);
	attempt_use_ak(&attempt, tpm);
	attempt_anew(&attempt);
	digest_of("request", tpm, attempt.request_digest);
	digest_of("grant", tpm, attempt.grant_digest);
	return attempt;
}

static struct enrollment_key key_of(const struct attempt *attempt)
{
	return (struct enrollment_key){
		.ticket_digest = attempt->ticket_digest,
		.ek_digest = attempt->ek_digest,
		.ak_name = VIEW(attempt->ak_name),
		.host = attempt->host,
		.device_id = attempt->device_id,
		.ssh_serials = attempt->ssh_serials,
		.wants_ak_certificates = attempt->wants_ak_certificates,
		.crl_places = attempt->crl_places,
		.issuers = {attempt->issuer},
		.issuers_n = attempt->issuer != NULL,
	};
}

enum err attempt_look(struct attempt *attempt)
{
	const struct enrollment_key key = key_of(attempt);

	enrollment_facts_free(&attempt->facts);
	return enrollment_lookup(attempt->db, &key, attempt->now, &attempt->facts);
}

enum err attempts_look(struct attempt *const *attempts, size_t n)
{
	AUTO(enrollment_looks_free) struct enrollment_looks looks = {.n = n};
	struct enrollment_key keys[COMPANY_MAX];
	struct pipeline trip = {.n = 0};

	for (size_t i = 0; i < n; i++) {
		enrollment_facts_free(&attempts[i]->facts);
		attempts[i]->facts = (struct enrollment_facts){.device_known = false};
		keys[i] = key_of(attempts[i]);
		looks.of[i] =
			(struct enrollment_look){&keys[i], attempts[i]->now, &attempts[i]->facts};
	}
	TRY(enrollment_looks_add(&trip, &looks));
	return db_run(attempts[0]->db, &trip, LOST_GIVE_UP);
}

void attempt_lookup(struct attempt *attempt)
{
	if (attempt_look(attempt) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
}

/* Recorded ones, and new ones behind them. */
static void fill(const struct attempt *attempt, size_t stored, uint8_t (*serials)[16],
	struct handed_certificate *certificates)
{
	size_t n = attempt->certificates_n;

	for (size_t i = 0; i < stored; i++)
		certificates[i] =
			(struct handed_certificate){.stored = &attempt->facts.certificates[i]};
	for (size_t i = 0; i < n && stored + i < ENROLLMENT_CERTIFICATES; i++) {
		memcpy(serials[i], attempt->serial, 16);
		serials[i][15] = (uint8_t)i;
		certificates[stored + i] = (struct handed_certificate){.serial = {serials[i], 16},
			.der = VIEW(der),
			.template = i == 0 ? "ak" : "tls",
			.template_version = 7,
			.kind = attempt->kind == NULL ? "x509" : attempt->kind,
			.key_kind = i == 0 ? "ak" : "certified",
			.key_sha256 = attempt->ek_digest,
			.grant_digest = attempt->grant_digest,
			.not_before = attempt->now - 60,
			.not_after = attempt->now + (attempt->is_over ? -YEAR : YEAR),
			.issuer = attempt->issuer,
			.shard = attempt->issuer == NULL || attempt->kind != NULL
					 ? NO_SHARD
					 : attempt->facts.crl_shards[i]};
	}
}

/* A record and what it borrows. */
struct draft {
	struct enrollment_record record;
	struct handed_certificate certificates[ENROLLMENT_CERTIFICATES];
	uint8_t serials[ENROLLMENT_CERTIFICATES][16];
};

static void draft(const struct attempt *attempt, struct draft *out)
{
	static const struct view chain[] = {
		{der, sizeof(der)}, {ek_certificate, sizeof(ek_certificate)}};
	const struct enrollment_facts *facts = &attempt->facts;
	size_t n = attempt->certificates_n,
	       stored = n > 0 ? attempt->stored_n : facts->certificates_n;

	out->record = (struct enrollment_record){
		.device_id = facts->device_known ? facts->device_id : attempt->new_device_id,
		.device_new = !facts->device_known,
		.revision = facts->revision,
		.manufacturer = attempt->is_unnamed ? "" : "id:53544D20",
		.model = attempt->is_unnamed ? "" : "ST33",
		.version = attempt->is_unnamed ? "" : "id:00010102",
		.trust_class = attempt->trust_class == NULL ? "manufacturer" : attempt->trust_class,
		.trust_source = "stmicro",
		.trust_version = "00ff",
		.policy_version = "abcd",
		.ek_digest = attempt->ek_digest,
		.ek_kind = "rsa2048",
		.ek_public = VIEW(ak_public),
		.ek_certificate = attempt->is_bare ? (struct view){NULL, 0} : VIEW(ek_certificate),
		.ek_chain = chain,
		.ek_chain_n = attempt->is_bare ? 0 : COUNT(chain),
		.is_renewal = attempt->is_renewal,
		.host = attempt->host == NULL ? facts->registered_host : attempt->host,
		.allowed_labels = facts->allowed_labels,
		.host_learned = attempt->host == NULL,
		.host_new = !facts->host_bound,
		.host_alias = attempt->host_alias,
		.ak_name = VIEW(attempt->ak_name),
		.ak_public = VIEW(ak_public),
		.ak_kind = "ecc-p256",
		.ak_new = !facts->ak_known,
		.live_aks_max = attempt->live_aks_max,
		.ak_alone = attempt->ak_alone,
		.ticket_digest = attempt->ticket_digest,
		.request_digest = attempt->request_digest,
		.certificates = out->certificates,
		.certificates_n = stored + n,
		.event = n > 0 ? "enroll.issued" : "enroll.returned",
		.request_id = "r-1",
		.client_address = "2001:db8::1",
		.now = attempt->now,
	};
	fill(attempt, stored, out->serials, out->certificates);
}

enum err attempt_record(struct attempt *attempt)
{
	struct draft one;

	draft(attempt, &one);
	return enrollment_record(attempt->db, &one.record);
}

enum err attempts_record(struct attempt *const *attempts, size_t n)
{
	const struct enrollment_record *records[BATCH_MAX];
	struct draft drafts[BATCH_MAX];

	for (size_t i = 0; i < n; i++) {
		draft(attempts[i], &drafts[i]);
		assert_true(enrollment_is_batchable(&drafts[i].record));
		records[i] = &drafts[i].record;
	}
	return enrollment_batch_record(attempts[0]->db, records, n);
}

void *attempt_once(void *of_attempt)
{
	struct attempt *attempt = of_attempt;

	attempt->err = attempt_look(attempt);
	if (attempt->err == OK)
		attempt->err = attempt_record(attempt);
	snprintf(attempt->code, sizeof(attempt->code), "%s", attempt->err == OK ? "" : why()->code);
	return NULL;
}

void attempt_enroll(struct attempt *attempt)
{
	do
		attempt_once(attempt);
	while (attempt->err == ERR_CONFLICT && strcmp(attempt->code, "database-moved") == 0);
	if (attempt->err != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
}
