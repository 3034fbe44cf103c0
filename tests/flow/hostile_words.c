#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "enroll/flow/ticket.h"
#include "tests/flow/hostile.h"

#include <openssl/rand.h>
#include <string.h>

static void service_other(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	x->service = "https://another.example";
}

#define HOST_FAULT(function, name)                                                                 \
	static void function(struct dialogue *x, struct cast *cast)                                \
	{                                                                                          \
		(void)cast;                                                                        \
		x->host = name;                                                                    \
	}

HOST_FAULT(host_address, "10.0.0.1")
HOST_FAULT(host_empty_label, "a..b")
HOST_FAULT(host_wildcard, "*.x.y")
HOST_FAULT(host_trailing_dot, "x.y.")
HOST_FAULT(host_one_label, "localhost")
HOST_FAULT(host_empty, "")
HOST_FAULT(host_hyphen, "web-.example.test")
HOST_FAULT(host_underscore, "web_1.example.test")
HOST_FAULT(host_digits, "web-1.example.123")
HOST_FAULT(host_outside, "web-1.elsewhere.test")
HOST_FAULT(host_for_other_ek, "rsa-1.example.test")

static void set_claim(struct dialogue *x, const char *json)
{
	buf_free(&x->claim);
	buf_str(&x->claim, json);
}

/* `what` in the claim's text becomes `with`. */
static void replace(struct dialogue *x, const char *what, const char *with)
{
	AUTO(mem_free) char *before = text("%s", buf_text(&x->claim));
	char *at = strstr(before, what);

	must(at != NULL, "no %s in %s", what, before);
	buf_free(&x->claim);
	buf_add(&x->claim, (struct view){(uint8_t *)before, (size_t)(at - before)});
	buf_str(&x->claim, with);
	buf_str(&x->claim, at + strlen(what));
}

#define CLAIM_FAULT(function, ...)                                                                 \
	static void function(struct dialogue *x, struct cast *cast)                                \
	{                                                                                          \
		(void)cast;                                                                        \
		__VA_ARGS__;                                                                       \
	}

CLAIM_FAULT(no_json, set_claim(x, "{"))
CLAIM_FAULT(array, set_claim(x, "[]"))
CLAIM_FAULT(twice, replace(x, "\"host\"", "\"host\":\"db-01.example.test\",\"host\""))
CLAIM_FAULT(unknown, replace(x, "\"host\"", "\"port\":1,\"host\""))
CLAIM_FAULT(missing, set_claim(x, "{\"service\":\"x\"}"))
CLAIM_FAULT(number, replace(x, "\"web-1.example.test\"", "1"))
CLAIM_FAULT(nul, replace(x, "web-1.", "web-1\\u0000."))

const struct fault claim_faults[] = {
	{"service-other", BEFORE_CLAIM, service_other, 403, "wrong-service", AK_P256},
	{"host-address", BEFORE_CLAIM, host_address, 400, "host-name", AK_P256},
	{"host-empty-label", BEFORE_CLAIM, host_empty_label, 400, "host-name", AK_P256},
	{"host-wildcard", BEFORE_CLAIM, host_wildcard, 400, "host-name", AK_P256},
	{"host-trailing-dot", BEFORE_CLAIM, host_trailing_dot, 400, "host-name", AK_P256},
	{"host-own-and-one-label", BEFORE_CLAIM, host_one_label, 400, "host-name", AK_P256},
	{"host-empty", BEFORE_CLAIM, host_empty, 400, "host-name", AK_P256},
	{"host-hyphen", BEFORE_CLAIM, host_hyphen, 400, "host-name", AK_P256},
	{"host-underscore", BEFORE_CLAIM, host_underscore, 400, "host-name", AK_P256},
	{"host-digits", BEFORE_CLAIM, host_digits, 400, "host-name", AK_P256},
	{"claim-no-json", BEFORE_TICKET, no_json, 400, "json", AK_P256},
	{"claim-array", BEFORE_TICKET, array, 400, "json", AK_P256},
	{"claim-key-twice", BEFORE_TICKET, twice, 400, "json", AK_P256},
	{"claim-key-unknown", BEFORE_TICKET, unknown, 400, "json-key-unknown", AK_P256},
	{"claim-key-missing", BEFORE_TICKET, missing, 400, "json-key-missing", AK_P256},
	{"claim-number", BEFORE_TICKET, number, 400, "json-type", AK_P256},
	{"claim-nul", BEFORE_TICKET, nul, 400, "json", AK_P256},
	{"name-not-allowed", BEFORE_CLAIM_PROVEN, host_outside, 403, "name-not-allowed", AK_P256},
	{"ek-second-kind", BEFORE_CLAIM_PROVEN, host_for_other_ek, 403, "ek-kind-not-allowed",
		AK_P256},
	{0},
};

/* A claim for another name, with the ticket for the first and a proof over what is sent. */
static void claim_swapped(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	replace(x, "web-1.", "web-2.");
}

static void claim_reserialised(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	buf_str(&x->claim, " ");
}

static void request_flipped(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	x->request.p[x->request.n / 2] ^= 1;
}

static void proof_flipped(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	x->proof[31] ^= 1;
}

static void guessed_key(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	must(RAND_bytes(x->session.bytes, sizeof(x->session.bytes)) == 1, "RAND_bytes");
}

/* The key itself, used for something else than the proof's label says. */
static void other_label(struct dialogue *x, struct cast *cast)
{
	const struct view pieces[] = {
		buf_view(&x->challenge.ticket), buf_view(&x->claim), buf_view(&x->request)};

	(void)cast;
	must(hmac_sha256(x->session.bytes, pieces, COUNT(pieces), x->proof) == OK, "HMAC");
}

/* With the master key in hand: the ticket opened, changed, and sealed for `service`. */
static void reseal(struct dialogue *x, struct cast *cast, const char *service, int64_t age)
{
	AUTO(mem_free) char *path = text("%s/ticket.key", cast->world->dir);
	AUTO(ticket_keys_free) struct ticket_keys *ours = NULL, *theirs = NULL;
	AUTO(ticket_wipe) struct ticket ticket;
	AUTO(key_wipe) struct secret_key master;

	must(file_read_key(path, false, master.bytes) == OK &&
			ticket_keys_make(&master, x->service, &ours) == OK &&
			ticket_keys_make(&master, service, &theirs) == OK &&
			ticket_open(ours, buf_view(&x->challenge.ticket), clock_now(), &ticket) ==
				OK,
		"%s", why()->sentence);
	ticket.issued_at -= age;
	buf_free(&x->challenge.ticket);
	must(ticket_seal(theirs, &ticket, &x->challenge.ticket) == OK, "%s", why()->sentence);
}

static void ticket_old(struct dialogue *x, struct cast *cast)
{
	reseal(x, cast, x->service, TICKET_LIFE + 5);
}

static void ticket_from_the_future(struct dialogue *x, struct cast *cast)
{
	reseal(x, cast, x->service, -TICKET_SKEW - 60);
}

static void ticket_of_another_service(struct dialogue *x, struct cast *cast)
{
	reseal(x, cast, "https://another.example", 0);
}

static void ticket_longer(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	buf_u8(&x->challenge.ticket, 0);
}

static void ticket_empty(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	buf_free(&x->challenge.ticket);
}

static void no_key(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	buf_free(&x->request);
	buf_str(&x->request, "{\"keys\":[]}");
	dialogue_prove_again(x);
}

static void unknown_template(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	buf_free(&x->request);
	buf_str(&x->request, "{\"keys\":[{\"template\":\"root\"}]}");
	dialogue_prove_again(x);
}

const struct fault proof_faults[] = {
	{"claim-swap", BEFORE_PROOF, claim_swapped, 401, "ticket-claim-mismatch", AK_P256},
	{"claim-reserialised", BEFORE_PROOF, claim_reserialised, 401, "ticket-claim-mismatch",
		AK_P256},
	{"request-flipped", BEFORE_ENROLL, request_flipped, 401, "proof-invalid", AK_P256},
	{"proof-flipped", BEFORE_ENROLL, proof_flipped, 401, "proof-invalid", AK_P256},
	{"proof-guessed-key", BEFORE_PROOF, guessed_key, 401, "proof-invalid", AK_P256},
	{"proof-label", BEFORE_ENROLL, other_label, 401, "proof-invalid", AK_P256},
	{"ticket-expired", BEFORE_PROOF, ticket_old, 401, "ticket-expired", AK_P256},
	{"ticket-future", BEFORE_PROOF, ticket_from_the_future, 401, "ticket-expired", AK_P256},
	{"ticket-other-service", BEFORE_PROOF, ticket_of_another_service, 401, "ticket-invalid",
		AK_P256},
	{"ticket-longer", BEFORE_PROOF, ticket_longer, 401, "ticket-invalid", AK_P256},
	{"ticket-empty", BEFORE_PROOF, ticket_empty, 401, "ticket-invalid", AK_P256},
	{"request-no-key", BEFORE_ENROLL, no_key, 400, "request-keys", AK_P256},
	{"request-unknown-template", BEFORE_ENROLL, unknown_template, 403, "template-not-allowed",
		AK_P256},
	{0},
};
