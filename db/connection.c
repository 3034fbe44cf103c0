#include "db/connection.h"

#include "ca/base/clock.h"

#include <poll.h>
#include <string.h>

#define KEYWORDS_MAX 64
#define PREPARE_WITHIN_MS 8000 /* the server's own statement_timeout comes first */

/*
 * Ours, in front of the operator's own: the last one wins. What is written down about races in
 * enrollment.c supposes READ COMMITTED; SERIALIZABLE is right too, and only conflicts more. For what
 * lies between, see lock.h.
 * Every statement finds its rows by an index. Left alone, the server would read whole tables while
 * they are small, and go on with that plan while a fleet enrolls, until the next ANALYZE: 20 times
 * slower at 10,000 devices. Nor is anything compiled: a plan that cannot do without reading a table,
 * however small, counts as so expensive then that the server would take a second to compile it.
 */
static const char session[] =
	"-c statement_timeout=5s -c idle_in_transaction_session_timeout=10s"
	" -c default_transaction_isolation=read\\ committed"
	" -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off"
	" -c enable_mergejoin=off -c jit=off ";

/* What holds unless conninfo says otherwise. */
static const struct {
	const char *keyword, *value;
} defaults[] = {
	{"connect_timeout", "3"},
	{"tcp_user_timeout", "10000"},
	{"keepalives_idle", "30"},
	{"application_name", "endorsed"},
};

static void options_free(PQconninfoOption **options)
{
	PQconninfoFree(*options);
	*options = NULL;
}

/* libpq's own message is not told: it may quote a password. */
static enum err read_conninfo(const char *conninfo, PQconninfoOption **out)
{
	char *message = NULL;

	*out = PQconninfoParse(conninfo, &message);
	PQfreemem(message);
	if (*out == NULL)
		return fail(ERR_INTERNAL, "database-conninfo",
			"the connection string is not one, such as \"host=/run/postgresql "
			"dbname=endorse\" (PostgreSQL 34.1.1)");
	return OK;
}

enum err conninfo_check(const char *conninfo)
{
	AUTO(options_free) PQconninfoOption *options = NULL;

	return read_conninfo(conninfo, &options);
}

/* Notices have nothing for us, and libpq would print them. */
static void no_notice(void *unused, const PGresult *notice)
{
	(void)unused;
	(void)notice;
}

static const char *option_value(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	return NULL;
}

bool db_has_password(const char *conninfo)
{
	AUTO(options_free) PQconninfoOption *options = NULL;

	return read_conninfo(conninfo, &options) == OK &&
	       (option_value(options, "password") != NULL ||
		       option_value(options, "sslpassword") != NULL);
}

static enum err connect_to(const PQconninfoOption *given, PGconn **out)
{
	AUTO(buf_free) struct buf settings = BUF(4096);
	const char *keywords[KEYWORDS_MAX + 1] = {"options"}, *values[KEYWORDS_MAX + 1];
	const char *own = option_value(given, "options");
	size_t n = 1;

	buf_str(&settings, session);
	buf_str(&settings, own == NULL ? "" : own);
	TRY(buf_ok(&settings));
	values[0] = buf_text(&settings);
	for (size_t i = 0; i < COUNT(defaults); i++)
		if (option_value(given, defaults[i].keyword) == NULL) {
			keywords[n] = defaults[i].keyword;
			values[n++] = defaults[i].value;
		}
	for (const PQconninfoOption *o = given; o->keyword != NULL && n < KEYWORDS_MAX; o++)
		if (o->val != NULL && strcmp(o->keyword, "options") != 0) {
			keywords[n] = o->keyword;
			values[n++] = o->val;
		}
	keywords[n] = values[n] = NULL;
	*out = PQconnectdbParams(keywords, values, 0);
	if (PQstatus(*out) != CONNECTION_OK)
		return fail(ERR_BUSY, "database-unreachable", "cannot connect: %.*s",
			(int)strcspn(PQerrorMessage(*out), "\n"), PQerrorMessage(*out));
	return OK;
}

static const struct statement *const *const lists[] = {allowed_statements, audit_read_statements,
	audit_statements, bar_statements, behind_statements, certificate_status_statements,
	certificates_statements, crl_statements, devices_statements, enrollment_batch_statements,
	enrollment_facts_statements, enrollment_look_statements, enrollment_statements,
	host_statements, hosts_statements, krl_statements, labels_statements, lock_statements,
	operator_statements, pending_statements, published_statements, rebind_statements,
	refusals_statements, renewal_statements, responder_statements, retention_statements,
	revoke_certificate_statements, revoke_statements, revoked_issuer_statements,
	statistics_statements, ticket_statements, token_statements, trusted_statements};

static bool send_prepares(PGconn *connection)
{
	for (size_t i = 0; i < COUNT(lists); i++)
		for (const struct statement *const *s = lists[i]; *s != NULL; s++)
			if (!PQsendPrepare(connection, (*s)->name, (*s)->text, 0, NULL))
				return false;
	return PQpipelineSync(connection);
}

/* All statements in one round trip. An error here is nearly always a schema that is not ours. */
static enum err prepare(PGconn *connection)
{
	int64_t deadline = clock_ms() + PREPARE_WITHIN_MS;
	enum err err = OK;
	bool done = false;

	if (!PQenterPipelineMode(connection) || !send_prepares(connection))
		return fail(ERR_BUSY, "database-unreachable", "the connection broke");
	for (unsigned ends = 0; ends < 2 && !done;) {
		PGresult *result;
		ExecStatusType status;

		if (!connection_await(connection, deadline))
			return fail(ERR_BUSY, "database-unreachable",
				"the server took the connection and says nothing");
		result = PQgetResult(connection);
		status = PQresultStatus(result);

		ends = result == NULL ? ends + 1 : 0;
		done = status == PGRES_PIPELINE_SYNC;
		if (result != NULL && !done && status != PGRES_COMMAND_OK && err == OK)
			err = result_error(result);
		PQclear(result);
	}
	if (err != OK)
		return err;
	if (!done || !PQexitPipelineMode(connection))
		return fail(ERR_BUSY, "database-unreachable", "the connection broke");
	return OK;
}

enum err connection_open(const char *conninfo, enum connection_kind kind, PGconn **out)
{
	AUTO(options_free) PQconninfoOption *options = NULL;
	AUTO(connection_close) PGconn *connection = NULL;

	TRY(read_conninfo(conninfo, &options));
	TRY(connect_to(options, &connection));
	PQsetNoticeReceiver(connection, no_notice, NULL);
	if (PQsetnonblocking(connection, 1) != 0)
		return fail(ERR_INTERNAL, "database-error", "libpq cannot be made non-blocking");
	if (kind == CONNECTION_PREPARED)
		TRY(prepare(connection));
	*out = MOVE(connection);
	return OK;
}

void connection_close(PGconn **connection)
{
	PQfinish(*connection);
	*connection = NULL;
}

/*
 * Between requests a server has something to say only when it hangs up (and it says so before it
 * closes the socket), or when a setting changed. The second is so rare that a new connection for
 * nothing is the better price than to read and judge it. No byte is sent.
 */
bool connection_is_alive(PGconn *connection)
{
	struct pollfd fd = {.fd = PQsocket(connection), .events = POLLIN};

	return PQstatus(connection) == CONNECTION_OK && fd.fd >= 0 && poll(&fd, 1, 0) == 0;
}
