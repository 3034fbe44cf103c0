#include "policy/hold.h"

#include "policy/network.h"

#include <stddef.h>

static const struct yaml_key keys[] = {
	{"attempts", YAML_WHOLE, offsetof(struct hold, attempts), "1000", 1, 1000000, NULL, NULL},
	{"per_ek", YAML_WHOLE, offsetof(struct hold, per_ek), "4", 1, 1000, NULL, NULL},
	{"per_address", YAML_WHOLE, offsetof(struct hold, per_address), "20", 1, 1000000, NULL,
		NULL},
	{"exempt", YAML_LIST, offsetof(struct hold, exempt), "", 0, 1000, NULL, NULL},
	{"days", YAML_WHOLE, offsetof(struct hold, days), "7", 1, 365, NULL, NULL},
	{"retry_after", YAML_SECONDS, offsetof(struct hold, retry_after), "60s", 1, 86400, NULL,
		NULL},
	{0},
};
const struct yaml_schema hold_schema = {sizeof(struct hold), keys, offsetof(struct hold, mark)};

void hold_judge(const struct hold *hold, const char *file, struct problems *problems)
{
	char *const *exempt = hold->exempt.item;

	for (size_t i = 0; i < hold->exempt.n; i++) {
		struct network network;
		const char *wrong = network_read(exempt[i], &network);

		if (wrong != NULL)
			problem_add(problems, file, hold->mark, "\"exempt\" has \"%.64s\": %s",
				exempt[i], wrong);
	}
}

bool hold_is_exempt(const struct hold *hold, const char *address)
{
	char *const *exempt = hold->exempt.item;

	for (size_t i = 0; i < hold->exempt.n; i++) {
		struct network network;

		if (network_read(exempt[i], &network) == NULL && network_has(&network, address))
			return true;
	}
	return false;
}
