/* router.h - which handler a request belongs to. */
#pragma once

#include "enroll/http/exchange.h"

/* The tables of the two listeners; each ends with method NULL. */
extern const struct route device_routes[];
extern const struct route admin_routes[];

/*
 * The first row with this method and this path, which only a row that ends with a slash, or with a
 * slash and a star, matches by its beginning. ERR_NOT_FOUND "route-unknown"; ERR_METHOD "method-not-allowed" when the path is
 * there with another method.
 */
CHECKED enum err route_find(
	const struct route *routes, const char *method, const char *path, const struct route **out);
