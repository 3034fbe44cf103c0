#include "enroll/agent/renewal.h"

#include "enroll/agent/interrupt.h"
#include "enroll/proto/renewal.h"

#include <stdio.h>
#include <string.h>

#define TICKETS 3

int64_t renewal_time(int64_t from, int64_t until, const uint8_t digest[static SHA256_SIZE])
{
	int64_t life = until > from ? until - from : 0;
	int64_t dice = digest[0] << 8 | digest[1]; /* 0 to 65535 */

	/* Lives can be thousands of years; nothing is multiplied that could overflow. */
	return from + life / 2 + life / 6 / 65536 * dice + life / 6 % 65536 * dice / 65536;
}

int64_t renewal_next(const struct held *held, size_t *which)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < held->wanted.n; i++) {
		const struct holding *one = &held->holdings[i];
		int64_t at = renewal_time(one->valid_from, one->valid_until, one->digest);

		if (at >= next)
			continue;
		next = at;
		*which = i;
	}
	return next;
}

bool renewal_needs_enrollment(const struct problem *problem)
{
	static const char *const codes[] = {
		"renewal-needs-enrollment", "route-unknown", "ak-unknown", "renewal-proof-old"};

	for (size_t i = 0; i < COUNT(codes); i++)
		if (strcmp(problem->code, codes[i]) == 0)
			return true;
	return strncmp(problem->code, "ek-", 3) == 0;
}

/* The AK as it was enrolled, and the keys of the certificates; the EK only where it is the AK's parent. */
static enum err prepare(struct attempt *a)
{
	AUTO(tpm_close) struct tpm *tpm = NULL;
	AUTO(loaded_flush) struct loaded loaded = LOADED(NULL);

	TRY(held_ak(a->state, &a->before, &a->found.ak));
	TRY(tpm_open(&a->wish->access, &tpm));
	if (device_ak_needs_ek(a->found.ak))
		TRY(attempt_find_ek(a, tpm));
	loaded.tpm = tpm;
	TRY(device_ak_load(tpm, a->found.ak, a->ek, &loaded));
	loaded_flush(&loaded);
	return keys_find(tpm, &a->wanted, a->found.ak, a->state, a->makes_new_keys, &a->keys);
}

static enum err ask_ticket(struct attempt *a, struct renewal_ticket_answer *out)
{
	const struct tpm_name *name = ak_name(a->found.ak->judged);
	AUTO(buf_free) struct buf body = BUF(LIMIT_TICKET_BODY);
	AUTO(buf_free) struct buf answer = BUF(ATTEMPT_BODY);

	TRY(renew_ticket_request_encode((struct view){name->bytes, name->n}, &body));
	TRY(http_post(
		a->http, "/v1/renew/ticket", buf_view(&body), &a->retry, &answer, &a->problem));
	return attempt_read(renewal_ticket_answer_parse(buf_view(&answer), out));
}

static enum err write_request(struct attempt *a, struct tpm *tpm, struct view ticket)
{
	AUTO(request_free) struct request request;

	request_init(&request);
	snprintf(request.host, sizeof(request.host), "%s", a->before.host);
	TRY(keys_request(&a->keys, tpm, a->found.ak, a->ek, ticket, &request));
	buf_free(&a->request);
	a->request = BUF(LIMIT_REQUEST);
	return request_encode(&request, &a->request);
}

/* What the AK's own scheme hashes by. */
static TPM2_ALG_ID scheme_hash(const struct device_ak *ak)
{
	TPM2B_PUBLIC public;

	if (!TPM_READ(TPM2B_PUBLIC, buf_view(&ak->public), &public))
		return TPM2_ALG_SHA256;
	if (public.publicArea.type == TPM2_ALG_RSA)
		return public.publicArea.parameters.rsaDetail.scheme.details.anySig.hashAlg;
	return public.publicArea.parameters.eccDetail.scheme.details.anySig.hashAlg;
}

/* TPM2_Hash gives the ticket without which a restricted key signs no digest (TPM 2.0 Part 1, 23.3.3). */
static enum err sign_message(
	struct attempt *a, struct tpm *tpm, struct view message, struct buf *out)
{
	AUTO(loaded_flush) struct loaded key = LOADED(tpm);
	AUTO(esys_free) TPM2B_DIGEST *digest = NULL;
	AUTO(esys_free) TPMT_TK_HASHCHECK *leave = NULL;
	AUTO(esys_free) TPMT_SIGNATURE *signature = NULL;
	const TPMT_SIG_SCHEME own = {.scheme = TPM2_ALG_NULL};
	TPM2B_MAX_BUFFER bytes = {.size = (uint16_t)message.n};

	memcpy(bytes.buffer, message.p, message.n);
	TRY(tpm_ok(TPM_PATIENT(Esys_Hash(tpm_esys(tpm), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
			   &bytes, scheme_hash(a->found.ak), ESYS_TR_RH_OWNER, &digest, &leave)),
		"TPM2_Hash"));
	TRY(device_ak_load(tpm, a->found.ak, a->ek, &key));
	TRY(tpm_ok(TPM_PATIENT(Esys_Sign(tpm_esys(tpm), key.tr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			   ESYS_TR_NONE, digest, &own, leave, &signature)),
		"TPM2_Sign"));
	return tpm_signature_write(signature, out);
}

/* What a renewal says, signed by the AK. */
static enum err write_body(struct attempt *a, struct view ticket, struct buf *body)
{
	AUTO(tpm_close) struct tpm *tpm = NULL;
	AUTO(renew_request_free) struct renew_request renew;
	uint8_t message[RENEWAL_MESSAGE_SIZE];

	renew_request_init(&renew);
	TRY(interrupt_check());
	TRY(tpm_open(&a->wish->access, &tpm));
	TRY(write_request(a, tpm, ticket));
	TRY(renewal_message(a->wish->service, ticket, buf_view(&a->request), message));
	TRY(sign_message(a, tpm, VIEW(message), &renew.signature));
	buf_add(&renew.ticket, ticket);
	buf_add(&renew.ak_public, buf_view(&a->found.ak->public));
	buf_add(&renew.request, buf_view(&a->request));
	return renew_request_encode(&renew, body);
}

static enum err renew_once(struct attempt *a)
{
	AUTO(renewal_ticket_answer_free) struct renewal_ticket_answer ticket;
	AUTO(buf_free) struct buf body = BUF(LIMIT_ENROLL_BODY);
	AUTO(buf_free) struct buf reply = BUF(ATTEMPT_BODY);
	AUTO(buf_free) struct buf json = BUF(LIMIT_ANSWER);
	AUTO(answer_free) struct answer *answer = NULL;

	renewal_ticket_answer_init(&ticket);
	TRY(ask_ticket(a, &ticket));
	TRY(write_body(a, buf_view(&ticket.ticket), &body));
	TRY(keys_keep_new(&a->keys, a->state));
	TRY(http_post(a->http, "/v1/renew", buf_view(&body), &a->retry, &reply, &a->problem));
	TRY(attempt_read(renew_answer_parse(buf_view(&reply), &json)));
	TRY(attempt_read(answer_parse(buf_view(&json), &answer)));
	return accepted_check(&answer, a->anchors, &a->keys, a->before.host, &a->accepted);
}

/* It grew too old on the way, or another run of this machine used it up. */
static bool is_ticket_over(const struct attempt *a)
{
	return strcmp(why()->code, "service-refused") == 0 &&
	       strncmp(a->problem.code, "ticket-", 7) == 0;
}

enum err renewal_run(struct attempt *a)
{
	const struct http_options http = {a->wish->server, a->wish->proxy, a->anchors};
	enum err err = OK;

	a->is_renewal = true;
	TRY(prepare(a));
	TRY(http_open(&http, &a->http));
	retry_start(&a->retry, a->wish->timeout);
	for (unsigned i = 0; i < TICKETS; i++) {
		err = renew_once(a);
		if (err == OK || !is_ticket_over(a))
			break;
	}
	return err;
}
