#include "enroll/agent/keys.h"

#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/sshkey.h"
#include "enroll/tpm/certified.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 16384

void brought_free(struct brought *brought)
{
	tpmkey_free(&brought->tpm);
	pkey_free(&brought->owned);
	buf_free(&brought->ssh);
}

void keys_free(struct keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		brought_free(&keys->items[i]);
	keys->n = 0;
}

/* X.509 needs no form of OpenSSH's. */
static void name_in_ssh(struct brought *out)
{
	if (sshkey_blob_of(out->pkey, &out->ssh) != OK)
		buf_free(&out->ssh);
}

static enum err read_file(struct brought *out)
{
	AUTO(buf_free) struct buf text = BUF(FILE_MAX);
	AUTO(bio_free) BIO *bio = NULL;
	const char *path = out->want->file;

	TRY(file_read(path, &text));
	if ((bio = BIO_new_mem_buf(text.p, (int)text.n)) != NULL)
		out->owned = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	ERR_clear_error();
	if (out->owned != NULL) {
		out->pkey = out->owned;
		name_in_ssh(out);
		return OK;
	}
	if (sshkey_line(buf_view(&text), &out->ssh) == OK)
		return OK;
	return fail(ERR_INTERNAL, "key-file",
		"%s: neither a public key of OpenSSH (%s) nor one in PEM (BEGIN PUBLIC KEY)", path,
		why()->sentence);
}

static void take_tpm(struct brought *out, struct tpmkey **key)
{
	out->tpm = MOVE(*key);
	out->pkey = out->tpm->pkey;
	name_in_ssh(out);
}

static void begin(struct brought *out, const struct want *want)
{
	*out = (struct brought){.want = want, .ssh = BUF(SSHKEY_MAX)};
}

static enum err take_ak(struct brought *out, const struct device_ak *ak)
{
	out->pkey = ak_pkey(ak->judged);
	name_in_ssh(out);
	return OK;
}

enum err keys_read(const struct want *want, const struct device_ak *ak, struct state *state,
	struct brought *out)
{
	AUTO(mem_free) char *path = state_file(state, want->template, STATE_KEY);
	AUTO(tpmkey_free) struct tpmkey *key = NULL;

	begin(out, want);
	if (want->key == WANT_AK)
		return take_ak(out, ak);
	if (want->key == WANT_FILE)
		return read_file(out);
	if (path == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%s", want->template);
	TRY(tpmkey_read(path, &key));
	take_tpm(out, &key);
	return OK;
}

/* Leaves out->tpm empty when the file has no key that will do. */
static enum err find_in_file(
	struct tpm *tpm, const char *part, struct state *state, struct brought *out)
{
	AUTO(mem_free) char *path = NULL;
	AUTO(loaded_flush) struct loaded loaded = LOADED(tpm);
	AUTO(tpmkey_free) struct tpmkey *key = NULL;
	enum err err;

	if (out->tpm != NULL || state == NULL)
		return OK;
	path = state_file(state, out->want->template, part);
	if (path == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%s", out->want->template);
	err = tpmkey_read(path, &key);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err == OK && strcmp(tpmkey_kind_text(key), key_kind_text(out->want->kind)) != 0)
		err = fail(ERR_REJECTED, "tpm-key", "another kind is asked for");
	if (err == OK)
		err = tpmkey_load(tpm, key, &loaded);
	if (err != OK && strcmp(why()->code, "tpm") == 0)
		return err;
	if (err == OK)
		take_tpm(out, &key);
	else
		fprintf(stderr, "endorse: the key in %s is not used: %s\n", path, why()->sentence);
	return OK;
}

static enum err find_tpm(struct tpm *tpm, struct state *state, bool makes_new, struct brought *out)
{
	AUTO(tpmkey_free) struct tpmkey *key = NULL;

	TRY(find_in_file(tpm, STATE_KEY_NEW, state, out));
	if (!makes_new)
		TRY(find_in_file(tpm, STATE_KEY, state, out));
	if (out->tpm != NULL)
		return OK;
	TRY(tpmkey_make(tpm, out->want->kind, &key));
	take_tpm(out, &key);
	out->is_new = true;
	return OK;
}

enum err keys_find(struct tpm *tpm, const struct wanted *wanted, const struct device_ak *ak,
	struct state *state, bool makes_new, struct keys *out)
{
	out->wanted = wanted;
	for (size_t i = 0; i < wanted->n; i++) {
		struct brought *one = &out->items[out->n++];

		begin(one, &wanted->items[i]);
		if (one->want->key == WANT_AK)
			TRY(take_ak(one, ak));
		else if (one->want->key == WANT_FILE)
			TRY(read_file(one));
		else
			TRY(find_tpm(tpm, state, makes_new, one));
	}
	return OK;
}

enum err keys_keep_new(const struct keys *keys, struct state *state)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct brought *one = &keys->items[i];
		AUTO(mem_free) char *path = NULL;

		if (!one->is_new)
			continue;
		path = state_file(state, one->want->template, STATE_KEY_NEW);
		if (path == NULL)
			return fail(ERR_INTERNAL, "out-of-memory", "%s", one->want->template);
		TRY(tpmkey_write(one->tpm, path));
	}
	return OK;
}

void keys_forget_new(const struct keys *keys, struct state *state)
{
	for (size_t i = 0; i < keys->n; i++) {
		AUTO(mem_free)
		char *path = state_file(state, keys->items[i].want->template, STATE_KEY_NEW);

		if (path != NULL)
			unlink(path);
	}
}

static enum err certify(const struct brought *one, struct tpm *tpm, const struct device_ak *ak,
	const struct device_ek *ek, struct view ticket, struct request_key *out)
{
	AUTO(tpmkey_statement_free) struct tpmkey_statement statement;
	uint8_t qualifying[32];

	tpmkey_statement_init(&statement);
	TRY(certify_qualifying(ticket, qualifying));
	TRY(tpmkey_certify(tpm, one->tpm, ak, ek, VIEW(qualifying), &statement));
	buf_add(&out->public, buf_view(&one->tpm->public));
	buf_add(&out->attest, buf_view(&statement.attest));
	buf_add(&out->signature, buf_view(&statement.signature));
	return buf_ok(&out->public);
}

static enum err vouch(const struct brought *one, struct request_key *out)
{
	AUTO(ossl_free) uint8_t *der = NULL;
	int n;

	if (one->owned == NULL) {
		buf_add(&out->ssh, buf_view(&one->ssh));
		return buf_ok(&out->ssh);
	}
	n = i2d_PUBKEY(one->owned, &der);
	if (n <= 0)
		return fail(ERR_INTERNAL, "key-file", "%s: it cannot be written", one->want->file);
	buf_add(&out->spki, (struct view){der, (size_t)n});
	return buf_ok(&out->spki);
}

enum err keys_request(const struct keys *keys, struct tpm *tpm, const struct device_ak *ak,
	const struct device_ek *ek, struct view ticket, struct request *out)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct brought *one = &keys->items[i];
		struct request_key *key = &out->keys[i];

		snprintf(key->template, sizeof(key->template), "%s", one->want->template);
		if (one->want->key == WANT_TPM)
			TRY(certify(one, tpm, ak, ek, ticket, key));
		else if (one->want->key == WANT_FILE)
			TRY(vouch(one, key));
	}
	out->keys_n = keys->n;
	return OK;
}

bool brought_is(const struct brought *brought, EVP_PKEY *key)
{
	return brought->pkey != NULL && key != NULL && EVP_PKEY_eq(brought->pkey, key) == 1;
}
