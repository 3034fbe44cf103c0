#include "db/issuer.h"

#include "db/query.h"

static const struct statement note_issuer = {NULL,
	"INSERT INTO issuer (issuer_id, kind, certificate, first_at, not_after)"
	" VALUES ($1::bytea, $2::text, $3::bytea, to_timestamp($4::bigint),"
	"  to_timestamp($5::bigint))"
	" ON CONFLICT (issuer_id) DO UPDATE"
	" SET certificate = excluded.certificate, not_after = excluded.not_after"
	" WHERE (issuer.certificate, issuer.not_after)"
	" IS DISTINCT FROM (excluded.certificate, excluded.not_after)"};

enum err issuer_note(struct db *db, const struct issuer_note *note, int64_t now)
{
	struct pipeline act = {.n = 0};

	STEP(&act, &note_issuer, value_bytes((struct view){note->id, 32}), value_text(note->kind),
		value_bytes(note->certificate), value_int(now),
		note->not_after == 0 ? value_text(NULL) : value_int(note->not_after));
	return db_run(db, &act, LOST_REPEAT_ONCE);
}
