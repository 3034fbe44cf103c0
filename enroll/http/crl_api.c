#include "enroll/http/crl_api.h"

#include "enroll/flow/published_crl.h"

#include <string.h>

#define NEWS_WITHIN 60 /* seconds that caches may keep it: so long they hide a revocation */

static void published_free(struct crl_published *published)
{
	buf_free(&published->der);
}

enum err handle_crl(const struct service *service, struct exchange *exchange)
{
	AUTO(published_free) struct crl_published crl = {.der = BUF(0)};
	int64_t left;

	TRY(published_crl(service, exchange->path + strlen(CRL_PATH), exchange->caller.now, &crl));
	left = crl.next_update - exchange->caller.now;
	exchange->max_age = left > NEWS_WITHIN ? NEWS_WITHIN : left > 0 ? (unsigned)left : 0;
	exchange->content_type = "application/pkix-crl";
	buf_free(&exchange->answer);
	exchange->answer = crl.der;
	crl.der = BUF(0);
	return OK;
}
