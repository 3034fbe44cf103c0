#include "enroll/agent/order.h"

#include "ca/base/clock.h"
#include "enroll/agent/options.h"
#include "enroll/agent/ownname.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MAX (30 * DAY) /* seconds */

enum option_id {
	OPTION_SERVER = 1000,
	OPTION_CA,
	OPTION_CA_SHA256,
	OPTION_SERVICE,
	OPTION_HOST,
	OPTION_HOST_FROM_SERVICE,
	OPTION_STATE,
	OPTION_AK,
	OPTION_AK_HANDLE,
	OPTION_HIERARCHY,
	OPTION_EK,
	OPTION_EK_CERTIFICATE,
	OPTION_PROXY,
	OPTION_FORCE,
	OPTION_TIMEOUT,
	OPTION_WAIT,
	OPTION_TEMPLATE,
	OPTION_EXEC,
	OPTION_NEW_KEYS,
};

static const struct option options[] = {
	{"server", required_argument, NULL, OPTION_SERVER},
	{"ca", required_argument, NULL, OPTION_CA},
	{"ca-sha256", required_argument, NULL, OPTION_CA_SHA256},
	{"service", required_argument, NULL, OPTION_SERVICE},
	{"host", required_argument, NULL, OPTION_HOST},
	{"host-from-service", no_argument, NULL, OPTION_HOST_FROM_SERVICE},
	{"state", required_argument, NULL, OPTION_STATE},
	ACCESS_OPTIONS,
	{"ak", required_argument, NULL, OPTION_AK},
	{"ak-handle", required_argument, NULL, OPTION_AK_HANDLE},
	{"hierarchy", required_argument, NULL, OPTION_HIERARCHY},
	{"ek", required_argument, NULL, OPTION_EK},
	{"ek-certificate", required_argument, NULL, OPTION_EK_CERTIFICATE},
	{"proxy", required_argument, NULL, OPTION_PROXY},
	{"force", no_argument, NULL, OPTION_FORCE},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"wait", required_argument, NULL, OPTION_WAIT},
	{"template", required_argument, NULL, OPTION_TEMPLATE},
	{"exec", required_argument, NULL, OPTION_EXEC},
	{"new-keys", no_argument, NULL, OPTION_NEW_KEYS},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

void order_free(struct order *order)
{
	free(order->server);
	order->server = NULL;
}

static enum err read_ak(const char *text, struct ak_wish *wish)
{
	wish->recipe = ak_recipe_find(text);
	if (wish->recipe == NULL)
		return fail(ERR_MALFORMED, "usage", "--ak: \"%s\" is none of " AK_KINDS, text);
	return OK;
}

static enum err read_ak_handle(const char *text, struct ak_wish *wish)
{
	if (!ak_handle_read(text, &wish->handle))
		return fail(ERR_MALFORMED, "usage",
			"--ak-handle: \"%s\" is not between 0x%08x and 0x%08x", text,
			AK_HANDLE_FIRST, AK_HANDLE_LAST);
	return OK;
}

static enum err read_hierarchy(const char *text, struct ak_wish *wish)
{
	wish->has_hierarchy = ak_hierarchy_read(text, &wish->hierarchy);
	if (!wish->has_hierarchy)
		return fail(ERR_MALFORMED, "usage",
			"--hierarchy: \"%s\" is none of " AK_HIERARCHIES, text);
	return OK;
}

static enum err read_ek(const char *text, struct wish *wish)
{
	if (strcmp(text, "auto") != 0 && ek_template_find(text) == NULL)
		return fail(ERR_MALFORMED, "usage",
			"--ek: \"%s\" is none of auto, rsa2048, rsa3072, rsa4096, p256, p384, p521 "
			"and the names of templates (L-1, L-2, H-1, H-2, H-3, H-4, H-6, H-7)",
			text);
	wish->ek = strcmp(text, "auto") == 0 ? NULL : text;
	return OK;
}

static enum err read_ek_certificate(const char *text, struct wish *wish)
{
	if (strcmp(text, "auto") != 0 && strcmp(text, "none") != 0)
		return fail(ERR_MALFORMED, "usage",
			"--ek-certificate: \"%s\" is neither auto nor none", text);
	wish->ek_certificate =
		strcmp(text, "none") == 0 ? EK_CERTIFICATE_NONE : EK_CERTIFICATE_AUTO;
	return OK;
}

static unsigned unit_seconds(const char *unit)
{
	static const struct {
		const char *unit;
		unsigned seconds;
	} units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", DAY}};

	for (size_t i = 0; i < COUNT(units); i++)
		if (strcmp(units[i].unit, unit) == 0)
			return units[i].seconds;
	return 0;
}

/* Nothing is multiplied before it is known to be small. */
static enum err read_wait(const char *text, struct wish *wish)
{
	char *end = NULL;
	unsigned long n;
	unsigned unit;

	errno = 0;
	n = strtoul(text, &end, 10);
	unit = strcmp(text, "0") == 0 ? 1 : unit_seconds(end);
	if (text[0] < '0' || text[0] > '9' || errno != 0 || unit == 0 || n > WAIT_MAX / unit)
		return fail(ERR_MALFORMED, "usage",
			"--wait: \"%s\" is not a time up to 30 days, such as 90s, 20m, 1h or 7d",
			text);
	wish->wait = (unsigned)n * unit;
	return OK;
}

static enum err read_option(int id, const char *value, void *into)
{
	struct order *order = into;

	switch (id) {
	case OPTION_SERVER:
		free(order->server);
		order->server = NULL;
		return http_server_parse(value, &order->server);
	case OPTION_CA:
		order->ca_file = value;
		return OK;
	case OPTION_CA_SHA256:
		order->ca_sha256 = value;
		return OK;
	case OPTION_SERVICE:
		order->wish.service = value;
		return OK;
	case OPTION_HOST:
		return ownname_read(value, order->host);
	case OPTION_HOST_FROM_SERVICE:
		order->host_from_service = true;
		return OK;
	case OPTION_STATE:
		order->state_dir = value;
		return OK;
	case OPTION_AK:
		return read_ak(value, &order->wish.ak);
	case OPTION_AK_HANDLE:
		return read_ak_handle(value, &order->wish.ak);
	case OPTION_HIERARCHY:
		return read_hierarchy(value, &order->wish.ak);
	case OPTION_EK:
		return read_ek(value, &order->wish);
	case OPTION_EK_CERTIFICATE:
		return read_ek_certificate(value, &order->wish);
	case OPTION_PROXY:
		order->wish.proxy = value;
		return OK;
	case OPTION_FORCE:
		order->force = order->wish.takes_new_name = true;
		return OK;
	case OPTION_TIMEOUT:
		return option_timeout(value, &order->wish.timeout);
	case OPTION_WAIT:
		return read_wait(value, &order->wish);
	case OPTION_TEMPLATE:
		return wanted_add(&order->wanted, value);
	case OPTION_EXEC:
		return wanted_exec(&order->wanted, value);
	case OPTION_NEW_KEYS:
		order->new_keys = true;
		return OK;
	default:
		access_option(&order->wish.access, id, value);
		return OK;
	}
}

enum err order_complete(struct order *order)
{
	if (order->server == NULL)
		return fail(ERR_MALFORMED, "usage", "--server URL is missing");
	order->wish.server = order->server;
	if (order->wish.service == NULL)
		order->wish.service = order->server;
	if (order->wish.service[0] == '\0' || strlen(order->wish.service) > LIMIT_SERVICE)
		return fail(ERR_MALFORMED, "usage", "the service's name has 1 to %d bytes",
			LIMIT_SERVICE);
	if (order->host_from_service)
		return OK;
	if (order->host[0] == '\0')
		TRY(ownname_find(order->host));
	order->wish.host = order->host;
	return OK;
}

enum err order_recall(struct order *order, struct state *state)
{
	struct enrollment *e = &order->recalled;
	enum err err = state_enrollment(state, e);

	if (err == ERR_NOT_FOUND && order->server == NULL)
		return fail(ERR_MALFORMED, "usage",
			"%s: nothing is held here that names a service: give --server URL and --ca "
			"FILE, or enroll first (endorse enroll)",
			state_dir(state));
	/* One that cannot be read is told of where it is judged. */
	if (err != OK)
		return order_complete(order);
	if (order->server == NULL && (order->server = strdup(e->server)) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "the server's name");
	if (order->wish.service == NULL && strcmp(order->server, e->server) == 0)
		order->wish.service = e->service;
	if (order->host[0] == '\0' && !order->host_from_service)
		snprintf(order->host, sizeof(order->host), "%s", e->host);
	return order_complete(order);
}

enum err order_parse(int argc, char **argv, struct order *out)
{
	*out = (struct order){.state_dir = STATE_DEFAULT, .wish = {.timeout = TIMEOUT_DEFAULT}};
	TRY(options_read(argc, argv, options, read_option, out, &out->help));
	if (out->help)
		return OK;
	if (out->ca_file != NULL && out->ca_sha256 != NULL)
		return fail(ERR_MALFORMED, "usage", "--ca and --ca-sha256 exclude each other");
	if (out->host[0] != '\0' && out->host_from_service)
		return fail(ERR_MALFORMED, "usage",
			"--host and --host-from-service exclude each other");
	return OK;
}

enum err order_read(int argc, char **argv, struct order *out)
{
	TRY(order_parse(argc, argv, out));
	return out->help ? OK : order_complete(out);
}

enum err order_anchors(const struct order *order, const char *kept, struct anchors **out)
{
	enum err err;

	if (order->ca_file != NULL)
		return anchors_read(order->ca_file, out);
	if (order->ca_sha256 != NULL)
		return anchors_pinned(order->ca_sha256, kept, out);
	err = anchors_read(kept, out);
	if (err == ERR_NOT_FOUND)
		return fail(ERR_MALFORMED, "usage",
			"whom to trust? Nothing is kept here; give --ca FILE or --ca-sha256 "
			"DIGEST");
	return err;
}

enum err order_wanted(const struct order *order, struct state *state, struct wanted *out)
{
	struct wanted kept = {.n = 0};

	if (state != NULL)
		TRY(state_wanted(state, &kept));
	else
		TRY(wanted_add(&kept, "ak"));
	return wanted_resolve(&order->wanted, &kept, out);
}
