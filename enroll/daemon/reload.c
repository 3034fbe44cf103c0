#include "enroll/daemon/reload.h"

#include "ca/base/log.h"
#include "enroll/daemon/change.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static enum err run(void *ctx, const char *by, struct reload_answer *out)
{
	return reload_now(ctx, by, out);
}

enum err reload_init(const char *path, const struct config *config, struct parts *parts,
	const struct notify *notify, struct reload *out)
{
	*out = (struct reload){
		.reloader = {run, out},
		.path = path,
		.config = config,
		.parts = parts,
		.notify = notify,
	};
	pthread_mutex_init(&out->lock, NULL);
	TRY(imported_make(&out->imported));
	parts->service->reloader = &out->reloader;
	return current_make(&parts->service, &out->current);
}

void reload_free(struct reload *reload)
{
	current_free(&reload->current);
	imported_free(&reload->imported);
	pthread_mutex_destroy(&reload->lock);
}

/* Where the database is away: those that were read last. */
static enum err join_imported(const struct reload *reload, struct parts *parts)
{
	struct service *made = MOVE(parts->service);
	enum err err;

	if (imported_read(reload->imported, reload->parts->db) != OK)
		LOG(WARNING, "trust.not-read", "why", why()->sentence);
	err = imported_join(reload->imported, &made, &parts->service);
	service_free(&made);
	return err;
}

/* Its own problems, and what it changes of the running service; `parts` are only good without any. */
static enum err read_anew(const struct reload *reload, struct change *change, struct parts *parts,
	struct config *config, struct problems *problems)
{
	enum err err = config_load(reload->path, problems, config);

	if (err == OK)
		err = parts_make(reload->path, config, problems, parts);
	if (err == OK)
		err = join_imported(reload, parts);
	change->config = config;
	change->next = parts->service;
	if (err == OK)
		change_judge(change, problems);
	if (problems->n > 0)
		return refuse(ERR_REJECTED, "configuration-wrong", "PROTOCOL admin",
			"%zu problem(s) with the configuration: all of it stays as it was",
			problems->n);
	return err;
}

/* Of the new parts only the snapshot is taken: database, ticket keys, tally and traffic are the process's. */
static void take(struct reload *reload, struct parts *parts)
{
	struct service *next = MOVE(parts->service);

	for (struct service *one = next; one != NULL; one = one->parent) {
		one->name = reload->config->service;
		one->tickets = reload->parts->tickets;
		one->db = reload->parts->db;
		one->tally = reload->parts->tally;
		one->traffic = reload->parts->traffic;
		one->ocsp = reload->parts->ocsp;
		one->reloader = &reload->reloader;
	}
	current_replace(reload->current, &next);
}

static enum err attempt(struct reload *reload, const struct service *old, struct reload_answer *out)
{
	AUTO(problems_free) struct problems problems;
	AUTO(config_free) struct config config = {0};
	AUTO(parts_free) struct parts parts = {0};
	struct change change = {.old_config = reload->config, .old = old};
	enum err err;

	problems_init(&problems);
	err = read_anew(reload, &change, &parts, &config, &problems);
	buf_add(&out->problems, buf_view(&problems.text));
	TRY(err);
	buf_add(&out->warnings, buf_view(&parts.skipped));
	change_tell(&change, out);
	take(reload, &parts);
	return OK;
}

/* Each line as an event of its own; the buffer is as it was, afterwards. */
static void log_problems(struct buf *lines)
{
	char *line = (char *)lines->p, *end;

	for (; line != NULL && (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		LOG(ERR, "reload.problem", "what", line);
		*end = '\n';
	}
}

/* All lines in one. */
static void join(const struct buf *lines, struct buf *out)
{
	for (size_t i = 0; i < lines->n; i++)
		if (lines->p[i] != '\n')
			buf_u8(out, lines->p[i]);
		else if (i + 1 < lines->n)
			buf_str(out, "; ");
}

static void log_reload(
	struct reload *reload, const char *by, struct reload_answer *answer, enum err err)
{
	AUTO(buf_free) struct buf changes = BUF(1 << 20);
	struct service *service;

	if (err != OK) {
		log_problems(&answer->problems);
		LOG(ERR, "reload.refused", "by", by, "code", why()->code, "why", why()->sentence);
		return;
	}
	join(&answer->changes, &changes);
	service = current_take(reload->current);
	LOG(NOTICE, "service.reloaded", "by", by, "changes",
		changes.n == 0 ? "none" : buf_text(&changes), "trust", answer->trust_version,
		"vendors", trust_bundle_words(service->trust), "policy", answer->policy_version,
		"ca", answer->ca_certificate);
	current_release(reload->current, &service);
}

static void tell_reloading(const struct reload *reload)
{
	struct timespec now;
	char state[64];

	if (!reload->is_serving)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		(long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify_say(reload->notify, state, "reading the configuration");
}

/* `state` is NULL, or that we are ready: again, or for the first time. */
static void tell_status(const struct reload *reload, const char *state)
{
	struct service *service;
	struct outcome rules;
	char status[256];

	if (!reload->is_serving)
		return;
	service = current_take(reload->current);
	outcome_rules(&rules, service);
	current_release(reload->current, &service);
	snprintf(status, sizeof(status), "serving; policy %s, trust set %s%s", rules.policy,
		rules.trust,
		reload->is_refused ? "; the last reload was refused, see the log" : "");
	notify_say(reload->notify, state, status);
}

void reload_serving(struct reload *reload)
{
	pthread_mutex_lock(&reload->lock);
	reload->is_serving = true;
	tell_status(reload, "READY=1");
	pthread_mutex_unlock(&reload->lock);
}

static enum err take_imported(struct reload *reload)
{
	struct service *made, *next;
	enum err err;

	TRY(imported_read(reload->imported, reload->parts->db));
	if (!imported_has_moved(reload->imported))
		return OK;
	made = current_take_made(reload->current);
	err = imported_join(reload->imported, &made, &next);
	current_release(reload->current, &made);
	TRY(err);
	current_replace(reload->current, &next);
	tell_status(reload, NULL);
	return OK;
}

/* One line for each change, however long it lasts. */
static void log_unread(struct reload *reload, enum err err)
{
	const char *code = err == OK ? "" : why()->code;

	if (strcmp(reload->unread, code) == 0)
		return;
	if (err != OK)
		LOG(WARNING, "trust.not-read", "reason", code, "why", why()->sentence);
	snprintf(reload->unread, sizeof(reload->unread), "%s", code);
}

enum err reload_imported(struct reload *reload)
{
	enum err err;

	pthread_mutex_lock(&reload->lock);
	err = take_imported(reload);
	log_unread(reload, err);
	pthread_mutex_unlock(&reload->lock);
	return err;
}

enum err reload_now(struct reload *reload, const char *by, struct reload_answer *out)
{
	struct service *old;
	enum err err;

	pthread_mutex_lock(&reload->lock);
	tell_reloading(reload);
	old = current_take(reload->current);
	err = attempt(reload, old, out);
	current_release(reload->current, &old);
	log_reload(reload, by, out, err);
	reload->is_refused = err != OK;
	tell_status(reload, "READY=1");
	pthread_mutex_unlock(&reload->lock);
	return err;
}
