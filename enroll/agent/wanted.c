#include "enroll/agent/wanted.h"

#include "ca/base/mem.h"
#include "enroll/agent/tpmkey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AK_TEMPLATE "ak"
#define PROPERTY_TEMPLATE "platform-property"
#define HOST_KEY "/etc/ssh/ssh_host_ed25519_key.pub"

/* What is meant when a shipped template is asked for by its name alone, and what comes of it. */
static const struct shipped {
	const char *template;
	const char *key;
	enum want_form form;
	bool is_aks_own; /* an AK certificate */
} shipped[] = {
	{AK_TEMPLATE, "ak", WANT_X509, true},
	{"ak-named", "ak", WANT_X509, true},
	{"ak-step", "ak", WANT_X509, true},
	{"ak-private", "ak", WANT_X509, true},
	{"iak", "ak", WANT_X509, true},
	{"platform-property", "ak", WANT_X509, false},
	{"tls-client", "tpm", WANT_X509, false},
	{"tls-server", "tpm", WANT_X509, false},
	{"tls-peer", "tpm", WANT_X509, false},
	{"ldevid", "tpm", WANT_X509, false},
	{"ssh-user", "tpm", WANT_SSH_USER, false},
	{"ssh-host", HOST_KEY, WANT_SSH_HOST, false},
};

static const struct shipped *find_shipped(const char *template)
{
	for (size_t i = 0; i < COUNT(shipped); i++)
		if (strcmp(shipped[i].template, template) == 0)
			return &shipped[i];
	return NULL;
}

enum want_form want_form(const struct want *want)
{
	const struct shipped *known = find_shipped(want->template);

	return known == NULL ? WANT_ANY_FORM : known->form;
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && strcmp(name + n - m, end) == 0;
}

bool want_is_name(const char *name)
{
	static const char *const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	static const char *const taken[] = {"chain", "anchors", "ssh-host-ca", "ssh-user-ca"};
	static const char *const ends[] = {".tss2", ".new", ".fullchain", "-cert", "."};
	size_t n = strlen(name);

	if (n == 0 || n > LIMIT_TEMPLATE_NAME || strspn(name, alphabet) != n ||
		strstr(name, "..") != NULL || name[0] == '.' || name[0] == '-')
		return false;
	for (size_t i = 0; i < COUNT(taken); i++)
		if (strcmp(name, taken[i]) == 0)
			return false;
	for (size_t i = 0; i < COUNT(ends); i++)
		if (ends_in(name, ends[i]))
			return false;
	return true;
}

static bool has_control(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return true;
	return false;
}

bool want_key_read(struct want *want, const char *text)
{
	want->file[0] = '\0';
	want->kind = KEY_P256;
	if (strcmp(text, "ak") == 0) {
		want->key = WANT_AK;
		return true;
	}
	if (strcmp(text, "tpm") == 0 || strncmp(text, "tpm:", 4) == 0) {
		want->key = WANT_TPM;
		return text[3] == '\0' || tpmkey_kind_read(text + 4, &want->kind);
	}
	if (text[0] != '/' || strlen(text) > WANT_PATH || has_control(text))
		return false;
	want->key = WANT_FILE;
	snprintf(want->file, sizeof(want->file), "%s", text);
	return true;
}

void want_key_text(const struct want *want, char *out, size_t room)
{
	if (want->key == WANT_FILE)
		snprintf(out, room, "%s", want->file);
	else if (want->key == WANT_TPM)
		snprintf(out, room, "tpm:%s", key_kind_text(want->kind));
	else
		snprintf(out, room, "ak");
}

/* The timer renews in another directory, so a file is kept by its absolute path. */
static enum err read_key(struct want *want, const char *text)
{
	AUTO(mem_free) char *path = NULL;

	if (strchr(text, '/') == NULL && want_key_read(want, text))
		return OK;
	path = realpath(text, NULL);
	if (path == NULL || !want_key_read(want, path))
		return fail(ERR_MALFORMED, "usage",
			"--template %s: \"%s\" is none of ak, tpm, tpm:KIND (" TPMKEY_KINDS
			") and the files of this machine",
			want->template, text);
	return OK;
}

static enum err default_key(struct want *want)
{
	const struct shipped *known = find_shipped(want->template);

	if (known == NULL)
		return fail(ERR_MALFORMED, "usage",
			"--template %s: it is none that comes with Endorse, so say for which key: "
			"%s=ak, %s=tpm or %s=FILE",
			want->template, want->template, want->template, want->template);
	if (strcmp(known->key, HOST_KEY) == 0 && access(HOST_KEY, R_OK) != 0)
		return fail(ERR_MALFORMED, "usage",
			"--template %s: " HOST_KEY ": %s; ssh-keygen -A makes it, or say for which "
			"key: %s=FILE",
			want->template, strerror(errno), want->template);
	return read_key(want, known->key);
}

struct want *wanted_find(struct wanted *wanted, const char *template)
{
	for (size_t i = 0; i < wanted->n; i++)
		if (strcmp(wanted->items[i].template, template) == 0)
			return &wanted->items[i];
	return NULL;
}

static enum err split(const char *option, const char *text, struct want *want, const char **rest)
{
	size_t n = strcspn(text, "=");

	snprintf(want->template, sizeof(want->template), "%.*s",
		n < sizeof(want->template) ? (int)n : (int)sizeof(want->template) - 1, text);
	*rest = text[n] == '=' ? text + n + 1 : NULL;
	if (n >= sizeof(want->template) || !want_is_name(want->template))
		return fail(ERR_MALFORMED, "usage",
			"%s: \"%.*s\" is no template's name: lower-case letters, digits, \"-\", "
			"\"_\" and \".\", and none of the names that files here have already",
			option, (int)(n < 80 ? n : 80), text);
	return OK;
}

/* Its place; a command may have come before its template, whose key is then unknown yet. */
static enum err place(struct wanted *wanted, const char *template, struct want **out)
{
	*out = wanted_find(wanted, template);
	if (*out != NULL)
		return OK;
	if (wanted->n == COUNT(wanted->items))
		return fail(ERR_MALFORMED, "usage", "--template: more than %d", LIMIT_KEYS);
	*out = &wanted->items[wanted->n++];
	**out = (struct want){.key = WANT_AK};
	snprintf((*out)->template, sizeof((*out)->template), "%s", template);
	return OK;
}

/* WANT_FILE without a file: a command whose template has not been asked for. */
static bool is_bare(const struct want *want)
{
	return want->key == WANT_FILE && want->file[0] == '\0';
}

enum err wanted_add(struct wanted *wanted, const char *text)
{
	struct want read = {.key = WANT_AK}, *want;
	const char *key;

	TRY(split("--template", text, &read, &key));
	want = wanted_find(wanted, read.template);
	if (want != NULL && !is_bare(want))
		return fail(ERR_MALFORMED, "usage", "--template %s: twice", read.template);
	TRY(key == NULL ? default_key(&read) : read_key(&read, key));
	if (strcmp(read.template, AK_TEMPLATE) == 0 && read.key != WANT_AK)
		return fail(ERR_MALFORMED, "usage",
			"--template ak: it is for the AK, and for no other key");
	TRY(place(wanted, read.template, &want));
	want->key = read.key;
	want->kind = read.kind;
	snprintf(want->file, sizeof(want->file), "%s", read.file);
	return OK;
}

enum err wanted_exec(struct wanted *wanted, const char *text)
{
	struct want read = {.key = WANT_AK}, *want;
	const char *command;
	bool is_new;

	TRY(split("--exec", text, &read, &command));
	if (command == NULL || command[0] == '\0' || strlen(command) > WANT_COMMAND ||
		has_control(command))
		return fail(ERR_MALFORMED, "usage",
			"--exec %s: wanted NAME=COMMAND, one line of at most %d bytes",
			read.template, WANT_COMMAND);
	is_new = wanted_find(wanted, read.template) == NULL;
	TRY(place(wanted, read.template, &want));
	if (is_new)
		want->key = WANT_FILE;
	snprintf(want->command, sizeof(want->command), "%s", command);
	return OK;
}

/*
 * Might it be the AK's own? A name that is not shipped says nothing, so such a template is taken at its word, and the answer
 * shows whether it makes AK certificates.
 */
static bool is_ak_certificate(const struct want *want)
{
	const struct shipped *known = find_shipped(want->template);

	return want->key == WANT_AK && (known == NULL || known->is_aks_own);
}

static bool has_ak(const struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->n; i++)
		if (is_ak_certificate(&wanted->items[i]))
			return true;
	return false;
}

static enum err refuse_bare(const struct want *want)
{
	return fail(ERR_MALFORMED, "usage",
		"--exec %s: no certificate of that template is asked for (--template)",
		want->template);
}

static enum err add_ak(struct wanted *wanted)
{
	struct want *ak = wanted_find(wanted, AK_TEMPLATE);

	if (has_ak(wanted))
		return OK;
	/* A command for what comes without being asked for. */
	if (ak != NULL) {
		ak->key = WANT_AK;
		return OK;
	}
	if (wanted->n == COUNT(wanted->items))
		return fail(ERR_MALFORMED, "usage",
			"--template: more than %d, with \"ak\", without which no key is certified",
			LIMIT_KEYS);
	memmove(wanted->items + 1, wanted->items, wanted->n++ * sizeof(wanted->items[0]));
	wanted->items[0] = (struct want){.template = AK_TEMPLATE, .key = WANT_AK};
	return OK;
}

static bool asks_for_none(const struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->n; i++)
		if (!is_bare(&wanted->items[i]))
			return false;
	return true;
}

static void set_command(struct want *want, const char *command)
{
	snprintf(want->command, sizeof(want->command), "%s", command);
}

static enum err resolve_commands(const struct wanted *asked, struct wanted *out)
{
	for (size_t i = 0; i < asked->n; i++) {
		struct want *want = wanted_find(out, asked->items[i].template);

		if (want == NULL)
			return refuse_bare(&asked->items[i]);
		set_command(want, asked->items[i].command);
	}
	return OK;
}

static void inherit(struct wanted *to, const struct wanted *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct want *want = wanted_find(to, from->items[i].template);

		if (want == NULL)
			continue;
		if (want->command[0] == '\0')
			set_command(want, from->items[i].command);
		want->is_hook_due = want->command[0] != '\0' && from->items[i].is_hook_due;
	}
}

enum err wanted_resolve(const struct wanted *asked, const struct wanted *kept, struct wanted *out)
{
	if (asks_for_none(asked)) {
		*out = *kept;
		TRY(add_ak(out));
		return resolve_commands(asked, out);
	}
	*out = *asked;
	TRY(add_ak(out));
	for (size_t i = 0; i < out->n; i++)
		if (is_bare(&out->items[i]))
			return refuse_bare(&out->items[i]);
	inherit(out, kept);
	return OK;
}

/* How surely its certificate is the AK's own. */
static int rank(const struct want *want)
{
	if (strcmp(want->template, AK_TEMPLATE) == 0)
		return 4;
	if (is_ak_certificate(want))
		return find_shipped(want->template) != NULL ? 3 : 2;
	return want->key == WANT_AK ? 1 : 0;
}

size_t wanted_ak(const struct wanted *wanted)
{
	size_t best = 0;

	for (size_t i = 1; i < wanted->n; i++)
		if (rank(&wanted->items[i]) > rank(&wanted->items[best]))
			best = i;
	return best;
}

bool wanted_same(const struct wanted *a, const struct wanted *b)
{
	struct wanted others = *b;

	for (size_t i = 0; i < a->n; i++) {
		const struct want *one = &a->items[i];
		const struct want *other = wanted_find(&others, one->template);

		if (other == NULL || other->key != one->key ||
			(one->key == WANT_TPM && other->kind != one->kind) ||
			strcmp(other->file, one->file) != 0)
			return false;
	}
	return a->n == b->n;
}

bool wanted_equal(const struct wanted *a, const struct wanted *b)
{
	struct wanted others = *b;

	for (size_t i = 0; i < a->n; i++) {
		const struct want *other = wanted_find(&others, a->items[i].template);

		if (other == NULL || strcmp(other->command, a->items[i].command) != 0)
			return false;
	}
	return wanted_same(a, b);
}
