#include "enroll/agent/access.h"

#include "ca/base/encode.h"
#include "ca/base/file.h"

#include <stdio.h>
#include <string.h>

#define AUTH_FILE_MAX 256

static const char *credentials;

void access_credentials_in(const char *directory)
{
	credentials = directory;
}

bool access_option(struct tpm_access *access, int id, const char *value)
{
	switch (id) {
	case ACCESS_TCTI:
		access->tcti = value;
		return true;
	case ACCESS_OWNER_AUTH:
		access->owner_auth = value;
		return true;
	case ACCESS_ENDORSEMENT_AUTH:
		access->endorsement_auth = value;
		return true;
	default:
		return false;
	}
}

const char *access_text(const struct tpm_access *access)
{
	return access->tcti == NULL ? "the TSS's default (/dev/tpmrm0)" : access->tcti;
}

void auth_wipe(struct tpm_auth *auth)
{
	secret_wipe(auth, sizeof(*auth));
}

static bool begins(struct view text, const char *with)
{
	size_t n = strlen(with);

	return text.n >= n && memcmp(text.p, with, n) == 0;
}

static enum err take(struct view text, const char *path, TPM2B_AUTH *out)
{
	const size_t prefix = strlen("hex:");
	bool is_hex = begins(text, "hex:");

	if (is_hex || begins(text, "str:"))
		text = (struct view){text.p + prefix, text.n - prefix};
	if ((is_hex && text.n % 2 != 0) || text.n / (is_hex ? 2 : 1) > sizeof(out->buffer))
		return fail(ERR_INTERNAL, "auth-file",
			"%s: an auth value has at most %zu bytes, each two digits after \"hex:\"",
			path, sizeof(out->buffer));
	out->size = (UINT16)(is_hex ? text.n / 2 : text.n);
	if (!is_hex)
		memcpy(out->buffer, text.p, text.n);
	else if (hex_read(text, out->buffer, out->size) != OK)
		return fail(ERR_INTERNAL, "auth-file",
			"%s: after \"hex:\" only hexadecimal digits may follow", path);
	return OK;
}

static enum err read_file(const char *path, struct tpm_auth *out)
{
	AUTO(buf_free) struct buf text = BUF(AUTH_FILE_MAX);
	enum err err = file_read_secret(path, false, &text);

	if (err == ERR_TOO_LARGE)
		return fail(ERR_INTERNAL, "auth-file", "%s: too long for an auth value", path);
	TRY(err);
	if (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	/* An empty auth value is none; whoever wrote the file meant something. */
	if (text.n == 0)
		return fail(ERR_INTERNAL, "auth-file", "%s: there is no auth value in it", path);
	TRY(take(buf_view(&text), path, &out->value));
	snprintf(out->source, sizeof(out->source), "%s", path);
	return OK;
}

enum err auth_read(const char *path, const char *credential, struct tpm_auth *out)
{
	AUTO(mem_free) char *of_systemd = NULL;
	enum err err;

	*out = (struct tpm_auth){0};
	if (path != NULL)
		return read_file(path, out);
	if (credentials == NULL || credentials[0] != '/')
		return OK;
	of_systemd = path_join(credentials, credential);
	if (of_systemd == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "auth_read");
	err = read_file(of_systemd, out);
	return err == ERR_NOT_FOUND ? OK : err;
}
