#include "enroll/flow/published_crl.h"

#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "enroll/flow/publication.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err sign_and_publish(const struct service *service, const struct crl_key *key,
	const struct crl_work *work, int64_t now, bool *is_ours)
{
	AUTO(buf_free) struct buf der = BUF(CRL_DER_MAX);
	char url[PUBLICATION_URL_SIZE];
	const struct crl_content content = {.url = url,
		.number = (uint64_t)work->number,
		/* A relying party's clock may be behind ours, and it takes nothing of its future. */
		.this_update = now - CLOCK_SKEW,
		.next_update = now + service->crl_lifetime,
		.entries = work->entries,
		.n = work->n};
	struct crl_made made = {work, content.this_update, content.next_update, {0}};

	publication_crl_url(work->base, key->issuer, key->shard, url);
	TRY(signer_crl(service->signer, key->issuer, &content, &der));
	made.der = buf_view(&der);
	return crl_publish(service->db, key, &made, is_ours);
}

enum err crl_make(
	const struct service *service, const struct crl_key *key, int64_t now, bool *is_ours)
{
	AUTO(crl_work_free) struct crl_work work = {.n = 0};

	*is_ours = false;
	TRY(crl_look(service->db, key, now - service->crl_lifetime, &work));
	if (!work.is_there)
		return OK;
	if (work.is_over)
		return crl_forget(service->db, key, &work);
	return sign_and_publish(service, key, &work, now, is_ours);
}

/* "0123456789abcdef-17.crl", and in no other spelling: one CRL has one address. */
static bool read_name(const char *name, uint8_t short_id[static SHORT_ID_SIZE], int64_t *shard)
{
	static const size_t digits = 2 * SHORT_ID_SIZE;
	const char *number = name + digits + 1;
	char *end;

	if (strspn(name, "0123456789abcdef") != digits || name[digits] != '-' ||
		hex_read((struct view){(const uint8_t *)name, digits}, short_id, SHORT_ID_SIZE) !=
			OK)
		return false;
	if (strspn(number, "0123456789") == 0 || (number[0] == '0' && number[1] != '.'))
		return false;
	errno = 0;
	*shard = strtoll(number, &end, 10);
	return errno == 0 && strcmp(end, ".crl") == 0;
}

static enum err unknown(void)
{
	return refuse(ERR_NOT_FOUND, "crl-unknown", "PROTOCOL publication",
		"there is no such CRL: its address is in the certificates that it is for");
}

/* Whoever enrolled a moment ago may be shown to somebody before the next round of publishing. */
static enum err fetch(const struct service *service, const uint8_t short_id[static SHORT_ID_SIZE],
	int64_t shard, int64_t now, struct crl_published *out)
{
	bool is_ours;

	TRY(crl_fetch(service->db, short_id, shard, out));
	if (out->is_there && out->number == 0) {
		/* What is listed, and for how long it stands, goes by the time. */
		TRY(db_clock_judge(service->db, now));
		TRY(crl_make(service, &out->key, now, &is_ours));
		buf_free(&out->der);
		TRY(crl_fetch(service->db, short_id, shard, out));
	}
	return out->is_there && out->number != 0 ? OK : unknown();
}

enum err published_crl(
	const struct service *service, const char *name, int64_t now, struct crl_published *out)
{
	uint8_t short_id[SHORT_ID_SIZE];
	int64_t shard;

	return read_name(name, short_id, &shard) ? fetch(service, short_id, shard, now, out)
						 : unknown();
}

static enum err bad_key(void)
{
	return refuse(ERR_MALFORMED, "query-value", "PROTOCOL admin",
		"wanted the 64 lower-case hexadecimal digits of a CA's id, and the number of a "
		"shard");
}

static enum err read_key(const char *issuer, const char *shard, struct crl_key *out)
{
	char *end;

	if (issuer == NULL || shard == NULL || strspn(issuer, "0123456789abcdef") < 64 ||
		hex_read((struct view){(const uint8_t *)issuer, 64}, out->issuer, SHA256_SIZE) !=
			OK ||
		strspn(shard, "0123456789") == 0)
		return bad_key();
	errno = 0;
	out->shard = strtoll(shard, &end, 10);
	return errno == 0 && *end == '\0' ? OK : bad_key();
}

static void show(const struct crl_row *row, struct crl_item *out)
{
	publication_crl_name(row->key.issuer, row->key.shard, out->name, sizeof(out->name));
	hex_write(VIEW(row->key.issuer), out->issuer);
	out->shard = row->key.shard;
	out->number = row->number;
	out->this_update = row->this_update;
	out->next_update = row->next_update;
	out->bytes = row->bytes;
	out->is_behind = row->is_behind;
}

enum err published_crls(const struct service *service, const char *after, struct crls_answer *out)
{
	AUTO(mem_free) struct crl_row *rows = NULL;
	struct crl_key from;
	size_t n;

	*out = (struct crls_answer){0};
	if (after != NULL && (strlen(after) < 66 || after[64] != '-'))
		return bad_key();
	if (after != NULL)
		TRY(read_key(after, after + 65, &from));
	TRY(crl_list(service->db, after == NULL ? NULL : &from, CRLS_MAX, &rows, &n));
	TRY(crls_answer_init(out, n));
	for (; out->n < n; out->n++)
		show(&rows[out->n], &out->items[out->n]);
	if (n == CRLS_MAX)
		snprintf(out->next, sizeof(out->next), "%s-%lld", out->items[n - 1].issuer,
			(long long)out->items[n - 1].shard);
	return OK;
}

enum err published_crl_of(const struct service *service, const char *issuer, const char *shard,
	int64_t now, struct crl_published *out)
{
	struct crl_key key;

	TRY(read_key(issuer, shard, &key));
	if (issuer[64] != '\0')
		return bad_key();
	TRY(fetch(service, key.issuer, key.shard, now, out));
	return memcmp(out->key.issuer, key.issuer, CRL_ISSUER_SIZE) == 0 ? OK : unknown();
}
