#include "enroll/proto/audit.h"

static const struct record_member listed[] = {{"id", RECORD_NUMBER, false},
	{"at", RECORD_NUMBER, false}, {"event", RECORD_TEXT, false},
	{"device_id", RECORD_TEXT, true}, {"ek_digest", RECORD_TEXT, true},
	{"host", RECORD_TEXT, true}, {"code", RECORD_TEXT, true}, {"detail", RECORD_TEXT, true},
	{"serials", RECORD_LIST, true}, {"who", RECORD_TEXT, true},
	{"client_address", RECORD_TEXT, true}, {"request_id", RECORD_TEXT, true},
	{"trust_version", RECORD_TEXT, true}, {"policy_version", RECORD_TEXT, true}, {0}};

const struct record_shape audit_shape = {"audit", listed};
