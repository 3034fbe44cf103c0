#include "enroll/http/crl_api.h"

#include "enroll/flow/published_crl.h"

#include <string.h>

static void published_free(struct crl_published *published)
{
	buf_free(&published->der);
}

static void give(struct crl_published *crl, struct exchange *exchange)
{
	exchange->content_type = "application/pkix-crl";
	buf_free(&exchange->answer);
	exchange->answer = crl->der;
	crl->der = BUF(0);
}

enum err handle_crl(const struct service *service, struct exchange *exchange)
{
	AUTO(published_free) struct crl_published crl = {.der = BUF(0)};
	int64_t left;

	TRY(published_crl(service, exchange->path + strlen(CRL_PATH), exchange->caller.now, &crl));
	left = crl.next_update - exchange->caller.now;
	exchange->max_age = left > NEWS_WITHIN ? NEWS_WITHIN : left > 0 ? (unsigned)left : 0;
	give(&crl, exchange);
	return OK;
}

const struct query_key crls_query[] = {{"after", CRLS_AFTER_MAX}, {0}};

enum err handle_crls(const struct service *service, struct exchange *exchange)
{
	AUTO(crls_answer_free) struct crls_answer answer = {0};

	TRY(published_crls(service, exchange->query.value[0], &answer));
	return crls_answer_encode(&answer, &exchange->answer);
}

const struct query_key admin_crl_query[] = {{"issuer", 64}, {"shard", 19}, {0}};

enum err handle_admin_crl(const struct service *service, struct exchange *exchange)
{
	AUTO(published_free) struct crl_published crl = {.der = BUF(0)};

	TRY(published_crl_of(service, exchange->query.value[0], exchange->query.value[1],
		exchange->caller.now, &crl));
	give(&crl, exchange);
	return OK;
}
