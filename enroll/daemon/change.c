#include "enroll/daemon/change.h"

#include "ca/base/encode.h"
#include "ca/base/log.h"
#include "ca/sshkey.h"

#include <stddef.h>
#include <string.h>

/* What is as the process began with, as long as it lives. */
static const struct {
	const char *key;
	size_t offset;
	bool is_text;
} fixed[] = {
	{"service", offsetof(struct config, service), true},
	{"listen", offsetof(struct config, listen), true},
	{"admin_listen", offsetof(struct config, admin_listen), true},
	{"threads", offsetof(struct config, threads), false},
	{"database", offsetof(struct config, database), true},
	{"database_connections", offsetof(struct config, database_connections), false},
	{"database_wait", offsetof(struct config, database_wait), false},
};

void change_judge(const struct change *change, struct problems *problems)
{
	const struct template *is, *was;

	for (size_t i = 0; (is = signer_template(change->next->signer, i)) != NULL; i++)
		if ((was = signer_template_named(change->old->signer, is->name)) != NULL &&
			is->version == was->version &&
			memcmp(is->digest, was->digest, SHA256_SIZE) != 0)
			problem_add(problems, change->config->templates, (struct yaml_mark){0},
				"the template \"%s\" was changed and its version is still %lld: "
				"raise it, for that is what records know it by",
				is->name, (long long)is->version);
}

static void hex_of(const uint8_t *digest, char out[static 2 * SHA256_SIZE + 1])
{
	hex_write((struct view){digest, SHA256_SIZE}, out);
}

static void ca_of(const struct service *service, char out[static 2 * SHA256_SIZE + 1])
{
	uint8_t digest[SHA256_SIZE] = {0};

	if (SHA256_OF(digest, signer_chain(service->signer, 0)) != OK)
		memset(digest, 0, sizeof(digest));
	hex_of(digest, out);
}

static void tell_digest(struct buf *changes, const char *what, const char *is, const char *was)
{
	if (strcmp(is, was) != 0)
		buf_fmt(changes, "%s %.*s, was %.*s\n", what, VERSION_SHOWN, is, VERSION_SHOWN,
			was);
}

static void tell_ssh_ca(
	const struct change *change, enum template_kind kind, const char *of, struct buf *changes)
{
	struct view key = signer_ssh_ca(change->next->signer, kind);
	struct view before = signer_ssh_ca(change->old->signer, kind);
	AUTO(buf_free) struct buf is = BUF(128), was = BUF(128);

	if (view_equal(key, before))
		return;
	if (key.n == 0 || sshkey_fingerprint(key, &is) != OK)
		buf_str(&is, "none");
	if (before.n == 0 || sshkey_fingerprint(before, &was) != OK)
		buf_str(&was, "none");
	buf_fmt(changes, "OpenSSH CA of %s %s, was %s\n", of, buf_text(&is), buf_text(&was));
}

/* By the beginnings of their ids, "0123456789ab 23456789abcd"; empty: there are none. */
static void former_of(const struct service *service, struct buf *out)
{
	struct signer_issuer issuer;

	for (size_t i = 0; signer_issuer(service->signer, i, &issuer); i++) {
		char digits[2 * SHA256_SIZE + 1];

		if (issuer.issues)
			continue;
		hex_of(issuer.id, digits);
		buf_fmt(out, "%s%.*s", out->n > 0 ? " " : "", VERSION_SHOWN, digits);
	}
	if (out->n == 0)
		buf_str(out, "none");
}

static void tell_former(const struct change *change, struct buf *changes)
{
	AUTO(buf_free) struct buf is = BUF(1024), was = BUF(1024);

	former_of(change->next, &is);
	former_of(change->old, &was);
	if (!view_equal(buf_view(&is), buf_view(&was)))
		buf_fmt(changes, "former CAs %s, was %s\n", buf_text(&is), buf_text(&was));
}

static void tell_root_crl(const struct change *change, struct buf *changes)
{
	const struct view is = signer_root_crl(change->next->signer);

	if (!view_equal(is, signer_root_crl(change->old->signer)))
		buf_fmt(changes, "root CRL %s\n", is.n == 0 ? "none" : "is another one");
}

static void tell_digests(const struct change *change, struct reload_answer *out)
{
	char was[2 * SHA256_SIZE + 1];

	hex_of(trust_version(change->next->trust), out->trust_version);
	hex_of(trust_version(change->old->trust), was);
	tell_digest(&out->changes, "trust set", out->trust_version, was);
	if (strcmp(trust_bundle_version(change->next->trust),
		    trust_bundle_version(change->old->trust)) != 0)
		buf_fmt(&out->changes, "vendors \"%s\", was \"%s\"\n",
			trust_bundle_version(change->next->trust),
			trust_bundle_version(change->old->trust));
	hex_of(policy_version(change->next->policy), out->policy_version);
	hex_of(policy_version(change->old->policy), was);
	tell_digest(&out->changes, "policy", out->policy_version, was);
	ca_of(change->next, out->ca_certificate);
	ca_of(change->old, was);
	tell_digest(&out->changes, "CA certificate", out->ca_certificate, was);
	tell_former(change, &out->changes);
	tell_root_crl(change, &out->changes);
	tell_ssh_ca(change, TEMPLATE_SSH_HOST, "hosts", &out->changes);
	tell_ssh_ca(change, TEMPLATE_SSH_USER, "users", &out->changes);
}

static void tell_templates(const struct change *change, struct buf *changes)
{
	const struct template *is, *was;

	for (size_t i = 0; (is = signer_template(change->next->signer, i)) != NULL; i++)
		if ((was = signer_template_named(change->old->signer, is->name)) == NULL)
			buf_fmt(changes, "template %s %lld, a new one\n", is->name,
				(long long)is->version);
		else if (is->version != was->version)
			buf_fmt(changes, "template %s %lld, was %lld\n", is->name,
				(long long)is->version, (long long)was->version);
	for (size_t i = 0; (was = signer_template(change->old->signer, i)) != NULL; i++)
		if (signer_template_named(change->next->signer, was->name) == NULL)
			buf_fmt(changes, "template %s is gone\n", was->name);
}

static void tell_number(struct buf *changes, const char *what, unsigned is, unsigned was)
{
	if (is != was)
		buf_fmt(changes, "%s %u, was %u\n", what, is, was);
}

/* `unsaid`: what stands for a text that is not there. */
static void tell_text(
	struct buf *changes, const char *what, const char *is, const char *was, const char *unsaid)
{
	is = is == NULL ? unsaid : is;
	was = was == NULL ? unsaid : was;
	if (strcmp(is, was) != 0)
		buf_fmt(changes, "%s %s, was %s\n", what, is, was);
}

static void tell_secret(
	struct buf *changes, const char *what, const uint8_t *is, const uint8_t *was)
{
	if (!secret_equal(is, was, SECRET_SIZE))
		buf_fmt(changes, "%s\n", what);
}

static void warn(struct reload_answer *out, const char *key)
{
	LOG(WARNING, "reload.needs-restart", "setting", key);
	buf_fmt(&out->warnings, "%s was changed: that takes effect only with a restart\n", key);
}

static bool has_issuer(const struct service *service, const uint8_t *id)
{
	struct signer_issuer issuer;

	for (size_t i = 0; signer_issuer(service->signer, i, &issuer); i++)
		if (memcmp(issuer.id, id, SHA256_SIZE) == 0)
			return true;
	return false;
}

/* What such a CA issued is still out there, and nobody would tell what became of it. */
static void warn_lost_cas(const struct change *change, struct reload_answer *out)
{
	struct signer_issuer issuer;

	for (size_t i = 0; signer_issuer(change->old->signer, i, &issuer); i++) {
		char digits[2 * SHA256_SIZE + 1];

		if (issuer.kind != TEMPLATE_X509 || has_issuer(change->next, issuer.id))
			continue;
		hex_of(issuer.id, digits);
		LOG(WARNING, "reload.ca-lost", "ca", digits);
		buf_fmt(&out->warnings,
			"the CA %.*s is neither ca nor one of former_cas any more: its CRLs run "
			"out, and OCSP does not know its certificates\n",
			VERSION_SHOWN, digits);
	}
}

static bool is_same(const struct change *change, size_t i)
{
	const char *was = (const char *)change->old_config + fixed[i].offset;
	const char *is = (const char *)change->config + fixed[i].offset;

	if (fixed[i].is_text)
		return strcmp(*(char *const *)was, *(char *const *)is) == 0;
	return *(const int64_t *)was == *(const int64_t *)is;
}

void change_tell(const struct change *change, struct reload_answer *out)
{
	const struct service *old = change->old, *next = change->next;

	tell_digests(change, out);
	tell_templates(change, &out->changes);
	tell_secret(&out->changes, "edge secret", next->edge_secret, old->edge_secret);
	tell_secret(&out->changes, "admin token", next->admin_token, old->admin_token);
	if (next->has_admin_edge != old->has_admin_edge)
		buf_fmt(&out->changes, "secret of the edge for admins: %s\n",
			next->has_admin_edge ? "a first one" : "none any more");
	else
		tell_secret(&out->changes, "secret of the edge for admins", next->admin_edge_secret,
			old->admin_edge_secret);
	if (!admin_ca_equal(next->admin_ca, old->admin_ca))
		buf_fmt(&out->changes, "admin CA%s\n",
			next->admin_ca == NULL ? ": none any more" : "");
	tell_text(&out->changes, "organization", signer_organization(next->signer),
		signer_organization(old->signer), "none");
	tell_text(&out->changes, "public_url", next->public_url, old->public_url,
		"the service's name");
	tell_number(&out->changes, "live_aks_per_device", next->live_aks_max, old->live_aks_max);
	tell_number(&out->changes, "renewal_proof_days", next->renewal_proof_days,
		old->renewal_proof_days);
	tell_number(&out->changes, "crl_bytes", next->crl_bytes, old->crl_bytes);
	tell_number(&out->changes, "crl_lifetime", next->crl_lifetime, old->crl_lifetime);
	tell_number(&out->changes, "drain", next->drain, old->drain);
	tell_number(&out->changes, "retention.certificates", (unsigned)next->certificates_kept,
		(unsigned)old->certificates_kept);
	for (size_t i = 0; i < COUNT(fixed); i++)
		if (!is_same(change, i))
			warn(out, fixed[i].key);
	warn_lost_cas(change, out);
	if (!ticket_keys_equal(next->tickets, old->tickets))
		warn(out, "ticket_key_file");
}
