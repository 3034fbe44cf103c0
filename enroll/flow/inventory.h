/* inventory.h - what an admin looks for in the records. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/record.h"

/* Of a list: texts as an admin sent them; NULL: not sent. */
struct page_wish {
	const char *after; /* `next` of the answer before */
	const char *limit; /* "1" to "1000"; 100 unless sent */
	const char *since,
		*until; /* seconds since 1970; what is of then or later, and what is before */
};

struct devices_wish {
	const char *host; /* a name that it has; * stands for anything */
	const char *state; /* active, held, revoked */
	const char *manufacturer;
	const char *label; /* "name" or "name=text" */
	const char *machine; /* a serial number of the allow-list */
	const char *id, *ek, *serial; /* hexadecimal; serial: of a certificate */
	struct page_wish page; /* times are those of the first enrollment */
};
/*
 * `out` is overwritten, and for record_list_free() also after a failure; so of the others. ERR_MALFORMED
 * "query-value"; errors of db_run().
 */
CHECKED enum err inventory_devices(
	const struct service *service, const struct devices_wish *wish, struct record_list *out);

/* One device with all that hangs on it, by exactly one of id, host, ek and serial. ERR_MALFORMED
 * "query-value"; ERR_NOT_FOUND "device-unknown". `*out` is the caller's, for record_free(). */
CHECKED enum err inventory_device(
	const struct service *service, const struct devices_wish *wish, struct record **out);

struct hosts_wish {
	const char *host, *device; /* device: its id */
	const char *barred; /* "yes": only those that nobody may have */
	struct page_wish page; /* without times */
};
CHECKED enum err inventory_hosts(
	const struct service *service, const struct hosts_wish *wish, struct record_list *out);

struct certificates_wish {
	const char *serial, *sha256; /* hexadecimal; sha256: of the DER */
	const char *device, *host, *template, *kind, *issuer, *shard;
	const char *state; /* valid, expired, revoked */
	struct page_wish page; /* times are those of the issuance */
};
CHECKED enum err inventory_certificates(const struct service *service,
	const struct certificates_wish *wish, struct record_list *out);

/* One certificate with its bytes and, of kind x509, the CAs above it as far as they are known, by serial or by
 * sha256. ERR_MALFORMED "query-value"; ERR_NOT_FOUND "certificate-unknown". */
CHECKED enum err inventory_certificate(
	const struct service *service, const struct certificates_wish *wish, struct record **out);

struct audit_wish {
	const char *device, *ek, *serial, *host, *event, *code, *who, *request_id;
	const char *acts; /* "yes": only what people and their programs did */
	struct page_wish page;
};
CHECKED enum err inventory_audit(
	const struct service *service, const struct audit_wish *wish, struct record_list *out);

CHECKED enum err inventory_statistics(
	const struct service *service, int64_t now, struct record_list *out);
CHECKED enum err inventory_templates(const struct service *service, struct record_list *out);
