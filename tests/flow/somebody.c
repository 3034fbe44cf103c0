#include "tests/flow/somebody.h"

#include "ca/base/cert.h"
#include "ca/base/encode.h"
#include "enroll/http/exchange.h"
#include "enroll/proto/operators.h"
#include "tests/flow/cluster.h"
#include "tests/flow/timed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The DER of a PEM file's first certificate in the header that only the edge may set. */
char *by_certificate(const struct world *world, const char *path)
{
	AUTO(x509_free) X509 *cert = NULL;
	AUTO(buf_free) struct buf der = BUF(8192), line = BUF(16384);

	must(cert_read(path, "test", &cert) == OK && cert_der_add(cert, &der) == OK, "%s", path);
	buf_fmt(&line, "X-Endorse-Edge: %s\r\nX-Endorse-Client-Address: 192.0.2.7\r\n",
		world->admin_secret);
	buf_str(&line, "X-Endorse-Client-Cert: ");
	base64_add(&line, buf_view(&der));
	buf_str(&line, "\r\n");
	return buf_take(&line);
}

char *by_token(const char *token)
{
	return text("Authorization: Bearer %s\r\n", token);
}

static void add(struct everybody *out, struct somebody somebody)
{
	must(out->n < SOMEBODIES, "too many");
	out->all[out->n++] = somebody;
}

void admin_does(const struct world *world, const char *path, const char *json)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;

	httpc_post(&world->services[0].admin, path, view_str(json), &answer);
	must(answer.status == 200, "%s %s: %s", path, json, buf_text(&answer.body));
}

static char *path_in(const struct world *world, const char *name)
{
	return text("%s/%s.pem", world->dir, name);
}

/* A certificate by `endorsectl ca operator` of this world's admin CA, or of that in `dir`. */
char *operator_certify(const struct world *world, const char *dir, const char *name)
{
	AUTO(mem_free) char *endorsectl = text("%s/endorsectl", ENDORSE_BIN_DIR);
	char *path = text("%s/%s-%s.pem", world->dir, name, dir == world->ca ? "ours" : "theirs");

	MUST_RUN(endorsectl, "ca", "operator", name, "--dir", dir, "--out", path);
	return path;
}

void operator_add_as(const struct world *world, const char *name, const char *role)
{
	AUTO(mem_free)
	char *json = text("{\"name\":\"%s\",\"role\":\"%s\",\"why\":\"test\"}", name, role);

	admin_does(world, "/v1/admin/operator/add", json);
}

static void make_operator(const struct world *world, struct everybody *out, const char *name,
	const char *role, int level)
{
	AUTO(mem_free) char *path = operator_certify(world, world->ca, name);

	operator_add_as(world, name, role);
	add(out, (struct somebody){
			 .is = role, .headers = by_certificate(world, path), .level = level});
}

char *token_make(const struct world *world, const char *name, const char *role)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	AUTO(token_answer_wipe) struct token_answer created;
	AUTO(mem_free)
	char *json = text("{\"name\":\"%s\",\"role\":\"%s\",\"expires_in\":600,\"why\":\"test\"}",
		name, role);

	httpc_post(&world->services[0].admin, "/v1/admin/token/create", view_str(json), &answer);
	must(answer.status == 200 && token_answer_parse(buf_view(&answer.body), &created) == OK,
		"%s: %s", json, buf_text(&answer.body));
	return by_token(created.token);
}

/* Those whom some routes let in. */
static void make_admitted(const struct world *world, struct everybody *out)
{
	make_operator(world, out, "alice", "auditor", ADMIT_OPERATOR);
	make_operator(world, out, "olga", "operator", ADMIT_ADMIN);
	make_operator(world, out, "adam", "admin", ADMIT_ADMIN + 1);
	add(out, (struct somebody){.is = "auditor\'s token",
			 .headers = token_make(world, "a", "auditor"),
			 .level = ADMIT_OPERATOR});
	add(out, (struct somebody){.is = "operator\'s token",
			 .headers = token_make(world, "o", "operator"),
			 .level = ADMIT_ADMIN});
	add(out, (struct somebody){.is = "admin\'s token",
			 .headers = token_make(world, "m", "admin"),
			 .level = ADMIT_ADMIN + 1});
	add(out, (struct somebody){.is = "file's token",
			 .headers = by_token(world->token),
			 .level = ADMIT_ADMIN + 1});
}

static void make_bad_tokens(const struct world *world, struct everybody *out)
{
	char *revoked = token_make(world, "revoked", "admin"),
	     *expired = token_make(world, "expired", "admin");
	char other[2 * SECRET_SIZE + 1] = {0};

	admin_does(world, "/v1/admin/token/revoke", "{\"name\":\"revoked\",\"why\":\"test\"}");
	must(sql_number(world->conninfo,
		     "WITH late AS (UPDATE api_token SET expires_at = now() - interval '1 s',"
		     " created_at = now() - interval '1 h' WHERE name = 'expired' RETURNING 1)"
		     " SELECT count(*) FROM late") == 1,
		"the token cannot be made to expire");
	memset(other, 'a', sizeof(other) - 1);
	add(out, (struct somebody){"nobody", NULL, 0, 401, "credential-missing"});
	add(out, (struct somebody){"a revoked token", revoked, 0, 401, "token-revoked"});
	add(out, (struct somebody){"an expired token", expired, 0, 401, "token-expired"});
	add(out, (struct somebody){
			 "another service's token", by_token(other), 0, 401, "token-unknown"});
	add(out, (struct somebody){"the edge's secret as a token", by_token(world->secret), 0, 401,
			 "token-unknown"});
	add(out, (struct somebody){"a name and a password",
			 text("%s", "Authorization: Basic YWRtaW46YWRtaW4=\r\n"), 0, 401,
			 "token-unknown"});
}

static void make_disabled(const struct world *world, struct everybody *out)
{
	AUTO(mem_free)
	char *dora = operator_certify(world, world->ca, "dora"),
	     *nora = operator_certify(world, world->ca, "nora");

	operator_add_as(world, "dora", "admin");
	admin_does(world, "/v1/admin/operator/disable", "{\"name\":\"dora\",\"why\":\"test\"}");
	add(out, (struct somebody){
			 "disabled", by_certificate(world, dora), 0, 403, "operator-disabled"});
	add(out, (struct somebody){
			 "unknown", by_certificate(world, nora), 0, 403, "operator-unknown"});
}

static void make_revoked(const struct world *world, struct everybody *out)
{
	AUTO(mem_free) char *rita = operator_certify(world, world->ca, "rita"), *json = NULL;
	AUTO(x509_free) X509 *cert = NULL;
	AUTO(buf_free) struct buf der = BUF(8192);
	char digest[CERTIFICATE_DIGITS + 1];
	uint8_t sha[SHA256_SIZE];

	must(cert_read(rita, "test", &cert) == OK && cert_der_add(cert, &der) == OK &&
			SHA256_OF(sha, buf_view(&der)) == OK,
		"%s", rita);
	hex_write(VIEW(sha), digest);
	json = text("{\"certificate_sha256\":\"%s\",\"name\":\"rita\",\"why\":\"lost\"}", digest);
	operator_add_as(world, "rita", "admin");
	admin_does(world, "/v1/admin/operator/certificate/revoke", json);
	add(out, (struct somebody){"a revoked certificate", by_certificate(world, rita), 0, 403,
			 "operator-certificate-revoked"});
}

/* A certificate by another CA that says it is adam's: of the devices' own, and of another service's. */
static void make_foreign(const struct world *world, struct everybody *out)
{
	AUTO(mem_free) char *endorsectl = text("%s/endorsectl", ENDORSE_BIN_DIR);
	AUTO(mem_free) char *dir = text("%s/other-ca", world->dir);
	AUTO(mem_free) char *theirs = NULL, *late = path_in(world, "late");
	AUTO(mem_free) char *device = path_in(world, "device"), *issuing = NULL;

	MUST_RUN(endorsectl, "ca", "init", "--dir", dir, "--organization", "Example");
	theirs = operator_certify(world, dir, "adam");
	timed_operator(world->ca, "admin-ca", late, "adam", -10);
	timed_operator(world->ca, "issuing", device, "adam", 86400);
	issuing = text("%s/issuing.pem", world->ca);
	add(out, (struct somebody){"another service's operator", by_certificate(world, theirs), 0,
			 403, "not-an-operator"});
	add(out, (struct somebody){"an expired certificate", by_certificate(world, late), 0, 403,
			 "operator-certificate-expired"});
	add(out, (struct somebody){"a device named like an admin", by_certificate(world, device), 0,
			 403, "not-an-operator"});
	add(out, (struct somebody){"the devices' CA", by_certificate(world, issuing), 0, 403,
			 "not-an-operator"});
}

/* adam's certificate, believed by nobody without the secret of the edge for admins. */
static void make_forged(const struct world *world, struct everybody *out)
{
	AUTO(mem_free) char *adam = text("%s/adam-ours.pem", world->dir);
	AUTO(mem_free) char *good = by_certificate(world, adam);
	const char *rest = strchr(good, '\n') + 1;
	char *none = text("%s", rest);
	char *devices = text("X-Endorse-Edge: %s\r\n%s", world->secret, rest);
	char *address =
		text("%sX-Endorse-Client-Address: 127.0.0.1\r\n", world->services[0].admin_headers);

	add(out, (struct somebody){"without the secret", none, 0, 403, "admin-edge-secret"});
	add(out, (struct somebody){
			 "with the devices' edge's", devices, 0, 403, "admin-edge-secret"});
	add(out, (struct somebody){
			 "the file's token and an address", address, 0, 403, "admin-edge-secret"});
	add(out, (struct somebody){"a certificate and a token",
			 text("%s%s", good, world->services[0].admin_headers), 0, 400,
			 "credential-twice"});
	add(out, (struct somebody){"the file's token through an edge",
			 text("X-Endorse-Edge: %s\r\nX-Endorse-Client-Address: 192.0.2.7\r\n%s",
				 world->admin_secret, world->services[0].admin_headers),
			 0, 401, "token-unknown"});
	add(out, (struct somebody){"a certificate twice", text("%s%s", good, rest), 0, 400,
			 "edge-header-twice"});
}

void everybody_make(struct world *world, struct everybody *out)
{
	out->n = 0;
	make_admitted(world, out);
	make_bad_tokens(world, out);
	make_disabled(world, out);
	make_revoked(world, out);
	make_foreign(world, out);
	make_forged(world, out);
}

void everybody_free(struct everybody *everybody)
{
	for (size_t i = 0; i < everybody->n; i++)
		free(everybody->all[i].headers);
	everybody->n = 0;
}
