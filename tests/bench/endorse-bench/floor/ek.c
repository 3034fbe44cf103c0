#include "tests/bench/endorse-bench/floor/notary.h"
#include "tests/bench/endorse-bench/floor/part.h"

#include <stdlib.h>

/*
 * What the manufacturer's certificates are is settled when they are loaded: the intermediate was
 * verified then, and is trusted from there on. So one signature is left, the EK certificate's.
 */
struct ek {
	struct notary_ek maker;
	STACK_OF(X509) *trusted;
};

static void ek_free(void *state)
{
	struct ek *ek = state;

	if (ek != NULL) {
		notary_ek_free(&ek->maker);
		sk_X509_free(ek->trusted);
	}
	free(ek);
}

static void state_free(struct ek **state)
{
	ek_free(*state);
	*state = NULL;
}

static enum err ek_make(const struct floor_plan *plan, void **state)
{
	AUTO(state_free) struct ek *ek = calloc(1, sizeof(*ek));

	(void)plan;
	if (ek == NULL || (ek->trusted = sk_X509_new_null()) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "ek");
	TRY(notary_ek(&ek->maker));
	if (sk_X509_push(ek->trusted, ek->maker.intermediate) == 0)
		return fail(ERR_INTERNAL, "out-of-memory", "ek");
	*state = MOVE(ek);
	return OK;
}

static enum err judge(const struct ek *ek)
{
	const uint8_t *p = ek->maker.der;
	AUTO(x509_free) X509 *leaf = d2i_X509(NULL, &p, ek->maker.der_n);
	AUTO(store_ctx_free) X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	if (leaf == NULL || ctx == NULL || X509_STORE_CTX_init(ctx, NULL, leaf, NULL) != 1)
		return part_openssl("d2i_X509");
	X509_STORE_CTX_set0_trusted_stack(ctx, ek->trusted);
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN);
	if (X509_verify_cert(ctx) != 1)
		return fail(ERR_INTERNAL, "floor-openssl", "X509_verify_cert: %s",
			X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	return X509_get0_pubkey(leaf) != NULL ? OK : part_openssl("X509_get0_pubkey");
}

static enum err ek_run(void *state, unsigned *n, uint64_t *ns)
{
	uint64_t start = part_clock();

	for (unsigned i = 0; i < *n; i++)
		TRY(judge(state));
	*ns = part_clock() - start;
	return OK;
}

const struct part part_ek = {120, ek_make, ek_run, ek_free};
