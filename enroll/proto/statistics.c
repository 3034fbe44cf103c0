#include "enroll/proto/statistics.h"

static const struct record_member number[] = {{"what", RECORD_TEXT, false},
	{"name", RECORD_TEXT, true}, {"n", RECORD_NUMBER, false}, {"about", RECORD_FLAG, false},
	{0}};

static const struct record_member template[] = {{"name", RECORD_TEXT, false},
	{"version", RECORD_NUMBER, false}, {"kind", RECORD_TEXT, false},
	{"key", RECORD_TEXT, false}, {"lifetime", RECORD_NUMBER, false},
	{"sha256", RECORD_TEXT, false}, {0}};

const struct record_shape statistics_shape = {"statistics", number};
const struct record_shape templates_shape = {"templates", template};
