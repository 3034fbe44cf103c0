#include "enroll/flow/publication.h"

#include "ca/base/encode.h"
#include "ca/template_schema.h"
#include "db/issuer.h"
#include "db/shard.h"

#include <stdio.h>
#include <string.h>

const char *publication_base(const struct service *service)
{
	return service->public_url == NULL ? service->name : service->public_url;
}

static void short_id(const uint8_t *id, char out[static 2 * SHORT_ID_SIZE + 1])
{
	hex_write((struct view){id, SHORT_ID_SIZE}, out);
}

void publication_crl_name(
	const uint8_t issuer[static SHA256_SIZE], int64_t shard, char *name, size_t room)
{
	char of[2 * SHORT_ID_SIZE + 1];

	short_id(issuer, of);
	snprintf(name, room, "%s-%lld.crl", of, (long long)shard);
}

void publication_crl_url(const char *base, const uint8_t issuer[static SHA256_SIZE], int64_t shard,
	char url[static PUBLICATION_URL_SIZE])
{
	char name[64];

	publication_crl_name(issuer, shard, name, sizeof(name));
	snprintf(url, PUBLICATION_URL_SIZE, "%s/crl/%s", base, name);
}

void publication_urls(const struct service *service, const char *base, int64_t shard,
	char crl[static PUBLICATION_URL_SIZE], char ocsp[static PUBLICATION_URL_SIZE],
	char issuer[static PUBLICATION_URL_SIZE])
{
	char of[2 * SHORT_ID_SIZE + 1];
	struct signer_issuer ca;

	/* The first one is the issuing CA. */
	signer_issuer(service->signer, 0, &ca);
	short_id(ca.id, of);
	publication_crl_url(base, ca.id, shard, crl);
	snprintf(ocsp, PUBLICATION_URL_SIZE, "%s/ocsp", base);
	snprintf(issuer, PUBLICATION_URL_SIZE, "%s/ca/%s.cer", base, of);
}

size_t publication_capacity(const struct signer *signer, const char *base, size_t bytes)
{
	static const uint8_t any[SHA256_SIZE];
	char longest[PUBLICATION_URL_SIZE];

	publication_crl_url(base, any, INT64_MAX, longest);
	return signer_crl_capacity(signer, strlen(longest), bytes);
}

enum err publication_settle(const struct service *service, int64_t now)
{
	struct signer_issuer ca;

	for (size_t i = 0; signer_issuer(service->signer, i, &ca); i++) {
		const struct issuer_note note = {
			ca.id, template_kinds[ca.kind], ca.certificate, ca.not_after};

		TRY(issuer_note(service->db, &note, now));
	}
	return shard_plan(service->db,
		(int64_t)publication_capacity(
			service->signer, publication_base(service), service->crl_bytes),
		publication_base(service));
}
