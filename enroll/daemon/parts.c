#include "enroll/daemon/parts.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/log.h"
#include "enroll/daemon/files.h"
#include "enroll/flow/judged.h"
#include "enroll/flow/ocsp.h"
#include "enroll/flow/publication.h"
#include "enroll/flow/tally.h"
#include "enroll/flow/traffic.h"

#include <stdlib.h>
#include <string.h>

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

/* Two edges with one secret would be one: a device could say by which certificate it comes. */
static void make_admin_edge(const struct making *making)
{
	const char *path = making->config->admin_edge_secret_file;
	struct service *service = making->parts->service;
	enum err err;

	if (path == NULL)
		return;
	err = file_read_key(path, true, service->admin_edge_secret);
	if (err == OK &&
		(secret_equal(service->admin_edge_secret, service->edge_secret, SECRET_SIZE) ||
			secret_equal(
				service->admin_edge_secret, service->admin_token, SECRET_SIZE)))
		err = fail(ERR_INTERNAL, "secret-file",
			"%s: the same secret is used for something else: make one of its own with "
			"openssl rand -hex 32",
			path);
	service->has_admin_edge = err == OK;
	note(making, making->config->mark, "admin_edge_secret_file", err);
}

/* An admin CA that signs for devices as well would make each of them an operator. */
static enum err judge_admin_ca(const struct service *service)
{
	struct signer_issuer issuer;

	for (size_t i = 0; service->signer != NULL && signer_issuer(service->signer, i, &issuer);
		i++)
		if (issuer.kind == TEMPLATE_X509 && admin_ca_has(service->admin_ca, issuer.id))
			return fail(ERR_INTERNAL, "admin-ca",
				"it is the CA of the devices too: make one of its own with "
				"endorsectl ca init-admin");
	return OK;
}

static void make_admin_ca(const struct making *making)
{
	const char *path = making->config->admin_ca;
	struct service *service = making->parts->service;
	enum err err;

	if (path == NULL)
		return;
	err = admin_ca_load(path, &service->admin_ca);
	if (err == OK)
		err = judge_admin_ca(service);
	note(making, making->config->mark, "admin_ca", err);
}

static void make_secrets(const struct making *making)
{
	const struct config *config = making->config;
	struct service *service = making->parts->service;
	AUTO(key_wipe) struct secret_key master;
	enum err err;

	/* The edge reads its secret too, as a group; nobody else needs the others. */
	note(making, config->mark, "edge_secret_file",
		file_read_key(config->edge_secret_file, true, service->edge_secret));
	note(making, config->mark, "admin_token_file",
		file_read_key(config->admin_token_file, true, service->admin_token));
	make_admin_edge(making);
	err = file_read_key(config->ticket_key_file, false, master.bytes);
	if (err == OK)
		err = ticket_keys_make(&master, config->service, &making->parts->tickets);
	note(making, config->mark, "ticket_key_file", err);
}

static size_t former_of(
	const struct config *config, struct signer_former out[static CONFIG_FORMER_CAS])
{
	const struct config_ca *ca = config->former_cas.item;

	for (size_t i = 0; i < config->former_cas.n; i++)
		out[i] =
			(struct signer_former){ca[i].certificate, ca[i].key, ca[i].passphrase_file};
	return config->former_cas.n;
}

static void make_signer(const struct making *making)
{
	const struct config *config = making->config;
	struct signer_former former[CONFIG_FORMER_CAS];
	const struct signer_files files = {.certificate = config->ca.certificate,
		.key = config->ca.key,
		.passphrase = config->ca.passphrase_file,
		.templates = config->templates,
		.ssh_host_key = config->ssh_host_ca.key,
		.ssh_host_passphrase = config->ssh_host_ca.passphrase_file,
		.ssh_user_key = config->ssh_user_ca.key,
		.ssh_user_passphrase = config->ssh_user_ca.passphrase_file,
		.organization = config->organization,
		.former = former,
		.former_n = former_of(config, former),
		.root_crl = config->root_crl};
	size_t before = making->problems->n;
	enum err err = signer_open(&files, making->problems, &making->parts->service->signer);

	if (making->problems->n == before)
		note(making, config->ca.mark, "ca", err);
}

/* A shard of the CRL has room for one certificate at least. */
static void judge_crl_bytes(const struct making *making)
{
	const struct config *config = making->config;
	const struct signer *signer = making->parts->service->signer;
	const char *base = config->public_url == NULL ? config->service : config->public_url;

	if (signer != NULL && publication_capacity(signer, base, (size_t)config->crl_bytes) == 0)
		problem_add(making->problems, making->path, config->mark,
			"crl_bytes is %lld: a CRL of this CA does not fit into that",
			(long long)config->crl_bytes);
}

static bool is_template(void *ctx, const char *name)
{
	const struct service *service = ctx;

	/* Without a signer its own problems are told; a second complaint would only hide them. */
	return service->signer == NULL || signer_template_version(service->signer, name) != 0;
}

/*
 * What a rule gives can be signed; a template alone, which comes with the package, may wait for its
 * CA.
 */
static void judge_offers(const struct making *making)
{
	const struct service *service = making->parts->service;
	struct policy_offer offer;

	for (size_t i = 0; policy_offer(service->policy, i, &offer); i++) {
		const struct template *tmpl =
			signer_template_named(service->signer, offer.template);
		enum template_kind kind = tmpl == NULL ? TEMPLATE_X509 : template_kind(tmpl);

		if (kind != TEMPLATE_X509 && signer_ssh_ca(service->signer, kind).n == 0)
			problem_add(making->problems, making->config->policy, offer.mark,
				"the rule \"%s\" gives \"%s\", and %s has no %s to sign it: make "
				"one "
				"with endorsectl ca init-ssh, or take the template out of the rule",
				offer.rule, offer.template, making->path,
				kind == TEMPLATE_SSH_HOST ? "ssh_host_ca" : "ssh_user_ca");
		if (tmpl != NULL && signer_organization(service->signer) == NULL &&
			template_uses(tmpl, "organization"))
			problem_add(making->problems, making->config->policy, offer.mark,
				"the rule \"%s\" gives \"%s\", which states ${organization}, and "
				"neither %s nor the CA's certificate names one: say organization "
				"there",
				offer.rule, offer.template, making->path);
	}
}

static void make_policy(const struct making *making)
{
	size_t before = making->problems->n;
	struct service *service = making->parts->service;
	enum err err = policy_load(
		making->config->policy, is_template, service, making->problems, &service->policy);

	if (making->problems->n == before)
		note(making, making->config->mark, "policy", err);
	if (err == OK && service->signer != NULL)
		judge_offers(making);
}

static void skipped(void *ctx, const char *path, const char *reason)
{
	const struct making *making = ctx;

	buf_fmt(&making->parts->skipped, "%s: passed over: %s\n", path, reason);
	LOG(WARNING, "trust.skipped", "file", path, "why", reason);
}

/* The sources as the trust set takes them; `item` borrows from the configuration and from `joined`. */
struct sources {
	struct trust_source *item;
	char **joined;
	size_t n;
};

static void sources_free(struct sources *sources)
{
	for (size_t i = 0; sources->joined != NULL && i < sources->n; i++)
		free(sources->joined[i]);
	free(sources->joined);
	free(sources->item);
}

/* "id:49465800,id:53544D20" */
static char *join(const struct yaml_list *list)
{
	AUTO(buf_free) struct buf text = BUF(1024);
	char *const *id = list->item;

	for (size_t i = 0; i < list->n; i++)
		buf_fmt(&text, "%s%s", i > 0 ? "," : "", id[i]);
	return text.n == 0 ? strdup("") : buf_take(&text);
}

static enum err add_source(struct sources *sources, const struct config_trust *from)
{
	struct trust_source *source = &sources->item[sources->n];

	*source = (struct trust_source){.name = from->name,
		.roots = from->roots,
		.intermediates = from->intermediates,
		.crls = from->crls};
	if ((source->manufacturers = sources->joined[sources->n++] = join(&from->manufacturers)) ==
		NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "make_trust");
	return trust_class_read(from->class, &source->class);
}

/* The vendors come first: of a root that several sources have, theirs is what it is taken for. */
static enum err add_sources(const struct config *config, struct sources *out)
{
	const struct config_trust *from = config->trust.item;

	out->item = calloc(config->trust.n + 1, sizeof(*out->item));
	out->joined = calloc(config->trust.n + 1, sizeof(*out->joined));
	if (out->item == NULL || out->joined == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "make_trust");
	if (config->vendors != NULL)
		out->item[out->n++] = (struct trust_source){
			.name = "vendors", .class = TRUST_MANUFACTURER, .vendors = config->vendors};
	for (size_t i = 0; i < config->trust.n; i++)
		TRY(add_source(out, &from[i]));
	return OK;
}

/* Says which of the sources is wrong, and not only the first one. */
static void note_sources(const struct making *making, const struct sources *sources)
{
	const struct config *config = making->config;
	const struct config_trust *from = config->trust.item;
	size_t before = config->vendors == NULL ? 0 : 1;

	for (size_t i = 0; i < sources->n; i++) {
		struct trust *alone = NULL;

		note(making, i < before ? config->mark : from[i - before].mark,
			i < before ? "vendors" : "trust",
			trust_load(&sources->item[i], 1, NULL, NULL, &alone));
		trust_free(&alone);
	}
}

static void make_trust(const struct making *making)
{
	AUTO(sources_free) struct sources sources = {NULL, NULL, 0};
	struct service *service = making->parts->service;
	size_t before = making->problems->n;
	enum err err = add_sources(making->config, &sources);

	if (err == OK && (err = trust_load(sources.item, sources.n, skipped, (void *)making,
				  &service->trust)) != OK)
		note_sources(making, &sources);
	if (making->problems->n == before)
		note(making, making->config->mark, "trust", err);
}

/* The file is read again: it may name other files by now, and must still be good for a start. */
static void examine(const char *path, struct findings *findings)
{
	AUTO(problems_free) struct problems problems;
	AUTO(config_free) struct config config = {0};

	problems_init(&problems);
	if (config_load(path, &problems, &config) == OK)
		files_examine(path, &config, findings);
	else
		finding_add(findings, "files", FINDING_FAIL,
			"this server does not start again, %zu problem(s) with %s: see endorsed "
			"--check",
			problems.n, path);
}

static enum err note_public_url(const struct config *config, struct service *service)
{
	if (config->public_url == NULL)
		return OK;
	service->public_url = strdup(config->public_url);
	return service->public_url == NULL ? fail(ERR_INTERNAL, "out-of-memory", "parts_make") : OK;
}

enum err parts_make(
	const char *path, const struct config *config, struct problems *problems, struct parts *out)
{
	const struct making making = {path, config, problems, out};
	size_t before = problems->n;

	*out = (struct parts){.skipped = BUF(1 << 16)};
	if ((out->service = calloc(1, sizeof(*out->service))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "parts_make");
	make_secrets(&making);
	make_signer(&making);
	judge_crl_bytes(&making);
	make_admin_ca(&making);
	make_policy(&making);
	make_trust(&making);
	out->service->judged = judged_make(JUDGED_CLAIMS);
	note(&making, config->mark, "database",
		db_open(config->database, (unsigned)config->database_connections,
			(unsigned)config->database_wait * 1000, &out->db));
	note(&making, config->mark, "endorsed", tally_make(clock_now(), &out->tally));
	note(&making, config->mark, "endorsed", traffic_make(&out->traffic));
	note(&making, config->mark, "endorsed", ocsp_make(out->db, &out->ocsp));
	if (problems->n != before)
		return fail(ERR_MALFORMED, "config", "%zu problem(s)", problems->n - before);
	out->service->name = config->service;
	out->service->tickets = out->tickets;
	out->service->db = out->db;
	out->service->tally = out->tally;
	out->service->traffic = out->traffic;
	out->service->ocsp = out->ocsp;
	out->service->examine = examine;
	out->service->path = path;
	out->service->live_aks_max = (unsigned)config->live_aks_per_device;
	out->service->renewal_proof_days = (unsigned)config->renewal_proof_days;
	out->service->crl_bytes = (unsigned)config->crl_bytes;
	out->service->crl_lifetime = (unsigned)config->crl_lifetime;
	out->service->drain = (unsigned)config->drain;
	out->service->certificates_kept = config->retention.certificates;
	return note_public_url(config, out->service);
}

void parts_free(struct parts *parts)
{
	service_free(&parts->service);
	ocsp_free(&parts->ocsp);
	db_close(&parts->db);
	tally_free(&parts->tally);
	traffic_free(&parts->traffic);
	ticket_keys_free(&parts->tickets);
	buf_free(&parts->skipped);
}
