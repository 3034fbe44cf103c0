#include "enroll/http/admin_api.h"
#include "enroll/http/device_api.h"
#include "enroll/http/health_api.h"
#include "enroll/http/router.h"
#include "enroll/proto/admin.h"

const struct route device_routes[] = {
	{"GET", "/healthz", ADMIT_ALL, 0, handle_health, NULL, NULL, true},
	{"GET", "/readyz", ADMIT_EDGE, 0, handle_ready, "ready", NULL, false},
	{"POST", "/v1/ticket", ADMIT_EDGE, LIMIT_TICKET_BODY, handle_ticket, "ticket", NULL, false},
	{"POST", "/v1/enroll", ADMIT_EDGE, LIMIT_ENROLL_BODY, handle_enroll, "enroll", NULL, false},
	{0},
};

const struct route admin_routes[] = {
	{"POST", "/v1/admin/host/unbind", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_unbind, "unbind",
		NULL, false},
	{"POST", "/v1/admin/reload", ADMIT_ADMIN, 0, handle_reload, "admin.reload", NULL, false},
	{"GET", "/v1/admin/attempts", ADMIT_ADMIN, 0, handle_attempts, "attempts", attempts_query,
		true},
	{"GET", "/v1/admin/strangers", ADMIT_ADMIN, 0, handle_strangers, "strangers",
		strangers_query, true},
	{"GET", "/v1/admin/doctor", ADMIT_ADMIN, 0, handle_doctor, "doctor", NULL, false},
	{0},
};
