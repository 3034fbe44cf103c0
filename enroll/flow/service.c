#include "enroll/flow/service.h"

#include "ca/base/encode.h"
#include "db/revoked_issuer.h"
#include "enroll/flow/judged.h"

#include <stdlib.h>

/* Without that for X.509 nobody enrolls; without one for OpenSSH only those who ask for that. */
static enum err judge_ca(const struct service *service)
{
	struct signer_issuer ca;

	for (size_t i = 0; signer_issuer(service->signer, i, &ca); i++)
		if (ca.issues && ca.kind == TEMPLATE_X509)
			TRY(issuer_judge(service->db, ca.id));
	return OK;
}

enum err service_ready(const struct service *service)
{
	/* The clock is judged in there, before anything that is judged by the clock. */
	TRY(db_ready(service->db));
	TRY(judge_ca(service));
	return signer_ready(service->signer);
}

enum err service_clock(const struct service *service, const struct caller *caller)
{
	return db_clock_judge(service->db, caller->now);
}

/* Who adds a holder holds it himself, so none is added to what goes away just now. */
void service_release(struct service **held)
{
	if (*held != NULL && __atomic_sub_fetch(&(*held)->holders, 1, __ATOMIC_ACQ_REL) == 0)
		service_free(held);
	*held = NULL;
}

void service_free(struct service **service)
{
	if (*service == NULL)
		return;
	trust_free(&(*service)->trust);
	judged_free(&(*service)->judged);
	if ((*service)->parent == NULL) {
		policy_free(&(*service)->policy);
		signer_close(&(*service)->signer);
		admin_ca_free(&(*service)->admin_ca);
		free((*service)->public_url);
	}
	service_release(&(*service)->parent);
	secret_wipe(*service, sizeof(**service));
	free(*service);
	*service = NULL;
}

void outcome_rules(struct outcome *outcome, const struct service *service)
{
	hex_write((struct view){trust_version(service->trust), VERSION_SHOWN / 2}, outcome->trust);
	hex_write(
		(struct view){policy_version(service->policy), VERSION_SHOWN / 2}, outcome->policy);
}
