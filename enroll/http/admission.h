/* admission.h - may who sent a request have this route? For this folder only. */
#pragma once

#include "enroll/http/exchange.h"

struct mg_connection;

/*
 * Judges the edge's secret, or an admin's credential and his role, and notes in the exchange who asks
 * and from where. Headers that only an edge may set are believed with its secret alone; on the admin
 * listener, a request that has any of them has to have that of the edge for admins. A change that a page of another site made a browser ask for is nobody's. ERR_DENIED "edge-secret",
 * "admin-edge-secret", "cross-site"; those of credential_judge() and admitted_has(); ERR_MALFORMED "base64".
 */
CHECKED enum err admission_judge(struct mg_connection *connection, enum admission admission,
	const struct service *service, struct exchange *exchange);
