#include "enroll/http/admin_api.h"
#include "enroll/http/allow_api.h"
#include "enroll/http/ca_api.h"
#include "enroll/http/certificate_api.h"
#include "enroll/http/crl_api.h"
#include "enroll/http/device_api.h"
#include "enroll/http/health_api.h"
#include "enroll/http/krl_api.h"
#include "enroll/http/ocsp_api.h"
#include "enroll/http/pending_api.h"
#include "enroll/http/revocation_api.h"
#include "enroll/http/router.h"
#include "enroll/http/vendors_api.h"
#include "enroll/proto/admin.h"
#include "enroll/proto/allow.h"
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
	{"POST", OCSP_PATH, ADMIT_EDGE, LIMIT_OCSP_BODY, handle_ocsp_post, "ocsp", NULL, true},
	{"GET", OCSP_PATH "/*", ADMIT_EDGE, 0, handle_ocsp_get, "ocsp", NULL, true},
	{"GET", CA_PATH, ADMIT_EDGE, 0, handle_ca, "ca", NULL, true},
	{"GET", CRL_PATH, ADMIT_EDGE, 0, handle_crl, "crl", NULL, true},
	{"GET", "/krl", ADMIT_EDGE, 0, handle_krl, "krl", NULL, true},
	{"GET", "/krl.sig", ADMIT_EDGE, 0, handle_krl_signature, "krl", NULL, true},
	{0},
};

const struct route admin_routes[] = {
	{"POST", "/v1/admin/host/unbind", ADMIT_OPERATOR, LIMIT_ADMIN_BODY, handle_unbind, "unbind",
		NULL, false},
	{"POST", "/v1/admin/reload", ADMIT_ADMIN, 0, handle_reload, "admin.reload", NULL, false},
	{"GET", "/v1/admin/attempts", ADMIT_AUDITOR, 0, handle_attempts, "attempts", attempts_query,
		true},
	{"GET", "/v1/admin/strangers", ADMIT_AUDITOR, 0, handle_strangers, "strangers",
		strangers_query, true},
	{"GET", "/v1/admin/crls", ADMIT_AUDITOR, 0, handle_crls, "crls", crls_query, true},
	{"GET", "/v1/admin/crl", ADMIT_AUDITOR, 0, handle_admin_crl, "crls", admin_crl_query, true},
	{"GET", "/v1/admin/doctor", ADMIT_AUDITOR, 0, handle_doctor, "doctor", NULL, false},
	{"GET", "/v1/admin/ek/allowed", ADMIT_AUDITOR, 0, handle_allowed, "allowed", allowed_query,
		true},
	{"POST", "/v1/admin/ek/allow", ADMIT_OPERATOR, LIMIT_ALLOW_BODY, handle_allow, "allow",
		NULL, false},
	{"POST", "/v1/admin/ek/disallow", ADMIT_OPERATOR, LIMIT_ADMIN_BODY, handle_disallow,
		"disallow", NULL, false},
	{"GET", "/v1/admin/pending", ADMIT_AUDITOR, 0, handle_pending, "pending", pending_query,
		true},
	{"GET", "/v1/admin/pending/show", ADMIT_AUDITOR, 0, handle_pending_show, "pending",
		pending_show_query, false},
	{"POST", "/v1/admin/pending/accept", ADMIT_OPERATOR, LIMIT_ADMIN_BODY,
		handle_pending_accept, "pending", NULL, false},
	{"POST", "/v1/admin/pending/reject", ADMIT_OPERATOR, LIMIT_ADMIN_BODY,
		handle_pending_reject, "pending", NULL, false},
	{"POST", "/v1/admin/pending/trust-ca", ADMIT_ADMIN, LIMIT_ADMIN_BODY,
		handle_pending_trust_ca, "pending", NULL, false},
	{"GET", "/v1/admin/krl", ADMIT_AUDITOR, 0, handle_krl, "krl", NULL, true},
	{"GET", "/v1/admin/krl.sig", ADMIT_AUDITOR, 0, handle_krl_signature, "krl", NULL, true},
	{"GET", "/v1/admin/vendors", ADMIT_AUDITOR, 0, handle_vendors_list, "vendors", NULL, false},
	{"GET", "/v1/admin/vendors/export", ADMIT_AUDITOR, 0, handle_vendors_export,
		"vendors.export", NULL, false},
	{"POST", "/v1/admin/vendors/import", ADMIT_ADMIN, LIMIT_IMPORT_BODY, handle_vendors_import,
		"vendors", NULL, false},
	{"POST", "/v1/admin/vendors/remove", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_vendors_remove,
		"vendors", NULL, false},
	{"POST", "/v1/admin/device/revoke", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_device_revoke,
		"revoke", NULL, false},
	{"POST", "/v1/admin/device/hold", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_device_hold,
		"revoke", NULL, false},
	{"POST", "/v1/admin/device/unhold", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_device_unhold,
		"revoke", NULL, false},
	{"POST", "/v1/admin/device/reinstate", ADMIT_ADMIN, LIMIT_ADMIN_BODY,
		handle_device_reinstate, "revoke", NULL, false},
	{"POST", "/v1/admin/certificate/revoke", ADMIT_ADMIN, LIMIT_ADMIN_BODY,
		handle_certificate_revoke, "revoke", NULL, false},
	{"POST", "/v1/admin/certificate/hold", ADMIT_ADMIN, LIMIT_ADMIN_BODY,
		handle_certificate_hold, "revoke", NULL, false},
	{"POST", "/v1/admin/certificate/unhold", ADMIT_ADMIN, LIMIT_ADMIN_BODY,
		handle_certificate_unhold, "revoke", NULL, false},
	{"POST", "/v1/admin/host/revoke", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_host_revoke,
		"revoke", NULL, false},
	{"POST", "/v1/admin/host/retire", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_host_retire,
		"revoke", NULL, false},
	{"POST", "/v1/admin/host/reinstate", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_host_reinstate,
		"revoke", NULL, false},
	{"POST", "/v1/admin/ca/revoke", ADMIT_ADMIN, LIMIT_ADMIN_BODY, handle_ca_revoke, "revoke",
		NULL, false},
	{"GET", "/v1/admin/revocation", ADMIT_AUDITOR, 0, handle_revocation, "revocation",
		revocation_query, true},
	{0},
};
