/* loaded.h - a database as after years: very many devices with all that is recorded of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* How many of each are added. */
struct load {
	size_t devices; /* each with its EK, AK, name and two labels */
	size_t certificates; /* of them, in turns; each with a row of the audit */
	size_t revoked; /* of the certificates, spread evenly */
	bool is_told; /* on standard output, how far it is */
};

/*
 * Adds them. Certificates, EK and AK are like the newest that are there, with serial numbers of their
 * own, in shards as the service draws them and in the order of time, over the last 300 days; their
 * signatures are that one's. Indices and constraints are taken down for the while and made anew, so
 * nobody may be at the database. For a superuser, and a database with an enrollment in it. Ends the test
 * when it cannot.
 */
void loaded_fill(const char *conninfo, const struct load *load);
