#include "enroll/daemon/imported.h"

#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "ca/base/log.h"
#include "db/trusted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct imported {
	struct trusted_rows rows;
	int64_t since; /* when they were read; 0: never */
	bool has_moved;
	size_t skipped; /* of the joining that goes on */
};

enum err imported_make(struct imported **out)
{
	*out = calloc(1, sizeof(**out));
	return *out == NULL ? fail(ERR_INTERNAL, "out-of-memory", "imported_make") : OK;
}

void imported_free(struct imported **imported)
{
	if (*imported != NULL)
		trusted_rows_free(&(*imported)->rows);
	free(*imported);
	*imported = NULL;
}

bool imported_has_moved(const struct imported *imported)
{
	return imported->has_moved;
}

/* Not "greater": a database that was restored has gone back. */
enum err imported_read(struct imported *imported, struct db *db)
{
	AUTO(trusted_rows_free) struct trusted_rows rows = {0};
	int64_t revision;

	TRY(trusted_revision(db, &revision));
	if (imported->since != 0 && revision == imported->rows.revision)
		return OK;
	TRY(trusted_read(db, &rows));
	trusted_rows_free(&imported->rows);
	imported->rows = rows;
	rows = (struct trusted_rows){0};
	imported->since = clock_now();
	imported->has_moved = true;
	return OK;
}

static void skipped(void *ctx, const char *path, const char *reason)
{
	struct imported *imported = ctx;

	imported->skipped++;
	if (imported->has_moved)
		LOG(WARNING, "trust.skipped", "imported", path, "why", reason);
}

static enum trust_role role_of(const char *word)
{
	if (strcmp(word, "root") == 0)
		return TRUST_ROOT;
	return strcmp(word, "crl") == 0 ? TRUST_CRL : TRUST_INTERMEDIATE;
}

static enum err add(struct imported *imported, const struct trust *base, struct trust **out)
{
	size_t n = imported->rows.n;
	AUTO(mem_free) struct trust_item *items = calloc(n + 1, sizeof(*items));

	if (items == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "imported_join");
	for (size_t i = 0; i < n; i++) {
		const struct trusted_row *row = &imported->rows.items[i];

		items[i] = (struct trust_item){role_of(row->role), TRUST_OPERATOR_IMPORT,
			buf_view(&row->der), row->manufacturers, row->source};
	}
	imported->skipped = 0;
	return trust_add(base, items, n, skipped, imported, out);
}

/* Once for each change, and not for a database into which nobody has imported anything. */
static void tell(const struct imported *imported, const struct service *service)
{
	char revision[24], certificates[24], trust[2 * SHA256_SIZE + 1];

	if (!imported->has_moved || service->imported.revision == 0)
		return;
	snprintf(revision, sizeof(revision), "%lld", (long long)service->imported.revision);
	snprintf(certificates, sizeof(certificates), "%zu", service->imported.certificates);
	hex_write((struct view){trust_version(service->trust), SHA256_SIZE}, trust);
	LOG(NOTICE, "trust.imported", "revision", revision, "certificates", certificates, "trust",
		trust);
}

enum err imported_join(struct imported *imported, struct service **made, struct service **out)
{
	AUTO(trust_free) struct trust *trust = NULL;
	struct imported_state state;

	TRY(add(imported, (*made)->trust, &trust));
	state = (struct imported_state){
		imported->rows.revision, imported->rows.n - imported->skipped, imported->since};
	TRY(current_derive(made, &trust, &state, out));
	tell(imported, *out);
	imported->has_moved = false;
	return OK;
}
