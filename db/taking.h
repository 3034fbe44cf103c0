/* taking.h - certificates that are revoked or held, in one statement with their row of the audit. Not for
 * other folders. */
#pragma once

#include "db/query.h"
#include "db/reach.h"

/* Of serial numbers, and of no index: the planner would read that from end to end to save the sorting. */
#define TAKING_ORDER "(serial || ''::bytea)"

/* Not revoked for good; said so that no index of such certificates, of all devices, is thought of. */
#define STANDS                                                                                     \
	"CASE WHEN revoked_at IS NULL THEN true ELSE revocation_reason = 'certificateHold' END"

/*
 * The statement for those that `which` says of "certificate", of $1. At most one such step in a
 * transaction, and behind it nobody locks a row: its trigger locks CRLs and, last, what all acts of
 * revocation share. Rows are locked by serial, so that no two acts wait for each other.
 */
#define TAKE_CERTIFICATES(which)                                                                   \
	"WITH aimed AS (SELECT serial FROM certificate WHERE " which                               \
	"  AND not_after > to_timestamp($2::bigint) AND CASE WHEN revoked_at IS NULL THEN true"    \
	"   ELSE revocation_reason = 'certificateHold' AND $3::text <> 'certificateHold' END"      \
	"  ORDER BY " TAKING_ORDER " FOR UPDATE),"                                                 \
	" taken AS (UPDATE certificate"                                                            \
	"  SET revoked_at = coalesce(revoked_at, to_timestamp($2::bigint)),"                       \
	"  revocation_reason = $3::text, revoked_with = $4::text" TAKEN NOTED TOLD

/* The same for what was held by the act $4, and is given back. */
#define RELEASE_CERTIFICATES(which)                                                                \
	"WITH aimed AS (SELECT serial FROM certificate WHERE " which                               \
	"  AND coalesce(revocation_reason, '') = 'certificateHold' AND revoked_with = $4::text"    \
	"  ORDER BY " TAKING_ORDER " FOR UPDATE),"                                                 \
	" taken AS (UPDATE certificate"                                                            \
	"  SET revoked_at = NULL, revocation_reason = NULL, revoked_with = NULL" TAKEN NOTED TOLD

#define TAKEN                                                                                      \
	"  WHERE serial = ANY (ARRAY (SELECT serial FROM aimed))"                                  \
	"  RETURNING serial, kind, template, host, not_after, issuer, shard),"
#define NOTED                                                                                      \
	" noted AS (INSERT INTO audit (at, event, device_id, host, detail, serials, who,"          \
	"   client_address, request_id)"                                                           \
	"  SELECT to_timestamp($2::bigint), $5::text, $6::uuid, $7::text,"                         \
	"   left(coalesce($3::text || ': ', '') || $8::text, 512),"                                \
	"   (SELECT array_agg(serial ORDER BY serial) FROM taken), $9::text, $10::text,"           \
	"   $11::text)"
#define TOLD                                                                                       \
	" SELECT kind, encode(serial, 'hex'), template, host,"                                     \
	"  extract(epoch FROM not_after)::bigint, issuer, shard,"                                  \
	"  (SELECT extract(epoch FROM crl_shard.next_update)::bigint FROM crl_shard"               \
	"   WHERE crl_shard.issuer = taken.issuer AND crl_shard.shard = taken.shard) FROM taken"   \
	" ORDER BY issuer, shard, host, kind, template, serial"

struct taking {
	struct value which;
	const char *reason; /* RFC 5280 5.3.1; NULL: it is given back */
	const char *with; /* "device", the column revoked_with */
	const char *event; /* of the audit */
	struct view device_id; /* empty: of none */
	const char *host; /* NULL: of none */
	const struct act *act;
};
/* Adds such a step; `out` gets the certificates. */
void taking_add(struct pipeline *trip, const struct statement *statement,
	const struct taking *taking, struct reached *out);

/* Of a step whose rows are names: the names that are free. */
CHECKED enum err taking_names(const PGresult *rows, void *reached);
