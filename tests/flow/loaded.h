/* loaded.h - a database as after years: very many devices with all that is recorded of them. */
#pragma once

#include <stddef.h>

#define LOADED_EACH 4 /* certificates of one device */

/*
 * Adds `certificates` of them, of a quarter as many devices with their EKs, AKs and names, of which
 * `revoked` are revoked, spread evenly. They are like the newest certificate that is there, with serial
 * numbers of their own, in shards as the service draws them; their signatures are that one's. For a
 * superuser, and a database with an enrollment in it. Ends the test when it cannot.
 */
void loaded_fill(const char *conninfo, size_t certificates, size_t revoked);
