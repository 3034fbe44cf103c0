#include "tests/flow/inquiry.h"

#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "tests/flow/cluster.h"
#include "tests/flow/soft_enroll.h"

#include <openssl/ocsp.h>
#include <stdlib.h>
#include <string.h>

/* Each has a name of its own. */
static unsigned hosts;

void leaf_free(struct leaf *leaf)
{
	free(leaf->pem);
	buf_free(&leaf->der);
}

void leaf_make(struct world *world, struct leaf *out)
{
	AUTO(mem_free) char *host = text("h%u.example.test", hosts++ + 1);
	AUTO(soft_outcome_free) struct soft_outcome outcome;
	AUTO(soft_device_free) struct soft_device device;
	AUTO(buf_free) struct buf pem = BUF(1 << 14);
	AUTO(x509_free) X509 *cert = NULL;

	soft_device_make(
		&(struct soft_plan){
			.ek = SOFT_L2, .ak = SOFT_P256, .service = world->name, .host = host},
		&world->maker, &device);
	soft_enroll(&device, &world->services[0].peer, world->name, &outcome);
	must(outcome.status == 200, "%s: %s", outcome.code, outcome.detail);
	cert = cert_from_der(buf_view(&outcome.certificate));
	*out = (struct leaf){.pem = text("%s/%s.pem", world->dir, host), .der = BUF(1 << 14)};
	buf_add(&out->der, buf_view(&outcome.certificate));
	cert_serial(cert, out->serial);
	must(cert_pem_add(cert, &pem) == OK, "%s", why()->sentence);
	write_file(out->pem, 0644, buf_view(&pem));
}

/* The one way in is the trigger's, whoever revokes. */
void leaf_revoke(struct world *world, const struct leaf *leaf, const char *reason)
{
	free(sql_text(world->conninfo,
		"UPDATE certificate SET revoked_at = to_timestamp(1800000000),"
		" revocation_reason = '%s' WHERE serial = '\\x%s'",
		reason, leaf->serial));
}

void leaf_release(struct world *world, const struct leaf *leaf)
{
	free(sql_text(world->conninfo,
		"UPDATE certificate SET revoked_at = NULL, revocation_reason = NULL"
		" WHERE serial = '\\x%s'",
		leaf->serial));
}

/* `openssl ocsp` with what every question has; `more` ends with NULL. */
void inquire_by_openssl(
	struct world *world, size_t service, const char *const *more, struct output *output)
{
	AUTO(mem_free)
	char *url = text("http://127.0.0.1:%d/ocsp", world->services[service].port);
	AUTO(mem_free) char *header = text("X-Endorse-Edge=%s", world->secret);
	AUTO(mem_free) char *issuing = text("%s/issuing.pem", world->ca);
	const char *argv[24] = {"openssl", "ocsp", "-issuer", issuing, "-CAfile", world->roots,
		"-verify_other", issuing, "-url", url, "-header", header};
	size_t n = 12;

	while (*more != NULL)
		argv[n++] = *more++;
	argv[n] = NULL;
	process_run(&(struct program){.argv = argv}, output);
}

/* A request as openssl makes it, without a nonce, for one certificate or two. */
void inquiry_make(struct world *world, const char *first, const char *second, struct buf *out)
{
	AUTO(mem_free) char *issuing = text("%s/issuing.pem", world->ca);
	AUTO(mem_free) char *path = text("%s/request.der", world->dir);
	const char *argv[] = {"openssl", "ocsp", "-no_nonce", "-reqout", path, "-issuer", issuing,
		"-cert", first, second == NULL ? NULL : "-cert", second, NULL};

	process_must(&(struct program){.argv = argv});
	must(file_read(path, out) == OK, "%s", why()->sentence);
}

/* GET, with what clients percent-encode and without. */
void inquire_get(
	struct world *world, struct view request, bool encodes, struct httpc_answer *answer)
{
	AUTO(buf_free) struct buf base64 = BUF(1 << 14), path = BUF(1 << 15);

	base64_add(&base64, request);
	buf_str(&path, "/ocsp/");
	for (size_t i = 0; i < base64.n; i++)
		if (encodes && strchr("+/=", base64.p[i]) != NULL)
			buf_fmt(&path, "%%%02X", base64.p[i]);
		else
			buf_u8(&path, base64.p[i]);
	httpc_get(&world->services[0].peer, buf_text(&path), answer);
}

void inquire_post(struct world *world, struct view request, struct httpc_answer *answer)
{
	httpc_ask(&world->services[0].peer, "POST", "/ocsp",
		"Content-Type: application/ocsp-request\r\n", request, answer);
}

static bool says_revoked(struct view der)
{
	const uint8_t *p = der.p;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)der.n);
	OCSP_BASICRESP *basic = response == NULL ? NULL : OCSP_response_get1_basic(response);
	int status = basic == NULL ? -1
				   : OCSP_single_get0_status(
					     OCSP_resp_get0(basic, 0), NULL, NULL, NULL, NULL);

	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return status == V_OCSP_CERTSTATUS_REVOKED;
}

static bool ask_once(struct inquirer *asker, struct httpc *httpc)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	AUTO(buf_free) struct buf bytes = BUF(1 << 14);
	int64_t begun = now_ms(), revoked_at = __atomic_load_n(asker->revoked_at, __ATOMIC_SEQ_CST);

	buf_fmt(&bytes, "POST /ocsp HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n",
		asker->peer->headers, asker->request.n);
	buf_add(&bytes, asker->request);
	if (!httpc_send(httpc, buf_view(&bytes)) || !httpc_receive(httpc, &answer, 5000) ||
		answer.status != 200 || answer.body.n < 100)
		return false;
	if (says_revoked(buf_view(&answer.body))) {
		asker->revoked++;
		return true;
	}
	asker->good++;
	asker->late += revoked_at > 0 && begun > revoked_at + PROMISED_MS / 2;
	asker->back += asker->revoked > 0;
	return true;
}

void *inquire_on(void *arg)
{
	struct inquirer *asker = arg;
	struct httpc httpc;

	asker->is_broken = !httpc_open(&httpc, asker->peer, 5000);
	while (!asker->is_broken && now_ms() < asker->until)
		asker->is_broken = !ask_once(asker, &httpc);
	httpc_close(&httpc);
	return NULL;
}
