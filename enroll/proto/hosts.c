#include "enroll/proto/hosts.h"

static const struct record_member listed[] = {{"host", RECORD_TEXT, false},
	{"device_id", RECORD_TEXT, true}, {"alias", RECORD_FLAG, true},
	{"bound_at", RECORD_NUMBER, true}, {"device_state", RECORD_TEXT, true},
	{"barred_at", RECORD_NUMBER, true}, {"barred_reason", RECORD_TEXT, true},
	{"barred_why", RECORD_TEXT, true}, {"barred_by", RECORD_TEXT, true}, {0}};

const struct record_shape hosts_shape = {"hosts", listed};
