#include "enroll/daemon/parts.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/log.h"
#include "enroll/daemon/files.h"
#include "enroll/flow/tally.h"

#include <stdlib.h>

/* One configuration being turned into parts. */
struct making {
	const char *path;
	const struct config *config;
	struct problems *problems;
	struct parts *parts;
};

/* `key` is what the configuration calls the part. */
static void note(const struct making *making, struct yaml_mark mark, const char *key, enum err err)
{
	if (err != OK)
		problem_add(making->problems, making->path, mark, "%s: %s", key, why()->sentence);
}

static void make_secrets(const struct making *making)
{
	const struct config *config = making->config;
	struct parts *parts = making->parts;
	AUTO(key_wipe) struct secret_key master;
	enum err err;

	/* The edge reads its secret too, as a group; nobody else needs the others. */
	note(making, config->mark, "edge_secret_file",
		file_read_key(config->edge_secret_file, true, parts->edge_secret));
	note(making, config->mark, "admin_token_file",
		file_read_key(config->admin_token_file, true, parts->admin_token));
	err = file_read_key(config->ticket_key_file, false, master.bytes);
	if (err == OK)
		err = ticket_keys_make(&master, config->service, &parts->tickets);
	note(making, config->mark, "ticket_key_file", err);
}

static void make_signer(const struct making *making)
{
	const struct config *config = making->config;
	const struct signer_files files = {config->ca.certificate, config->ca.key,
		config->ca.passphrase_file, config->templates};
	size_t before = making->problems->n;
	enum err err = signer_open(&files, making->problems, &making->parts->signer);

	if (making->problems->n == before)
		note(making, config->ca.mark, "ca", err);
}

static bool is_template(void *ctx, const char *name)
{
	const struct parts *parts = ctx;

	/* Without a signer its own problems are told; a second complaint would only hide them. */
	return parts->signer == NULL || signer_template_version(parts->signer, name) != 0;
}

static void make_policy(const struct making *making)
{
	size_t before = making->problems->n;
	enum err err = policy_load(making->config->policy, is_template, making->parts,
		making->problems, &making->parts->policy);

	if (making->problems->n == before)
		note(making, making->config->mark, "policy", err);
}

static void skipped(void *ctx, const char *path, const char *reason)
{
	(void)ctx;
	LOG(WARNING, "trust.skipped", "file", path, "why", reason);
}

static void make_trust(const struct making *making)
{
	const struct config_trust *from = making->config->trust.item;
	size_t n = making->config->trust.n;
	AUTO(mem_free) struct trust_source *sources = calloc(n, sizeof(*sources));
	enum err err = sources == NULL ? fail(ERR_INTERNAL, "out-of-memory", "make_trust") : OK;

	for (size_t i = 0; err == OK && i < n; i++) {
		sources[i].name = from[i].name;
		sources[i].roots = from[i].roots;
		sources[i].intermediates = from[i].intermediates;
		err = trust_class_read(from[i].class, &sources[i].class);
	}
	if (err == OK)
		err = trust_load(sources, n, skipped, NULL, &making->parts->trust);
	note(making, n > 0 ? from[0].mark : making->config->mark, "trust", err);
}

static void examine(void *ctx, struct findings *findings)
{
	const struct parts *parts = ctx;

	files_examine(parts->path, parts->config, findings);
}

enum err parts_make(
	const char *path, const struct config *config, struct problems *problems, struct parts *out)
{
	const struct making making = {path, config, problems, out};
	size_t before = problems->n;

	*out = (struct parts){0};
	make_secrets(&making);
	make_signer(&making);
	make_policy(&making);
	make_trust(&making);
	note(&making, config->mark, "database",
		db_open(config->database, (unsigned)config->database_connections,
			(unsigned)config->database_wait * 1000, &out->db));
	note(&making, config->mark, "endorsed", tally_make(clock_now(), &out->tally));
	if (problems->n != before)
		return fail(ERR_MALFORMED, "config", "%zu problem(s)", problems->n - before);
	out->service = (struct service){config->service, out->trust, out->policy, out->tickets,
		out->signer, out->db, (unsigned)config->live_aks_per_device, out->tally, examine,
		out};
	out->path = path;
	out->config = config;
	return OK;
}

void parts_free(struct parts *parts)
{
	db_close(&parts->db);
	tally_free(&parts->tally);
	trust_free(&parts->trust);
	policy_free(&parts->policy);
	signer_close(&parts->signer);
	ticket_keys_free(&parts->tickets);
	secret_wipe(parts, sizeof(*parts));
}
