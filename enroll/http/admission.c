#include "enroll/http/admission.h"

#include "ca/base/encode.h"
#include "enroll/http/request.h"

#include <string.h>

#define CERTIFICATE_MAX 4096 /* bytes of DER, as the edge has it */

static bool is_secret(const char *text, const uint8_t secret[static SECRET_SIZE])
{
	AUTO(key_wipe) struct secret_key sent;

	return text != NULL && hex_read(view_str(text), sent.bytes, sizeof(sent.bytes)) == OK &&
	       secret_equal(sent.bytes, secret, sizeof(sent.bytes));
}

static enum err admit_edge(
	struct mg_connection *connection, const struct service *service, struct exchange *exchange)
{
	const char *address = request_header(connection, "x-endorse-client-address");

	if (!is_secret(request_header(connection, "x-endorse-edge"), service->edge_secret))
		return refuse(ERR_DENIED, "edge-secret", "PROTOCOL edge",
			"only the service's TLS edge may ask here: use the service's https URL");
	if (address != NULL)
		exchange->caller.client_address = address;
	return OK;
}

/* The edge for admins says from where they come, and by which certificate. */
static enum err believe_edge(struct mg_connection *connection, const struct service *service,
	struct exchange *exchange, struct buf *certificate)
{
	const char *address = request_header(connection, "x-endorse-client-address");
	const char *encoded = request_header(connection, "x-endorse-client-cert");

	if (!service->has_admin_edge || !is_secret(request_header(connection, "x-endorse-edge"),
						service->admin_edge_secret))
		return refuse(ERR_DENIED, "admin-edge-secret", "PROTOCOL edge",
			"a header that only the edge for admins may set, without its secret: use "
			"its "
			"https URL, or ask on the service's own machine without such headers");
	if (address != NULL)
		exchange->caller.client_address = address;
	return encoded == NULL ? OK : base64_read(view_str(encoded), certificate);
}

/* RFC 6750 2.1. Of another scheme nothing is known; "" is a token that nobody has. */
static const char *token_of(struct mg_connection *connection)
{
	const char *value = request_header(connection, "authorization");

	if (value == NULL)
		return NULL;
	return strncasecmp(value, "Bearer ", 7) == 0 ? value + 7 : "";
}

/*
 * An operator's certificate may be in a browser, which shows it whoever's page makes it ask. Browsers
 * then say whose page that was (RFC 6454 7.3, Fetch Metadata 2.4), and programs say nothing.
 */
static bool is_of_another_site(struct mg_connection *connection)
{
	const char *site = request_header(connection, "sec-fetch-site");
	const char *origin = request_header(connection, "origin");
	const char *host = request_header(connection, "host");

	if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return true;
	if (origin == NULL)
		return false;
	origin = strstr(origin, "://");
	return origin == NULL || host == NULL || strcasecmp(origin + strlen("://"), host) != 0;
}

/* What only reads changes nothing, and tells another site's page nothing. */
static enum err judge_site(struct mg_connection *connection, const struct exchange *exchange)
{
	if (strcmp(exchange->method, "GET") == 0 || !is_of_another_site(connection))
		return OK;
	return refuse(ERR_DENIED, "cross-site", "RFC 6454 7.3",
		"a page of another site made a browser ask this: nothing was done");
}

static enum err admit_admin(struct mg_connection *connection, enum role role,
	const struct service *service, struct exchange *exchange)
{
	AUTO(buf_free) struct buf certificate = BUF(CERTIFICATE_MAX);
	struct credential credential = {
		.token = token_of(connection), .is_local = !request_is_edges(connection)};

	exchange->is_for_admins = true;
	TRY(judge_site(connection, exchange));
	if (!credential.is_local)
		TRY(believe_edge(connection, service, exchange, &certificate));
	credential.certificate = buf_view(&certificate);
	TRY(credential_judge(service, &exchange->caller, &credential, &exchange->admitted));
	exchange->caller.who = exchange->admitted.who;
	return admitted_has(&exchange->admitted, role);
}

enum err admission_judge(struct mg_connection *connection, enum admission admission,
	const struct service *service, struct exchange *exchange)
{
	/* No default: a new admission that is forgotten here does not compile. */
	switch (admission) {
	case ADMIT_NOBODY:
		break;
	case ADMIT_ALL:
		return OK;
	case ADMIT_EDGE:
		return admit_edge(connection, service, exchange);
	case ADMIT_AUDITOR:
		return admit_admin(connection, ROLE_AUDITOR, service, exchange);
	case ADMIT_OPERATOR:
		return admit_admin(connection, ROLE_OPERATOR, service, exchange);
	case ADMIT_ADMIN:
		return admit_admin(connection, ROLE_ADMIN, service, exchange);
	}
	return refuse(ERR_DENIED, "edge-secret", "PROTOCOL edge", "nobody may ask here");
}
