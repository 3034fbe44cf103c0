/* connection.h - one connection to PostgreSQL. Not for other folders. */
#pragma once

#include "db/query.h"

/* Is this something that libpq can read? ERR_INTERNAL "database-conninfo". */
CHECKED enum err conninfo_check(const char *conninfo);

enum connection_kind {
	CONNECTION_PREPARED, /* with all our statements, for the pool */
	CONNECTION_BARE, /* without, for when the schema may not be there yet */
};

/*
 * Connects. Unless conninfo says otherwise: 3 s to connect, 5 s for a statement, 10 s for bytes to
 * be acknowledged. `*out` is the caller's, for connection_close(). ERR_BUSY "database-unreachable",
 * "database-schema".
 */
CHECKED enum err connection_open(const char *conninfo, enum connection_kind kind, PGconn **out);
void connection_close(PGconn **connection); /* accepts NULL inside, leaves NULL behind */

/* Has the server hung up, as far as can be known without asking it? */
bool connection_is_alive(PGconn *connection);

/* Lists of statements, each ending with NULL, in the files that use them. */
extern const struct statement *const allowed_statements[];
extern const struct statement *const audit_read_statements[];
extern const struct statement *const audit_statements[];
extern const struct statement *const bar_statements[];
extern const struct statement *const behind_statements[];
extern const struct statement *const certificate_status_statements[];
extern const struct statement *const certificates_statements[];
extern const struct statement *const crl_statements[];
extern const struct statement *const devices_statements[];
extern const struct statement *const enrollment_batch_statements[];
extern const struct statement *const enrollment_facts_statements[];
extern const struct statement *const enrollment_look_statements[];
extern const struct statement *const enrollment_statements[];
extern const struct statement *const host_statements[];
extern const struct statement *const hosts_statements[];
extern const struct statement *const krl_statements[];
extern const struct statement *const labels_statements[];
extern const struct statement *const lock_statements[];
extern const struct statement *const operator_statements[];
extern const struct statement *const pending_statements[];
extern const struct statement *const published_statements[];
extern const struct statement *const rebind_statements[];
extern const struct statement *const refusals_statements[];
extern const struct statement *const renewal_statements[];
extern const struct statement *const responder_statements[];
extern const struct statement *const retention_statements[];
extern const struct statement *const revoke_certificate_statements[];
extern const struct statement *const revoke_statements[];
extern const struct statement *const revoked_issuer_statements[];
extern const struct statement *const statistics_statements[];
extern const struct statement *const ticket_statements[];
extern const struct statement *const token_statements[];
extern const struct statement *const trusted_statements[];
