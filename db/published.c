#include "db/published.h"

#include "db/connection.h"
#include "db/pool_connection.h"

static const struct statement find_published = {"find_published",
	"SELECT der FROM certificate WHERE sha256(der) = $1::bytea AND kind = 'x509' LIMIT 1"};

const struct statement *const published_statements[] = {&find_published, NULL};

static enum err take_der(const PGresult *rows, void *into)
{
	struct buf *der = into;

	if (PQntuples(rows) == 1)
		buf_add(der, row_bytes(rows, 0, 0));
	return buf_ok(der);
}

enum err certificate_published(struct db *db, const uint8_t sha256[static 32], struct buf *der)
{
	struct pipeline lookup = {.n = 0};
	enum err err;

	STEP(&lookup, &find_published, value_bytes((struct view){sha256, 32}));
	step_take(&lookup, take_der, der);
	err = db_run(db, &lookup, LOST_REPEAT_ONCE);
	standing_note(db_standing(db), err);
	TRY(err);
	if (der->n == 0)
		return refuse(ERR_NOT_FOUND, "certificate-unknown", "PROTOCOL certificates",
			"no X.509 certificate of this service has this SHA-256");
	return OK;
}
