#include "enroll/proto/devices.h"

#define COMMON                                                                                     \
	{"device_id", RECORD_TEXT, false}, {"state", RECORD_TEXT, false},                          \
		{"created_at", RECORD_NUMBER, false}, {"last_success_at", RECORD_NUMBER, true},    \
		{"manufacturer", RECORD_TEXT, true}, {"model", RECORD_TEXT, true},                 \
		{"version", RECORD_TEXT, true}, {"trust_class", RECORD_TEXT, false},               \
		{"trust_source", RECORD_TEXT, true}, {"labels", RECORD_OBJECT, false},             \
		{"barred_at", RECORD_NUMBER, true},                                                \
	{                                                                                          \
		"barred_reason", RECORD_TEXT, true                                                 \
	}

static const struct record_member listed[] = {COMMON, {"hosts", RECORD_LIST, false}, {0}};
static const struct record_member whole[] = {COMMON, {"trust_version", RECORD_TEXT, false},
	{"last_refusal_at", RECORD_NUMBER, true}, {"last_refusal_code", RECORD_TEXT, true},
	{"barred_why", RECORD_TEXT, true}, {"barred_by", RECORD_TEXT, true},
	{"names", RECORD_LIST, false}, {"eks", RECORD_LIST, false}, {"aks", RECORD_LIST, false},
	{"certificates", RECORD_OBJECT, false}, {"attempts", RECORD_LIST, false}, {0}};

const struct record_shape devices_shape = {"devices", listed};
const struct record_shape device_shape = {NULL, whole};
