#include "enroll/http/inventory_api.h"

#include "enroll/flow/inventory.h"
#include "enroll/proto/audit.h"
#include "enroll/proto/certificates.h"
#include "enroll/proto/devices.h"
#include "enroll/proto/hosts.h"
#include "enroll/proto/labels.h"
#include "enroll/proto/statistics.h"

/* Every list begins with these. */
enum { AFTER, LIMIT, SINCE, UNTIL, OWN };
#define PAGE_KEYS                                                                                  \
	{"after", LIMIT_CURSOR},                                                                   \
	{                                                                                          \
		"limit", 4                                                                         \
	}
#define TIME_KEYS                                                                                  \
	PAGE_KEYS, {"since", 12},                                                                  \
	{                                                                                          \
		"until", 12                                                                        \
	}

#define DIGEST_DIGITS (2 * SHA256_SIZE)
#define SERIAL_DIGITS (3 * LIMIT_SERIAL_NUMBER) /* with colons */
#define TEXT 512

static struct page_wish page_of(const struct exchange *exchange)
{
	const char *const *sent = exchange->query.value;

	return (struct page_wish){sent[AFTER], sent[LIMIT], sent[SINCE], sent[UNTIL]};
}

static enum err answer_list(
	const struct record_list *list, const struct record_shape *shape, struct exchange *exchange)
{
	return record_list_encode(list, shape, &exchange->answer);
}

const struct query_key devices_query[] = {TIME_KEYS, {"host", LIMIT_HOST}, {"state", 16},
	{"manufacturer", TEXT}, {"label", LIMIT_LABEL_NAME + 1 + LIMIT_LABEL_TEXT},
	{"machine", TEXT}, {"id", LIMIT_DEVICE_ID}, {"ek", DIGEST_DIGITS},
	{"serial", SERIAL_DIGITS}, {0}};

enum err handle_devices(const struct service *service, struct exchange *exchange)
{
	AUTO(record_list_free) struct record_list list = {0};
	const char *const *sent = exchange->query.value + OWN;
	const struct devices_wish wish = {sent[0], sent[1], sent[2], sent[3], sent[4], sent[5],
		sent[6], sent[7], page_of(exchange)};

	TRY(inventory_devices(service, &wish, &list));
	return answer_list(&list, &devices_shape, exchange);
}

const struct query_key device_query[] = {{"id", LIMIT_DEVICE_ID}, {"host", LIMIT_HOST},
	{"ek", DIGEST_DIGITS}, {"serial", SERIAL_DIGITS}, {0}};

enum err handle_device(const struct service *service, struct exchange *exchange)
{
	AUTO(record_free) struct record *record = NULL;
	const char *const *sent = exchange->query.value;
	const struct devices_wish wish = {
		.id = sent[0], .host = sent[1], .ek = sent[2], .serial = sent[3]};

	TRY(inventory_device(service, &wish, &record));
	return record_encode(record, &exchange->answer);
}

const struct query_key hosts_query[] = {
	PAGE_KEYS, {"host", LIMIT_HOST}, {"device", LIMIT_DEVICE_ID}, {"barred", 3}, {0}};

enum err handle_hosts(const struct service *service, struct exchange *exchange)
{
	AUTO(record_list_free) struct record_list list = {0};
	const char *const *sent = exchange->query.value;
	const struct hosts_wish wish = {
		sent[2], sent[3], sent[4], {.after = sent[AFTER], .limit = sent[LIMIT]}};

	TRY(inventory_hosts(service, &wish, &list));
	return answer_list(&list, &hosts_shape, exchange);
}

const struct query_key certificates_query[] = {TIME_KEYS, {"serial", SERIAL_DIGITS},
	{"sha256", DIGEST_DIGITS}, {"device", LIMIT_DEVICE_ID}, {"host", LIMIT_HOST},
	{"template", LIMIT_TEMPLATE_NAME}, {"kind", 16}, {"issuer", DIGEST_DIGITS}, {"shard", 19},
	{"state", 16}, {0}};

enum err handle_certificates(const struct service *service, struct exchange *exchange)
{
	AUTO(record_list_free) struct record_list list = {0};
	const char *const *sent = exchange->query.value + OWN;
	const struct certificates_wish wish = {sent[0], sent[1], sent[2], sent[3], sent[4], sent[5],
		sent[6], sent[7], sent[8], page_of(exchange)};

	TRY(inventory_certificates(service, &wish, &list));
	return answer_list(&list, &certificates_shape, exchange);
}

const struct query_key certificate_query[] = {
	{"serial", SERIAL_DIGITS}, {"sha256", DIGEST_DIGITS}, {0}};

enum err handle_certificate_show(const struct service *service, struct exchange *exchange)
{
	AUTO(record_free) struct record *record = NULL;
	const char *const *sent = exchange->query.value;
	const struct certificates_wish wish = {.serial = sent[0], .sha256 = sent[1]};

	TRY(inventory_certificate(service, &wish, &record));
	return record_encode(record, &exchange->answer);
}

const struct query_key audit_query[] = {TIME_KEYS, {"device", LIMIT_DEVICE_ID},
	{"ek", DIGEST_DIGITS}, {"serial", SERIAL_DIGITS}, {"host", LIMIT_HOST}, {"event", 64},
	{"code", LIMIT_REASON}, {"who", TEXT}, {"request_id", TEXT}, {"acts", 3}, {0}};

enum err handle_audit(const struct service *service, struct exchange *exchange)
{
	AUTO(record_list_free) struct record_list list = {0};
	const char *const *sent = exchange->query.value + OWN;
	const struct audit_wish wish = {sent[0], sent[1], sent[2], sent[3], sent[4], sent[5],
		sent[6], sent[7], sent[8], page_of(exchange)};

	TRY(inventory_audit(service, &wish, &list));
	return answer_list(&list, &audit_shape, exchange);
}

enum err handle_statistics(const struct service *service, struct exchange *exchange)
{
	AUTO(record_list_free) struct record_list list = {0};

	TRY(inventory_statistics(service, exchange->caller.now, &list));
	return answer_list(&list, &statistics_shape, exchange);
}

enum err handle_templates(const struct service *service, struct exchange *exchange)
{
	AUTO(record_list_free) struct record_list list = {0};

	TRY(inventory_templates(service, &list));
	return answer_list(&list, &templates_shape, exchange);
}
