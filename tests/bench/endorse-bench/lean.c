#include "tests/bench/endorse-bench/lean.h"

#include "ca/base/mem.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ALGORITHMS 32

static OSSL_PROVIDER *whole; /* OpenSSL's own */
static OSSL_LIB_CTX *lean;
static struct {
	OSSL_ALGORITHM kept[ALGORITHMS + 1];
	size_t n;
} decoders, kinds;

static bool is_one_of(const char *names, const char *const *wanted)
{
	const size_t n = strcspn(names, ":");

	for (; *wanted != NULL; wanted++)
		if (strlen(*wanted) == n && strncmp(names, *wanted, n) == 0)
			return true;
	return false;
}

static bool keeps(int operation, const OSSL_ALGORITHM *algorithm)
{
	static const char *const keys[] = {"RSA", "EC", NULL};
	static const char *const with_exchange[] = {
		"RSA", "EC", "X25519", "HKDF", "TLS1-PRF", NULL};

	if (operation == OSSL_OP_KEYMGMT)
		return is_one_of(algorithm->algorithm_names, with_exchange);
	return is_one_of(algorithm->algorithm_names, keys) &&
	       strstr(algorithm->property_definition, "input=der") != NULL &&
	       strstr(algorithm->property_definition, "structure=SubjectPublicKeyInfo") != NULL;
}

static const OSSL_ALGORITHM *query(void *ctx, int operation, int *no_cache)
{
	(void)ctx;
	if (operation == OSSL_OP_DECODER || operation == OSSL_OP_KEYMGMT) {
		*no_cache = 0;
		return operation == OSSL_OP_DECODER ? decoders.kept : kinds.kept;
	}
	return OSSL_PROVIDER_query_operation(whole, operation, no_cache);
}

static int capabilities(void *ctx, const char *capability, OSSL_CALLBACK *tell, void *arg)
{
	(void)ctx;
	return OSSL_PROVIDER_get_capabilities(whole, capability, tell, arg);
}

static int init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
	void **ctx)
{
	static const OSSL_DISPATCH functions[] = {
		{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
		{OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))capabilities},
		{0, NULL},
	};

	(void)handle;
	(void)in;
	*out = functions;
	*ctx = OSSL_PROVIDER_get0_provider_ctx(whole);
	return 1;
}

static bool keep(int operation, OSSL_ALGORITHM kept[static ALGORITHMS + 1], size_t *n)
{
	int no_cache = 0;
	const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(whole, operation, &no_cache);

	for (; all != NULL && all->algorithm_names != NULL && *n < ALGORITHMS; all++)
		if (keeps(operation, all))
			kept[(*n)++] = *all;
	return *n > 0;
}

static void make(void)
{
	OSSL_LIB_CTX *made = OSSL_LIB_CTX_new();

	whole = OSSL_PROVIDER_load(NULL, "default");
	if (made != NULL && whole != NULL && keep(OSSL_OP_DECODER, decoders.kept, &decoders.n) &&
		keep(OSSL_OP_KEYMGMT, kinds.kept, &kinds.n) &&
		OSSL_PROVIDER_add_builtin(made, "lean", init) == 1 &&
		OSSL_PROVIDER_load(made, "lean") != NULL)
		lean = made;
	else
		OSSL_LIB_CTX_free(made);
}

enum err lean_libctx(OSSL_LIB_CTX **out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make);
	if (lean == NULL)
		return fail(ERR_INTERNAL, "crypto", "OpenSSL's default provider is not to be had");
	*out = lean;
	return OK;
}
