#include "asker.h"

#include "ca/base/crypt.h"
#include "database.h"

static const uint8_t ek_public[] = "stands for a TPM2B_PUBLIC";
static const uint8_t certificate[] = "stands for a certificate";
static const uint8_t issuer[] = "stands for its issuer", root[] = "stands for the root";

const struct view asker_ek_public = {ek_public, sizeof(ek_public)};
const struct view asker_certificate = {certificate, sizeof(certificate)};
const struct view asker_issuer = {issuer, sizeof(issuer)};
const struct view asker_root = {root, sizeof(root)};

void asker_anew(struct asker *asker)
{
	attempt_anew(&asker->attempt);
	assert_int_equal(OK, random_bytes(asker->attempt_id, ATTEMPT_ID_SIZE));
}

void asker_init(struct asker *asker, struct db *db, unsigned tpm, const char *host)
{
	*asker = (struct asker){
		.db = db, .attempt = attempt_of(db, tpm, host), .limits = {1000, 4, 20, 7}};
	asker_anew(asker);
	asker->chain[0] = VIEW(issuer);
	asker->chain[1] = VIEW(root);
	asker->record = (struct pending_record){
		.attempt_id = asker->attempt_id,
		.ticket_digest = asker->attempt.ticket_digest,
		.ek_digest = asker->attempt.ek_digest,
		.ek_public = VIEW(ek_public),
		.ek_certificate = VIEW(certificate),
		.chain = asker->chain,
		.chain_n = 2,
		.ak_name = VIEW(asker->attempt.ak_name),
		.host = host,
		.manufacturer = "id:49465800",
		.model = "SLB 9670",
		.version = "id:00070055",
		.code = "ek-untrusted",
		.sentence = "no issuer of that name is known",
		.rule = "factory",
		.request_id = "r-1",
		.client_address = "2001:db8::1",
		.source = "2001:db8::",
		.now = NOW,
	};
}

void *asker_ask(void *of_asker)
{
	struct asker *asker = of_asker;

	asker->err = pending_hold(asker->db, &asker->record, &asker->limits, &asker->out);
	return NULL;
}

void asker_hold(struct asker *asker)
{
	asker_ask(asker);
	if (asker->err != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
}
