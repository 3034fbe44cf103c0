#include "enroll/flow/service.h"

#include "ca/base/encode.h"

#include <stdlib.h>

enum err service_ready(const struct service *service)
{
	TRY(signer_ready(service->signer));
	return db_ready(service->db);
}

void service_free(struct service **service)
{
	if (*service == NULL)
		return;
	trust_free(&(*service)->trust);
	policy_free(&(*service)->policy);
	signer_close(&(*service)->signer);
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
