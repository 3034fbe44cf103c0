#include "enroll/agent/install.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/sshkey.h"
#include "enroll/agent/interrupt.h"
#include "enroll/agent/kept.h"
#include "enroll/agent/ourdir.h"
#include "enroll/agent/staged.h"
#include "enroll/agent/tss2key.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PUB ".pub"

char *install_beside(const char *file)
{
	size_t n = strlen(file), end = strlen(PUB);
	char *path = NULL;

	if (n <= end || strcmp(file + n - end, PUB) != 0 ||
		asprintf(&path, "%.*s" STATE_SSH, (int)(n - end), file) < 0)
		return NULL;
	return path;
}

static bool is_new(const char *path, struct view bytes)
{
	AUTO(buf_free) struct buf before = BUF(CERTS_MAX);

	return file_read(path, &before) != OK || !view_equal(buf_view(&before), bytes);
}

/* One file of a template. */
static enum err stage(struct staged *staged, const struct attempt *a, const char *template,
	const char *part, mode_t mode, struct view bytes, bool *changes)
{
	AUTO(mem_free) char *path = state_file(a->state, template, part);

	if (path == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%s", template);
	if (changes != NULL)
		*changes = is_new(path, bytes);
	return staged_add(staged, path, mode, bytes);
}

static enum err intermediates_add(const struct accepted *accepted, struct buf *pem)
{
	for (int i = 0; i < sk_X509_num(accepted->intermediates); i++)
		TRY(cert_pem_add(sk_X509_value(accepted->intermediates, i), pem));
	return OK;
}

static enum err stage_x509(struct staged *staged, const struct attempt *a, size_t i, bool *changes)
{
	AUTO(buf_free) struct buf leaf = BUF(CERTS_MAX);
	AUTO(buf_free) struct buf full = BUF(CERTS_MAX);
	const char *template = a->wanted.items[i].template;

	TRY(cert_pem_add(a->accepted->items[i].x509, &leaf));
	buf_add(&full, buf_view(&leaf));
	TRY(intermediates_add(a->accepted, &full));
	TRY(stage(staged, a, template, STATE_FULLCHAIN, 0644, buf_view(&full), NULL));
	TRY(stage(staged, a, template, STATE_LEAF, 0644, buf_view(&leaf), changes));
	/* The template "ak" has the very file. */
	if (i != a->accepted->ak || strcmp(template, "ak") == 0)
		return OK;
	return staged_add(staged, state_path(a->state, STATE_AK_CERT), 0644, buf_view(&leaf));
}

/* NULL when it can be written there; otherwise why not. */
static const char *hindrance(const char *path)
{
	AUTO(mem_free) char *copy = strdup(path);
	const char *dir = copy == NULL ? "" : dirname(copy);

	/* Who may rename what is there has root write in any place that he likes. */
	if (!ourdir_is(dir))
		return "others may write there or above it, or it is a link now";
	return access(dir, W_OK | X_OK) == 0 ? NULL : strerror(errno);
}

/* sshd looks for it there by itself. A read-only /etc is no reason to do without the rest. */
static enum err stage_beside(struct staged *staged, const struct want *want, struct view line)
{
	AUTO(mem_free) char *path = want->key == WANT_FILE ? install_beside(want->file) : NULL;
	const char *why_not = path == NULL ? NULL : hindrance(path);

	if (path == NULL)
		return OK;
	if (why_not == NULL)
		return staged_add(staged, path, 0644, line);
	fprintf(stderr, "endorse: %s: not written: %s; the certificate is in the state directory\n",
		path, why_not);
	return OK;
}

static enum err ssh_line(struct view blob, const char *comment, struct buf *out)
{
	TRY(sshkey_text(blob, out));
	buf_fmt(out, " %s\n", comment);
	return buf_ok(out);
}

static enum err stage_ssh(struct staged *staged, const struct attempt *a, size_t i, bool *changes)
{
	const struct want *want = &a->wanted.items[i];
	AUTO(buf_free) struct buf line = BUF(CERTS_MAX);
	AUTO(buf_free) struct buf key = BUF(CERTS_MAX);

	TRY(ssh_line(a->accepted->items[i].blob, a->accepted->answer->host, &line));
	TRY(ssh_line(buf_view(&a->keys.items[i].ssh), a->accepted->answer->host, &key));
	TRY(stage(staged, a, want->template, STATE_SSH_PUB, 0644, buf_view(&key), NULL));
	TRY(stage(staged, a, want->template, STATE_SSH, 0644, buf_view(&line), changes));
	return stage_beside(staged, want, buf_view(&line));
}

/* What another kind of template of the same name had left would be taken for what is held. */
static void remove_other_kind(const struct attempt *a, size_t i)
{
	static const char *const ssh[] = {STATE_SSH, STATE_SSH_PUB};
	static const char *const x509[] = {STATE_LEAF, STATE_FULLCHAIN};
	bool is_ssh = a->accepted->items[i].x509 == NULL;

	for (size_t k = 0; k < COUNT(ssh); k++) {
		AUTO(mem_free)
		char *path = state_file(
			a->state, a->wanted.items[i].template, is_ssh ? x509[k] : ssh[k]);

		if (path != NULL)
			unlink(path);
	}
}

static enum err stage_key(struct staged *staged, const struct attempt *a, size_t i)
{
	AUTO(buf_free) struct buf pem = BUF(TSS2KEY_MAX);

	if (a->keys.items[i].tpm == NULL)
		return OK;
	TRY(tpmkey_encode(a->keys.items[i].tpm, &pem));
	return stage(staged, a, a->wanted.items[i].template, STATE_KEY, 0600, buf_view(&pem), NULL);
}

static enum err stage_certificate(struct staged *staged, struct attempt *a, size_t i)
{
	struct want *want = &a->wanted.items[i];
	bool changes = false;

	TRY(stage_key(staged, a, i));
	if (a->accepted->items[i].x509 != NULL)
		TRY(stage_x509(staged, a, i, &changes));
	else
		TRY(stage_ssh(staged, a, i, &changes));
	if (changes)
		want->is_hook_due = want->command[0] != '\0';
	return OK;
}

static enum err stage_ssh_ca(
	struct staged *staged, const struct attempt *a, const char *name, struct view blob)
{
	AUTO(buf_free) struct buf line = BUF(CERTS_MAX);

	if (blob.n == 0)
		return OK;
	TRY(ssh_line(blob, a->wish->service, &line));
	return staged_add(staged, state_path(a->state, name), 0644, buf_view(&line));
}

/* Whom this machine trusts. */
static enum err stage_authorities(struct staged *staged, const struct attempt *a)
{
	AUTO(buf_free) struct buf anchors = BUF(CERTS_MAX);
	AUTO(buf_free) struct buf chain = BUF(CERTS_MAX);

	TRY(anchors_write(a->anchors, &anchors));
	TRY(intermediates_add(a->accepted, &chain));
	TRY(staged_add(staged, state_path(a->state, STATE_ANCHORS), 0644, buf_view(&anchors)));
	TRY(staged_add(staged, state_path(a->state, STATE_CHAIN), 0644, buf_view(&chain)));
	TRY(stage_ssh_ca(staged, a, STATE_SSH_HOST_CA, a->accepted->answer->ssh_host_ca));
	return stage_ssh_ca(staged, a, STATE_SSH_USER_CA, a->accepted->answer->ssh_user_ca);
}

/* A renewal asks no EK: what is known of it stays. */
static void describe(const struct attempt *a, struct enrollment *e)
{
	const struct device_ak *ak = a->found.ak;

	*e = a->before;
	snprintf(e->server, sizeof(e->server), "%s", a->wish->server);
	snprintf(e->service, sizeof(e->service), "%s", a->wish->service);
	snprintf(e->host, sizeof(e->host), "%s", a->accepted->answer->host);
	snprintf(e->device_id, sizeof(e->device_id), "%s", a->accepted->answer->device_id);
	if (a->is_renewal)
		return;
	snprintf(e->ek_template, sizeof(e->ek_template), "%s", a->ek->template->name);
	snprintf(e->ek_sha256, sizeof(e->ek_sha256), "%s", a->ek->sha256);
	snprintf(e->ak_kind, sizeof(e->ak_kind), "%s", ak_recipe_text(ak->judged));
	snprintf(e->ak_hierarchy, sizeof(e->ak_hierarchy), "%s", device_ak_place(ak));
	e->ak_handle[0] = '\0';
	if (ak->handle != 0)
		snprintf(e->ak_handle, sizeof(e->ak_handle), "0x%08x", ak->handle);
	clock_text(clock_now(), e->enrolled_at);
}

/* Last of all: it says "complete". */
static enum err stage_records(struct staged *staged, const struct attempt *a)
{
	AUTO(buf_free) struct buf kept = BUF(KEPT_MAX);
	AUTO(buf_free) struct buf text = BUF(ENROLLMENT_MAX);
	struct enrollment e;

	describe(a, &e);
	TRY(kept_encode(&a->wanted, &kept));
	TRY(enrollment_encode(&e, &text));
	TRY(staged_add(staged, state_path(a->state, STATE_CERTIFICATES), 0644, buf_view(&kept)));
	return staged_add(staged, state_path(a->state, STATE_ENROLLMENT), 0644, buf_view(&text));
}

static enum err stage_ak(struct staged *staged, const struct attempt *a)
{
	const struct device_ak *ak = a->found.ak;
	AUTO(buf_free) struct buf pem = BUF(TSS2KEY_MAX);

	if (ak->private.n == 0)
		return staged_add(
			staged, state_path(a->state, STATE_AK_PUBLIC), 0644, buf_view(&ak->public));
	TRY(device_ak_encode(ak, &pem));
	return staged_add(staged, state_path(a->state, STATE_AK_KEY), 0600, buf_view(&pem));
}

/* The only change that stays in the TPM, so it comes last of what can fail there. */
static enum err persist(struct attempt *a)
{
	AUTO(tpm_close) struct tpm *tpm = NULL;

	if (a->found.persist_at == 0)
		return OK;
	TRY(interrupt_check());
	TRY(tpm_open(&a->wish->access, &tpm));
	return device_ak_persist(tpm, a->found.ak, a->ek, a->found.persist_at);
}

/* What is of no more use; new keys are in their own places now. */
static void tidy(const struct attempt *a)
{
	bool has_file = a->found.ak->private.n > 0;

	for (size_t i = 0; i < a->wanted.n; i++)
		remove_other_kind(a, i);
	unlink(state_path(a->state, STATE_AK_KEY_NEW));
	unlink(state_path(a->state, has_file ? STATE_AK_PUBLIC : STATE_AK_KEY));
	keys_forget_new(&a->keys, a->state);
}

enum err install(struct attempt *a)
{
	AUTO(staged_free) struct staged staged = {.n = 0};

	TRY(persist(a));
	TRY(stage_ak(&staged, a));
	for (size_t i = 0; i < a->wanted.n; i++)
		TRY(stage_certificate(&staged, a, i));
	TRY(stage_authorities(&staged, a));
	TRY(stage_records(&staged, a));
	TRY(staged_commit(&staged));
	tidy(a);
	return OK;
}
