#include "enroll/proto/certificates.h"

#define COMMON                                                                                     \
	{"serial", RECORD_TEXT, false}, {"kind", RECORD_TEXT, false},                              \
		{"template", RECORD_TEXT, false}, {"template_version", RECORD_NUMBER, false},      \
		{"host", RECORD_TEXT, false}, {"device_id", RECORD_TEXT, false},                   \
		{"key_kind", RECORD_TEXT, false}, {"issued_at", RECORD_NUMBER, false},             \
		{"not_before", RECORD_NUMBER, false}, {"not_after", RECORD_NUMBER, false},         \
		{"revoked_at", RECORD_NUMBER, true}, {"revocation_reason", RECORD_TEXT, true},     \
		{"issuer", RECORD_TEXT, true},                                                     \
	{                                                                                          \
		"shard", RECORD_NUMBER, true                                                       \
	}

static const struct record_member listed[] = {COMMON, {0}};
static const struct record_member whole[] = {COMMON, {"sha256", RECORD_TEXT, false},
	{"key_sha256", RECORD_TEXT, true}, {"ak_name", RECORD_TEXT, false},
	{"trust_version", RECORD_TEXT, false}, {"policy_version", RECORD_TEXT, false},
	{"device_state", RECORD_TEXT, true}, {"der", RECORD_TEXT, false},
	{"chain", RECORD_LIST, true}, {0}};

const struct record_shape certificates_shape = {"certificates", listed};
const struct record_shape certificate_shape = {NULL, whole};
