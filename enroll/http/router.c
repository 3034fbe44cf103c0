#include "enroll/http/router.h"

#include <string.h>

/* Behind a prefix there is exactly one segment, or with a star anything, and it is not empty. */
static bool fits(const struct route *route, const char *path)
{
	size_t n = strlen(route->path);

	if (route->path[n - 1] == '*')
		return strncmp(route->path, path, n - 1) == 0 && path[n - 1] != '\0';
	if (route->path[n - 1] != '/')
		return strcmp(route->path, path) == 0;
	return strncmp(route->path, path, n) == 0 && path[n] != '\0' &&
	       strchr(path + n, '/') == NULL;
}

enum err route_find(
	const struct route *routes, const char *method, const char *path, const struct route **out)
{
	bool is_path = false;

	for (const struct route *route = routes; route->method != NULL; route++) {
		if (!fits(route, path))
			continue;
		is_path = true;
		if (strcmp(route->method, method) == 0) {
			*out = route;
			return OK;
		}
	}
	if (is_path)
		return refuse(ERR_METHOD, "method-not-allowed", "RFC 9110 15.5.6",
			"%.64s does not take %.16s", path, method);
	return refuse(
		ERR_NOT_FOUND, "route-unknown", "PROTOCOL routes", "there is nothing at this path");
}
