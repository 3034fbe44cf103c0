#include "db/renewal.h"

#include "db/connection.h"
#include "db/pool_connection.h"

static const struct statement find_renewal = {"find_renewal",
	"SELECT ak.device_id, EXISTS (SELECT FROM host WHERE host.name = $2::text"
	"  AND host.device_id = ak.device_id),"
	" extract(epoch FROM coalesce(ak.proven_at, ak.created_at))::bigint,"
	" ek.public, ek.certificate, ek.chain[1], ek.chain[2], ek.chain[3], ek.chain[4],"
	" ek.chain[5], ek.chain[6], ek.chain[7], ek.chain[8],"
	" (SELECT device.state FROM device WHERE device.device_id = ak.device_id),"
	" EXISTS (SELECT FROM host_barred WHERE host_barred.name = $2::text)"
	" FROM (SELECT device_id, proven_at, created_at, ek_digest, dialect FROM ak"
	"  WHERE ak.name = $1::bytea LIMIT 1) AS ak"
	" LEFT JOIN LATERAL (SELECT public, certificate, chain FROM ek"
	"  WHERE ek.ek_digest = ak.ek_digest AND ek.device_id = ak.device_id LIMIT 1) AS ek ON true"
	" WHERE ak.dialect = 'native'"};

const struct statement *const renewal_statements[] = {&find_renewal, NULL};

enum {
	DEVICE,
	HOST_IS_OURS,
	PROVEN_AT,
	EK_PUBLIC,
	EK_CERTIFICATE,
	CHAIN,
	STATE = CHAIN + RENEWAL_CHAIN,
	BARRED
};

void renewal_facts_free(struct renewal_facts *facts)
{
	buf_free(&facts->ek_public);
	buf_free(&facts->ek_certificate);
	for (size_t i = 0; i < RENEWAL_CHAIN; i++)
		buf_free(&facts->chain[i]);
}

static enum err take_bytes(const PGresult *rows, int column, struct buf *out)
{
	struct view bytes = row_bytes(rows, 0, column);

	*out = BUF(bytes.n);
	buf_add(out, bytes);
	return buf_ok(out);
}

static enum err take_ek(const PGresult *rows, struct renewal_facts *facts)
{
	facts->ek_recorded = !row_is_null(rows, 0, EK_PUBLIC);
	if (!facts->ek_recorded)
		return OK;
	TRY(take_bytes(rows, EK_PUBLIC, &facts->ek_public));
	if (!row_is_null(rows, 0, EK_CERTIFICATE))
		TRY(take_bytes(rows, EK_CERTIFICATE, &facts->ek_certificate));
	for (int i = 0; i < RENEWAL_CHAIN && !row_is_null(rows, 0, CHAIN + i); i++)
		TRY(take_bytes(rows, CHAIN + i, &facts->chain[facts->chain_n++]));
	return OK;
}

static enum err take_renewal(const PGresult *rows, void *into)
{
	struct renewal_facts *facts = into;
	char state[16];

	facts->ak_known = PQntuples(rows) == 1;
	if (!facts->ak_known)
		return OK;
	TRY(row_copy(rows, 0, DEVICE, facts->device_id, DEVICE_ID_SIZE));
	row_text(rows, 0, STATE, state, sizeof(state));
	facts->device_state = device_state_named(state);
	facts->host_barred = row_bool(rows, 0, BARRED);
	facts->host_is_ours = row_bool(rows, 0, HOST_IS_OURS);
	facts->proven_at = row_int(rows, 0, PROVEN_AT);
	return take_ek(rows, facts);
}

enum err renewal_lookup(
	struct db *db, struct view ak_name, const char *host, struct renewal_facts *facts)
{
	struct pipeline lookup = {.n = 0};
	enum err err;

	*facts = (struct renewal_facts){.ak_known = false};
	STEP(&lookup, &find_renewal, value_bytes(ak_name), value_text(host));
	step_take(&lookup, take_renewal, facts);
	err = db_run(db, &lookup, LOST_REPEAT_ONCE);
	standing_note(db_standing(db), err);
	return err;
}
