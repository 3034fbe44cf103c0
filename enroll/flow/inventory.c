#include "enroll/flow/inventory.h"

#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "ca/template.h"
#include "db/audit_read.h"
#include "db/certificates.h"
#include "db/devices.h"
#include "db/hosts.h"
#include "db/statistics.h"
#include "enroll/flow/listing.h"
#include "enroll/flow/wish.h"
#include "enroll/proto/labels.h"

#include <stdio.h>
#include <string.h>

#define LIMIT_DEFAULT 100

/* What the records take of a page. */
struct page {
	int64_t limit, since, until;
};

static enum err read_page(const struct page_wish *wish, struct page *out)
{
	*out = (struct page){.limit = LIMIT_DEFAULT, .until = CLOCK_LAST};
	TRY(wish_number("limit", wish->limit, 1, LIST_MAX, &out->limit));
	TRY(wish_number("since", wish->since, 0, CLOCK_LAST, &out->since));
	return wish_number("until", wish->until, 0, CLOCK_LAST, &out->until);
}

/* What a query's values are read into, for as long as it is asked. */
struct values {
	uint8_t device_id[DEVICE_ID_SIZE], ek_digest[DIGEST_SIZE], serial[SERIAL_MAX];
	uint8_t sha256[DIGEST_SIZE], issuer[DIGEST_SIZE];
	char label[LIMIT_LABEL_NAME + 1 + LIMIT_LABEL_TEXT + 1];
};

static enum err read_state(const char *text, const char **out)
{
	static const char *const words[] = {"active", "held", "revoked", NULL};
	size_t word = 0;

	TRY(wish_word("state", text, words, &word));
	*out = text == NULL ? NULL : words[word];
	return OK;
}

/* "rack=7" in two, "rack" alone. */
static void split_label(const char *text, struct values *values, struct devices_query *out)
{
	char *equals;

	if (text == NULL)
		return;
	snprintf(values->label, sizeof(values->label), "%s", text);
	out->label_name = values->label;
	if ((equals = strchr(values->label, '=')) == NULL)
		return;
	*equals = '\0';
	out->label_text = equals + 1;
}

static enum err read_devices(
	const struct devices_wish *wish, struct values *values, struct devices_query *out)
{
	struct page page;

	TRY(read_page(&wish->page, &page));
	*out = (struct devices_query){.host = wish->host,
		.manufacturer = wish->manufacturer,
		.machine = wish->machine,
		.since = page.since,
		.until = page.until,
		.after = wish->page.after,
		.limit = (size_t)page.limit};
	split_label(wish->label, values, out);
	TRY(read_state(wish->state, &out->state));
	TRY(wish_bytes("id", wish->id, values->device_id, DEVICE_ID_SIZE, &out->device_id));
	TRY(wish_bytes("ek", wish->ek, values->ek_digest, DIGEST_SIZE, &out->ek_digest));
	TRY(wish_serial(wish->serial, values->serial, SERIAL_MAX, &out->serial_n));
	out->serial = wish->serial == NULL ? NULL : values->serial;
	return OK;
}

enum err inventory_devices(
	const struct service *service, const struct devices_wish *wish, struct record_list *out)
{
	AUTO(found_free) struct found found = {0};
	struct devices_query query;
	struct values values;

	*out = (struct record_list){0};
	TRY(read_devices(wish, &values, &query));
	TRY(devices_find(service->db, &query, &found));
	return listing_make(&found, out);
}

static const char *first_device(const struct found *found)
{
	return found->n == 0 ? NULL : listing_text(found, 0, "device_id");
}

/* What was revoked has no name any more, and is looked for by the one that it had. */
static enum err find_revoked(
	const struct service *service, const char *host, uint8_t id[static DEVICE_ID_SIZE])
{
	AUTO(found_free) struct found certificates = {0}, found = {0};
	const struct certificates_query last = {
		.host = host, .shard = -1, .until = CLOCK_LAST, .limit = 1};
	struct devices_query query = {.until = CLOCK_LAST, .limit = 1};
	const char *text, *state;

	TRY(certificates_find(service->db, &last, &certificates));
	if ((text = first_device(&certificates)) == NULL)
		return refuse(ERR_NOT_FOUND, "device-unknown", "PROTOCOL lists",
			"no device has or had the name %s: endorsectl device list looks for one",
			host);
	TRY(hex_read(view_str(text), id, DEVICE_ID_SIZE));
	query.device_id = id;
	TRY(devices_find(service->db, &query, &found));
	state = found.n == 0 ? NULL : listing_text(&found, 0, "state");
	if (state != NULL && strcmp(state, "revoked") == 0)
		return OK;
	return refuse(ERR_NOT_FOUND, "device-unknown", "PROTOCOL lists",
		"no device has the name %s now; the last one that had it is %s", host, text);
}

static enum err find_device(const struct service *service, struct devices_query *query,
	uint8_t id[static DEVICE_ID_SIZE])
{
	AUTO(found_free) struct found found = {0};
	const char *text;

	query->limit = 1;
	TRY(devices_find(service->db, query, &found));
	if ((text = first_device(&found)) != NULL)
		return hex_read(view_str(text), id, DEVICE_ID_SIZE);
	if (query->host != NULL)
		return find_revoked(service, query->host, id);
	return refuse(ERR_NOT_FOUND, "device-unknown", "PROTOCOL lists",
		"no device is known by that: endorsectl device list looks for one");
}

enum err inventory_device(
	const struct service *service, const struct devices_wish *wish, struct record **out)
{
	AUTO(found_free) struct found found = {0};
	int given = (wish->id != NULL) + (wish->host != NULL) + (wish->ek != NULL) +
		    (wish->serial != NULL);
	struct devices_query query;
	struct values values;
	uint8_t id[DEVICE_ID_SIZE];

	if (given != 1 || (wish->host != NULL && strchr(wish->host, '*') != NULL))
		return refuse(ERR_MALFORMED, "query-value", "PROTOCOL lists",
			"wanted one of id, ek and serial, or host with a whole name");
	TRY(read_devices(wish, &values, &query));
	TRY(find_device(service, &query, id));
	TRY(device_show(service->db, id, &found));
	if (found.n != 1)
		return fail(ERR_INTERNAL, "database-error", "a device that is found and not there");
	return listing_record(&found, 0, NULL, out);
}

enum err inventory_hosts(
	const struct service *service, const struct hosts_wish *wish, struct record_list *out)
{
	AUTO(found_free) struct found found = {0};
	struct hosts_query query = {.host = wish->host, .after = wish->page.after};
	struct values values;
	struct page page;

	*out = (struct record_list){0};
	TRY(read_page(&wish->page, &page));
	query.limit = (size_t)page.limit;
	TRY(wish_bytes("device", wish->device, values.device_id, DEVICE_ID_SIZE, &query.device_id));
	TRY(wish_flag("barred", wish->barred, &query.is_barred));
	TRY(hosts_find(service->db, &query, &found));
	return listing_make(&found, out);
}

static enum err read_certificates(
	const struct certificates_wish *wish, struct values *values, struct certificates_query *out)
{
	static const char *const states[] = {"valid", "expired", "revoked", NULL};
	static const char *const kinds[] = {"x509", "ssh-host", "ssh-user", NULL};
	size_t state = 0, kind = 0;
	struct page page;

	TRY(read_page(&wish->page, &page));
	*out = (struct certificates_query){.host = wish->host,
		.template = wish->template,
		.kind = wish->kind,
		.shard = -1,
		.since = page.since,
		.until = page.until,
		.after = wish->page.after,
		.limit = (size_t)page.limit};
	TRY(wish_word("state", wish->state, states, &state));
	if (wish->state != NULL)
		out->state = CERTIFICATE_VALID + (enum certificate_state)state;
	TRY(wish_word("kind", wish->kind, kinds, &kind));
	TRY(wish_number("shard", wish->shard, 0, INT64_MAX, &out->shard));
	TRY(wish_bytes("device", wish->device, values->device_id, DEVICE_ID_SIZE, &out->device_id));
	TRY(wish_bytes("sha256", wish->sha256, values->sha256, DIGEST_SIZE, &out->sha256));
	TRY(wish_bytes("issuer", wish->issuer, values->issuer, DIGEST_SIZE, &out->issuer));
	TRY(wish_serial(wish->serial, values->serial, SERIAL_MAX, &out->serial_n));
	out->serial = wish->serial == NULL ? NULL : values->serial;
	return OK;
}

enum err inventory_certificates(const struct service *service, const struct certificates_wish *wish,
	struct record_list *out)
{
	AUTO(found_free) struct found found = {0};
	struct certificates_query query;
	struct values values;

	*out = (struct record_list){0};
	TRY(read_certificates(wish, &values, &query));
	TRY(certificates_find(service->db, &query, &found));
	return listing_make(&found, out);
}

static void add_der(struct record *record, struct view der)
{
	AUTO(buf_free) struct buf text = BUF(1 << 17);

	base64_add(&text, der);
	record_add_text(record, "chain", buf_text(&text));
}

/* Of a CA that is ours no more, the records have the CA itself, and nothing above it. */
static enum err add_chain(
	const struct service *service, const struct found *found, struct record *out)
{
	AUTO(buf_free) struct buf der = BUF(1 << 16);
	const char *ca = listing_text(found, 0, "ca");

	if (strcmp(listing_text(found, 0, "kind"), "x509") != 0)
		return OK;
	TRY(base64_read(view_str(listing_text(found, 0, "der")), &der));
	if (signer_has_issued(service->signer, buf_view(&der)))
		for (size_t i = 0; signer_chain(service->signer, i).n > 0; i++)
			add_der(out, signer_chain(service->signer, i));
	else if (ca != NULL)
		record_add_text(out, "chain", ca);
	return OK;
}

enum err inventory_certificate(
	const struct service *service, const struct certificates_wish *wish, struct record **out)
{
	AUTO(found_free) struct found found = {0};
	AUTO(record_free) struct record *record = NULL;
	struct certificates_query query;
	struct values values;

	if ((wish->serial == NULL) == (wish->sha256 == NULL))
		return refuse(ERR_MALFORMED, "query-value", "PROTOCOL lists",
			"wanted one of serial and sha256");
	TRY(read_certificates(wish, &values, &query));
	TRY(certificate_show(
		service->db, (struct view){values.serial, query.serial_n}, query.sha256, &found));
	if (found.n != 1)
		return refuse(ERR_NOT_FOUND, "certificate-unknown", "PROTOCOL lists",
			"this service has recorded no such certificate");
	TRY(listing_record(&found, 0, "ca", &record));
	TRY(add_chain(service, &found, record));
	*out = MOVE(record);
	return OK;
}

enum err inventory_audit(
	const struct service *service, const struct audit_wish *wish, struct record_list *out)
{
	AUTO(found_free) struct found found = {0};
	struct audit_query query = {.host = wish->host,
		.event = wish->event,
		.code = wish->code,
		.who = wish->who,
		.request_id = wish->request_id,
		.after = wish->page.after};
	struct values values;
	struct page page;

	*out = (struct record_list){0};
	TRY(read_page(&wish->page, &page));
	query.since = page.since;
	query.until = page.until;
	query.limit = (size_t)page.limit;
	TRY(wish_bytes("device", wish->device, values.device_id, DEVICE_ID_SIZE, &query.device_id));
	TRY(wish_bytes("ek", wish->ek, values.ek_digest, DIGEST_SIZE, &query.ek_digest));
	TRY(wish_serial(wish->serial, values.serial, SERIAL_MAX, &query.serial_n));
	query.serial = wish->serial == NULL ? NULL : values.serial;
	TRY(wish_flag("acts", wish->acts, &query.is_act));
	TRY(audit_find(service->db, &query, &found));
	return listing_make(&found, out);
}

enum err inventory_statistics(const struct service *service, int64_t now, struct record_list *out)
{
	AUTO(found_free) struct found found = {0};

	*out = (struct record_list){0};
	TRY(statistics_read(service->db, now, &found));
	return listing_make(&found, out);
}

enum err inventory_templates(const struct service *service, struct record_list *out)
{
	const struct template *template;
	char digest[2 * SHA256_SIZE + 1];
	size_t n = 0;

	while (signer_template(service->signer, n) != NULL)
		n++;
	TRY(record_list_init(out, n));
	for (size_t i = 0; i < n; i++) {
		template = signer_template(service->signer, i);
		hex_write(VIEW(template->digest), digest);
		record_put_text(out->items[i], "name", template->name);
		record_put_number(out->items[i], "version", template->version);
		record_put_text(out->items[i], "kind", template->kind);
		record_put_text(out->items[i], "key", template->key);
		record_put_number(out->items[i], "lifetime", template->lifetime);
		record_put_text(out->items[i], "sha256", digest);
	}
	return OK;
}
