/* edge.h - the service's TLS edge, looked at from outside as a device would. */
#pragma once

#include "enroll/proto/finding.h"

/*
 * Connects to `url` ("https://endorse.example.org"), judging it by the roots of the PEM file `roots`,
 * and adds what is found: can it be reached, is it the one of that name, when do its certificates end,
 * does it pass on what devices need and nothing else. Never fails: that is a finding.
 */
void edge_examine(const char *url, const char *roots, struct findings *findings);
