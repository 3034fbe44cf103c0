#include "enroll/http/admin_api.h"
#include "enroll/http/allow_api.h"
#include "enroll/http/binding_api.h"
#include "enroll/http/ca_api.h"
#include "enroll/http/certificate_api.h"
#include "enroll/http/crl_api.h"
#include "enroll/http/device_api.h"
#include "enroll/http/health_api.h"
#include "enroll/http/inventory_api.h"
#include "enroll/http/krl_api.h"
#include "enroll/http/metrics_api.h"
#include "enroll/http/ocsp_api.h"
#include "enroll/http/openapi_api.h"
#include "enroll/http/operators_api.h"
#include "enroll/http/pending_api.h"
#include "enroll/http/revocation_api.h"
#include "enroll/http/router.h"
#include "enroll/http/vendors_api.h"
#include "enroll/proto/admin.h"
#include "enroll/proto/allow.h"
#include "enroll/proto/binding.h"
#include "enroll/proto/vendors.h"

const struct route device_routes[] = {
	{"GET", "/healthz", ADMIT_ALL, 0, handle_health, NULL, NULL, true},
	{"GET", "/readyz", ADMIT_EDGE, 0, handle_ready, "ready", NULL, false},
	{"POST", "/v1/ticket", ADMIT_EDGE, LIMIT_TICKET_BODY, handle_ticket, "ticket", NULL, false},
	{"POST", "/v1/enroll", ADMIT_EDGE, LIMIT_ENROLL_BODY, handle_enroll, "enroll", NULL, false},
	{"POST", "/v1/renew/ticket", ADMIT_EDGE, LIMIT_TICKET_BODY, handle_renew_ticket,
		"renew.ticket", NULL, false},
	{"POST", "/v1/renew", ADMIT_EDGE, LIMIT_ENROLL_BODY, handle_renew, "renew", NULL, false},
	{"GET", CERTIFICATES_PATH, ADMIT_EDGE, 0, handle_certificate, "certificate", NULL, true},
	{"GET", "/krl", ADMIT_EDGE, 0, handle_krl, "krl", NULL, true},
	{"GET", "/krl.sig", ADMIT_EDGE, 0, handle_krl_signature, "krl", NULL, true},
	{"POST", OCSP_PATH, ADMIT_EDGE, LIMIT_OCSP_BODY, handle_ocsp_post, "ocsp", NULL, true},
	{"GET", OCSP_PATH "/*", ADMIT_EDGE, 0, handle_ocsp_get, "ocsp", NULL, true},
	{"GET", CA_PATH, ADMIT_EDGE, 0, handle_ca, "ca", NULL, true},
	{"GET", CRL_PATH, ADMIT_EDGE, 0, handle_crl, "crl", NULL, true},
	{0},
};

const struct route admin_routes[] = {
	{"GET", "/v1/admin/attempts", ADMIT_AUDITOR, 0, handle_attempts, "attempts", attempts_query,
		true},
	{"GET", "/v1/admin/audit", ADMIT_AUDITOR, 0, handle_audit, "audit", audit_query, true},
	{"POST", "/v1/admin/ca/revoke", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_ca_revoke, "revoke",
		NULL, false},
	{"GET", "/v1/admin/certificate", ADMIT_AUDITOR, 0, handle_certificate_show, "certificate",
		certificate_query, true},
	{"POST", "/v1/admin/certificate/hold", ADMIT_ADMIN, LIMIT_ADMIN_BODY,
		handle_certificate_hold, "revoke", NULL, false},
	{"POST", "/v1/admin/certificate/revoke", ADMIT_ADMIN, LIMIT_ADMIN_BODY,
		handle_certificate_revoke, "revoke", NULL, false},
	{"POST", "/v1/admin/certificate/unhold", ADMIT_ADMIN, LIMIT_ADMIN_BODY,
		handle_certificate_unhold, "revoke", NULL, false},
	{"GET", "/v1/admin/certificates", ADMIT_AUDITOR, 0, handle_certificates, "certificates",
		certificates_query, true},
	{"GET", "/v1/admin/crl", ADMIT_AUDITOR, 0, handle_admin_crl, "crls", admin_crl_query, true},
	{"GET", "/v1/admin/crls", ADMIT_AUDITOR, 0, handle_crls, "crls", crls_query, true},
	{"GET", "/v1/admin/device", ADMIT_AUDITOR, 0, handle_device, "device", device_query, true},
	{"POST", "/v1/admin/device/hold", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_device_hold,
		"revoke", NULL, false},
	{"POST", "/v1/admin/device/labels", ADMIT_OPERATOR, LIMIT_LABELS_BODY, handle_device_labels,
		"device.labels", NULL, false},
	{"POST", "/v1/admin/device/reinstate", ADMIT_ADMIN, LIMIT_ADMIN_BODY,
		handle_device_reinstate, "revoke", NULL, false},
	{"POST", "/v1/admin/device/revoke", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_device_revoke,
		"revoke", NULL, false},
	{"POST", "/v1/admin/device/unhold", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_device_unhold,
		"revoke", NULL, false},
	{"GET", "/v1/admin/devices", ADMIT_AUDITOR, 0, handle_devices, "devices", devices_query,
		true},
	{"GET", "/v1/admin/doctor", ADMIT_AUDITOR, 0, handle_doctor, "doctor", NULL, false},
	{"POST", "/v1/admin/ek/allow", ADMIT_OPERATOR, LIMIT_ALLOW_BODY, handle_allow, "allow",
		NULL, false},
	{"GET", "/v1/admin/ek/allowed", ADMIT_AUDITOR, 0, handle_allowed, "allowed", allowed_query,
		true},
	{"POST", "/v1/admin/ek/disallow", ADMIT_OPERATOR, LIMIT_ADMIN_BODY, handle_disallow,
		"disallow", NULL, false},
	{"POST", "/v1/admin/host/rebind", ADMIT_OPERATOR, LIMIT_ADMIN_BODY, handle_rebind, "rebind",
		NULL, false},
	{"POST", "/v1/admin/host/reinstate", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_host_reinstate,
		"revoke", NULL, false},
	{"POST", "/v1/admin/host/retire", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_host_retire,
		"revoke", NULL, false},
	{"POST", "/v1/admin/host/revoke", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_host_revoke,
		"revoke", NULL, false},
	{"POST", "/v1/admin/host/unbind", ADMIT_OPERATOR, LIMIT_ADMIN_BODY, handle_unbind, "unbind",
		NULL, false},
	{"GET", "/v1/admin/hosts", ADMIT_AUDITOR, 0, handle_hosts, "hosts", hosts_query, true},
	{"GET", "/v1/admin/krl", ADMIT_AUDITOR, 0, handle_krl, "krl", NULL, true},
	{"GET", "/v1/admin/krl.sig", ADMIT_AUDITOR, 0, handle_krl_signature, "krl", NULL, true},
	{"GET", "/metrics", ADMIT_AUDITOR, 0, handle_metrics, "metrics", NULL, true},
	{"GET", "/v1/admin/openapi.json", ADMIT_AUDITOR, 0, handle_openapi, "openapi", NULL, true},
	{"POST", "/v1/admin/operator/add", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_operator_add,
		"operator", NULL, false},
	{"POST", "/v1/admin/operator/certificate/revoke", ADMIT_ADMIN, LIMIT_ADMIN_BODY,
		handle_operator_revoke, "operator.certificate", NULL, false},
	{"POST", "/v1/admin/operator/disable", ADMIT_ADMIN, LIMIT_ADMIN_BODY,
		handle_operator_disable, "operator", NULL, false},
	{"POST", "/v1/admin/operator/role", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_operator_role,
		"operator", NULL, false},
	{"GET", "/v1/admin/operators", ADMIT_AUDITOR, 0, handle_operators, "operators", NULL, true},
	{"GET", "/v1/admin/pending", ADMIT_AUDITOR, 0, handle_pending, "pending", pending_query,
		true},
	{"POST", "/v1/admin/pending/accept", ADMIT_OPERATOR, LIMIT_ADMIN_BODY,
		handle_pending_accept, "pending", NULL, false},
	{"POST", "/v1/admin/pending/reject", ADMIT_OPERATOR, LIMIT_ADMIN_BODY,
		handle_pending_reject, "pending", NULL, false},
	{"GET", "/v1/admin/pending/show", ADMIT_AUDITOR, 0, handle_pending_show, "pending",
		pending_show_query, false},
	{"POST", "/v1/admin/pending/trust-ca", ADMIT_ADMIN, LIMIT_ADMIN_BODY,
		handle_pending_trust_ca, "pending", NULL, false},
	{"POST", "/v1/admin/reload", ADMIT_ADMIN, 0, handle_reload, "admin.reload", NULL, false},
	{"GET", "/v1/admin/revocation", ADMIT_AUDITOR, 0, handle_revocation, "revocation",
		revocation_query, true},
	{"GET", "/v1/admin/statistics", ADMIT_AUDITOR, 0, handle_statistics, "statistics", NULL,
		true},
	{"GET", "/v1/admin/status", ADMIT_AUDITOR, 0, handle_status, "status", NULL, true},
	{"GET", "/v1/admin/strangers", ADMIT_AUDITOR, 0, handle_strangers, "strangers",
		strangers_query, true},
	{"GET", "/v1/admin/templates", ADMIT_AUDITOR, 0, handle_templates, "templates", NULL, true},
	{"POST", "/v1/admin/token/create", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_token_create,
		"token", NULL, false},
	{"POST", "/v1/admin/token/revoke", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_token_revoke,
		"token", NULL, false},
	{"GET", "/v1/admin/tokens", ADMIT_AUDITOR, 0, handle_tokens, "tokens", NULL, true},
	{"GET", "/v1/admin/vendors", ADMIT_AUDITOR, 0, handle_vendors_list, "vendors", NULL, false},
	{"GET", "/v1/admin/vendors/export", ADMIT_AUDITOR, 0, handle_vendors_export,
		"vendors.export", NULL, false},
	{"POST", "/v1/admin/vendors/import", ADMIT_ADMIN, LIMIT_IMPORT_BODY, handle_vendors_import,
		"vendors", NULL, false},
	{"POST", "/v1/admin/vendors/remove", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_vendors_remove,
		"vendors", NULL, false},
	{"GET", "/v1/admin/whoami", ADMIT_AUDITOR, 0, handle_whoami, "whoami", NULL, true},
	{0},
};
