#include "enroll/flow/service.h"

enum err service_ready(const struct service *service)
{
	TRY(signer_ready(service->signer));
	return db_ready(service->db);
}
