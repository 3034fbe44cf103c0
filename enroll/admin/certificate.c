#include "enroll/admin/command.h"

#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "enroll/admin/look.h"
#include "enroll/admin/table.h"
#include "enroll/admin/words.h"
#include "enroll/proto/certificates.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define LIMIT_DER (64 * 1024)

static const char list_usage[] =
	"usage: endorsectl certificate list [--host PATTERN] [--device ID] [--serial HEX]\n"
	"                                   [--sha256 HEX] [--state STATE] [--template NAME]\n"
	"                                   [--kind KIND] [--issuer HEX] [--shard N] [--since "
	"TIME]\n"
	"                                   [--until TIME] [--limit N] [--after CURSOR] [--json]\n"
	"                                   [--admin URL] [--token-file FILE]\n"
	"\n"
	"Looks for certificates that were issued, the newest first (of web-* by name); with "
	"several\n"
	"options, those for which all of it is so. None is ever forgotten.\n"
	"\n"
	"  --host PATTERN     for such a name when they were issued: web-01.example.org, web-*\n"
	"  --device ID        for this device\n"
	"  --serial HEX       with this serial number\n"
	"  --sha256 HEX       whose DER has this digest\n"
	"  --state STATE      valid, expired, revoked (also for the time being)\n"
	"  --template NAME    by this template\n"
	"  --kind KIND        x509, ssh-host, ssh-user\n"
	"  --issuer HEX       by the CA with this key: SHA-256 of its SubjectPublicKeyInfo\n"
	"  --shard N          that are in this shard of their issuer's CRL\n"
	"  --since TIME       issued from then on: 8h, 7d, 2026-11-22\n"
	"  --until TIME       issued before then\n" LOOK_PAGE_USAGE ADMIN_USAGE;

static const char show_usage[] =
	"usage: endorsectl certificate show ([--serial] HEX | --ssh-serial N | --sha256 HEX)\n"
	"           [--json] [--admin URL] [--token-file FILE]\n"
	"\n"
	"Tells what was issued, to whom, by which rules, and what became of it.\n"
	"\n"
	"  --serial HEX       its serial number, with colons or without\n"
	"  --ssh-serial N     of an OpenSSH certificate, as sshd logs it\n"
	"  --sha256 HEX       whose DER has this digest\n"
	"  --json             as one JSON object, with the bytes\n" ADMIN_USAGE;

static const char download_usage[] =
	"usage: endorsectl certificate download ([--serial] HEX | --ssh-serial N | --sha256 HEX)\n"
	"           [--out FILE] [--chain] [--der] [--admin URL] [--token-file FILE]\n"
	"\n"
	"Writes a certificate as it was issued: PEM, or a line as OpenSSH has them in files.\n"
	"\n"
	"  --serial HEX       its serial number, with colons or without\n"
	"  --ssh-serial N     of an OpenSSH certificate, as sshd logs it\n"
	"  --sha256 HEX       whose DER has this digest\n"
	"  --out FILE         where to (default: standard output)\n"
	"  --chain            with the CAs' certificates above it\n"
	"  --der              its bytes alone\n" ADMIN_USAGE;

/* What became of it, by now. */
static const char *state_of(const struct record *certificate)
{
	if (record_has(certificate, "revoked_at"))
		return strcmp(record_text(certificate, "revocation_reason"), "certificateHold") == 0
			       ? "held"
			       : "revoked";
	return record_number(certificate, "not_after") <= clock_now() ? "expired" : "valid";
}

static enum err print_row(void *is_begun, const struct record *certificate)
{
	AUTO(buf_free) struct buf out = BUF(1 << 14);
	char issued[TABLE_DAY_SIZE];

	if (!*(bool *)is_begun)
		TABLE_ROW(&out, {"serial number", 32}, {"issued", 10}, {"state", 7},
			{"template", 17}, {"name", 0});
	*(bool *)is_begun = true;
	table_day(record_number(certificate, "issued_at"), issued);
	TABLE_ROW(&out, {record_text(certificate, "serial"), 32}, {issued, 10},
		{state_of(certificate), 7}, {record_text(certificate, "template"), 17},
		{record_text(certificate, "host"), 0});
	return paragraph_put(&out);
}

int command_certificate_list(int argc, char **argv)
{
	AUTO(look_free) struct look look = LOOK;
	bool is_begun = false;
	int code = look_options(
		argc, argv, list_usage, "/v1/admin/certificates", "HdSxstkirabnfj", &look);

	if (code >= 0)
		return code;
	if (optind != argc)
		return command_misused(list_usage);
	return look_list(
		&look, &certificates_shape, print_row, &is_begun, "no such certificate was issued");
}

/* The one that is meant; an exit code, or -1. */
static int fetch(int argc, char **argv, const char *usage, const char *allowed, struct look *look,
	struct record **out)
{
	struct problem problem = {0};
	int code = look_options(argc, argv, usage, "/v1/admin/certificate", allowed, look);
	enum err err;

	if (code >= 0)
		return code;
	if (optind + 1 == argc)
		query_add(&look->path, "serial", argv[optind++]);
	if (optind != argc || strchr(buf_text(&look->path), '?') == NULL)
		return command_misused(usage);
	err = look_at(look, &certificate_shape, out, &problem);
	return err == OK ? -1 : command_ended(err, &problem);
}

static void add_revocation(struct buf *out, const struct record *certificate)
{
	AUTO(buf_free) struct buf text = BUF(512);

	if (!record_has(certificate, "revoked_at"))
		return;
	table_time_field(out, "revoked", record_number(certificate, "revoked_at"));
	buf_fmt(&text, "%s; who and why: endorsectl audit --serial %s",
		record_text(certificate, "revocation_reason"), record_text(certificate, "serial"));
	paragraph_field(out, "reason", buf_text(&text));
}

static void add_issuer(struct buf *out, const struct record *certificate)
{
	AUTO(buf_free) struct buf text = BUF(512);

	buf_str(&text, record_text(certificate, "issuer"));
	if (record_has(certificate, "shard"))
		buf_fmt(&text, ", CRL shard %lld", (long long)record_number(certificate, "shard"));
	paragraph_field(out, "issuer's key", buf_text(&text));
}

static enum err print_certificate(const struct record *certificate)
{
	AUTO(buf_free) struct buf out = BUF(1 << 16), rules = BUF(1024), device = BUF(256);

	buf_fmt(&out, "certificate %s is %s\n", record_text(certificate, "serial"),
		state_of(certificate));
	add_revocation(&out, certificate);
	paragraph_field(&out, "name", record_text(certificate, "host"));
	buf_fmt(&device, "%s, %s", record_text(certificate, "device_id"),
		record_text(certificate, "device_state"));
	paragraph_field(&out, "device", buf_text(&device));
	buf_fmt(&rules, "template %s version %lld, policy %.12s, trust set %.12s",
		record_text(certificate, "template"),
		(long long)record_number(certificate, "template_version"),
		record_text(certificate, "policy_version"),
		record_text(certificate, "trust_version"));
	paragraph_field(&out, "by the rules", buf_text(&rules));
	paragraph_field(&out, "kind", record_text(certificate, "kind"));
	table_time_field(&out, "issued", record_number(certificate, "issued_at"));
	table_time_field(&out, "good from", record_number(certificate, "not_before"));
	table_time_field(&out, "good until", record_number(certificate, "not_after"));
	add_issuer(&out, certificate);
	paragraph_field(&out, "SHA-256", record_text(certificate, "sha256"));
	paragraph_field(&out, "key", record_text(certificate, "key_kind"));
	paragraph_field(&out, "key's SHA-256", record_text(certificate, "key_sha256"));
	paragraph_field(&out, "AK", record_text(certificate, "ak_name"));
	return paragraph_put(&out);
}

int command_certificate_show(int argc, char **argv)
{
	AUTO(look_free) struct look look = LOOK;
	AUTO(record_free) struct record *certificate = NULL;
	struct problem problem = {0};
	int code = fetch(argc, argv, show_usage, "SNxj", &look, &certificate);

	if (code >= 0)
		return code;
	return command_ended(look.form == PRINT_JSON ? look_print_json(certificate)
						     : print_certificate(certificate),
		&problem);
}

/* RFC 7468, from the base64 of a DER. */
static void add_pem(struct buf *out, const char *base64)
{
	buf_str(out, "-----BEGIN CERTIFICATE-----\n");
	for (size_t n; *base64 != '\0'; base64 += n) {
		n = strnlen(base64, 64);
		buf_fmt(out, "%.*s\n", (int)n, base64);
	}
	buf_str(out, "-----END CERTIFICATE-----\n");
}

/* A certificate of OpenSSH begins with the name of its type. */
static enum err add_ssh_line(struct buf *out, const struct record *certificate, struct view der)
{
	size_t n = der.n < 4 ? 0 : (size_t)der.p[2] << 8 | der.p[3];

	if (der.n < 4 || der.p[0] != 0 || der.p[1] != 0 || n > der.n - 4)
		return fail(ERR_BUSY, "unreachable", "what the service sent is no certificate");
	buf_add(out, (struct view){der.p + 4, n});
	buf_fmt(out, " %s %s\n", record_text(certificate, "der"), record_text(certificate, "host"));
	return OK;
}

static enum err make_file(
	const struct look *look, const struct record *certificate, struct buf *out)
{
	AUTO(buf_free) struct buf der = BUF(LIMIT_DER);
	const char *above;

	TRY(base64_read(view_str(record_text(certificate, "der")), &der));
	if (look->as_der) {
		buf_add(out, buf_view(&der));
		return buf_ok(out);
	}
	if (strcmp(record_text(certificate, "kind"), "x509") != 0) {
		TRY(add_ssh_line(out, certificate, buf_view(&der)));
		return buf_ok(out);
	}
	add_pem(out, record_text(certificate, "der"));
	for (size_t i = 0;
		look->with_chain && (above = record_item_text(certificate, "chain", i)) != NULL;
		i++)
		add_pem(out, above);
	if (look->with_chain && record_item_text(certificate, "chain", 0) == NULL)
		return fail(ERR_NOT_FOUND, "no-chain",
			"the service knows no CA above it any more: fetch it without --chain");
	return buf_ok(out);
}

int command_certificate_download(int argc, char **argv)
{
	AUTO(look_free) struct look look = LOOK;
	AUTO(record_free) struct record *certificate = NULL;
	AUTO(buf_free) struct buf out = BUF(8 * LIMIT_DER);
	struct problem problem = {0};
	int code = fetch(argc, argv, download_usage, "SNxoCD", &look, &certificate);
	enum err err;

	if (code >= 0)
		return code;
	if (look.with_chain && look.as_der)
		return command_misused(download_usage);
	err = make_file(&look, certificate, &out);
	if (err == OK)
		err = look.out == NULL ? paragraph_put(&out)
				       : file_replace(look.out, 0644, buf_view(&out));
	return command_ended(err == ERR_DENIED ? ERR_INTERNAL : err, &problem);
}
