#include "enroll/admin/ssh_print.h"

#include "ca/sshkey.h"
#include "ca/sshwire.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define INDENT "        "
#define TYPE(view) (int)(view).n, (const char *)(view).p

/* "ECDSA" of "ecdsa-sha2-nistp256": how OpenSSH calls the kind. */
static const char *kind_of(struct view type)
{
	static const struct {
		const char *begins, *kind;
	} kinds[] = {{"ssh-rsa", "RSA"}, {"ecdsa-sha2-", "ECDSA"}, {"ssh-ed25519", "ED25519"}};

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (type.n >= strlen(kinds[i].begins) &&
			memcmp(type.p, kinds[i].begins, strlen(kinds[i].begins)) == 0)
			return kinds[i].kind;
	return "UNKNOWN";
}

/* The certified key is told by the digest of its own blob, which a certificate does not hold in one piece. */
static enum err print_key(const struct ssh_certificate *certificate, struct buf *out)
{
	AUTO(buf_free) struct buf blob = BUF(SSHKEY_MAX);
	struct view type = certificate->key_type;

	type.n -= strlen(SSH_CERTIFICATE_SUFFIX);
	sshwire_add_string(&blob, type);
	buf_add(&blob, certificate->public_key);
	TRY(buf_ok(&blob));
	buf_fmt(out, INDENT "Public key: %s-CERT ", kind_of(type));
	TRY(sshkey_fingerprint(buf_view(&blob), out));
	buf_str(out, "\n");
	return buf_ok(out);
}

static enum err print_ca(const struct ssh_certificate *certificate, struct buf *out)
{
	struct view key = certificate->signature_key, signature = certificate->signature, type,
		    algorithm;

	if (!sshwire_string(&key, &type) || !sshwire_string(&signature, &algorithm))
		return fail(ERR_MALFORMED, "ssh-certificate", "no signature that can be read");
	buf_fmt(out, INDENT "Signing CA: %s ", kind_of(type));
	TRY(sshkey_fingerprint(certificate->signature_key, out));
	buf_fmt(out, " (using %.*s)\n", TYPE(algorithm));
	return buf_ok(out);
}

static void print_time(uint64_t when, struct buf *out)
{
	time_t seconds = (time_t)when;
	char text[32] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_str(out, text);
}

static void print_principals(struct view rest, struct buf *out)
{
	struct view principal;

	buf_str(out, INDENT "Principals: \n");
	while (ssh_string_next(&rest, &principal))
		buf_fmt(out, INDENT INDENT "%.*s\n", TYPE(principal));
}

/* Names and values in turn; a value is a string in a string, that of a flag is empty. */
static void print_options(const char *title, struct view rest, struct buf *out)
{
	struct view name, data, value;

	buf_fmt(out, INDENT "%s: %s\n", title, rest.n == 0 ? "(none)" : "");
	while (ssh_string_next(&rest, &name) && ssh_string_next(&rest, &data)) {
		buf_fmt(out, INDENT INDENT "%.*s", TYPE(name));
		if (ssh_string_next(&data, &value))
			buf_fmt(out, " %.*s", TYPE(value));
		buf_str(out, "\n");
	}
}

enum err ssh_print(struct view blob, struct buf *out)
{
	struct ssh_certificate x;

	TRY(ssh_certificate_parse(blob, &x));
	buf_fmt(out, INDENT "Type: %.*s %s certificate\n", TYPE(x.key_type),
		x.type == SSH_HOST ? "host" : "user");
	TRY(print_key(&x, out));
	TRY(print_ca(&x, out));
	buf_fmt(out, INDENT "Key ID: \"%.*s\"\n", TYPE(x.key_id));
	buf_fmt(out, INDENT "Serial: %llu\n", (unsigned long long)x.serial);
	buf_str(out, INDENT "Valid: from ");
	print_time(x.valid_after, out);
	buf_str(out, " to ");
	print_time(x.valid_before, out);
	buf_str(out, "\n");
	print_principals(x.principals, out);
	print_options("Critical Options", x.critical_options, out);
	print_options("Extensions", x.extensions, out);
	return buf_ok(out);
}
