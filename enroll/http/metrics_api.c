#include "enroll/http/metrics_api.h"

#include "enroll/flow/metrics.h"
#include "enroll/flow/summary.h"

#include <stdlib.h>

enum err handle_metrics(const struct service *service, struct exchange *exchange)
{
	exchange->content_type = METRICS_TYPE;
	return metrics_write(service, exchange->caller.now, &exchange->answer);
}

enum err handle_status(const struct service *service, struct exchange *exchange)
{
	AUTO(mem_free) struct status_answer *answer = calloc(1, sizeof(*answer));

	if (answer == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "handle_status");
	TRY(summary_read(service, exchange->caller.now, answer));
	return status_answer_encode(answer, &exchange->answer);
}
