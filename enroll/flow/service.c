#include "enroll/flow/service.h"

enum err service_ready(const struct service *service)
{
	/* The clock is judged in there, before anything that is judged by the clock. */
	TRY(db_ready(service->db));
	return signer_ready(service->signer);
}

enum err service_clock(const struct service *service, const struct caller *caller)
{
	return db_clock_judge(service->db, caller->now);
}
