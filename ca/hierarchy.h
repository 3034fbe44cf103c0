/* hierarchy.h - the CAs of a new installation, and the certificate of its TLS edge. */
#pragma once

#include "ca/key.h"

#include <stddef.h>

/*
 * Makes, in the directory `dir` (0700, created), a root (20 years), an issuing CA for devices and an
 * edge CA for the service's own TLS certificate (10 years each), all with keys of one type: who
 * verifies what the edge CA issued must know the root's type anyhow.
 *
 *   root.pem, issuing.pem, edge-ca.pem       certificates
 *   issuing.key, issuing.passphrase          an encrypted key, and what opens it
 *   edge-ca.key, edge-ca.passphrase
 *   offline/root.key, offline/root.passphrase   needed by nothing in daily use
 *
 * and those of hierarchy_ssh() and hierarchy_admin(). ERR_CONFLICT "ca-exists" when any of them is there already: nothing is
 * ever overwritten.
 */
CHECKED enum err hierarchy_make(const char *dir, const char *organization, enum key_type type);

/*
 * Makes the CAs of OpenSSH certificates, which are keys and nothing above them, in `dir` (0700,
 * created): for who made the others before there were these.
 *
 *   ssh-host-ca.key, ssh-host-ca.passphrase   an encrypted key, and what opens it
 *   ssh-host-ca.pub                           what clients trust hosts by (0644)
 *   ssh-user-ca.key, .passphrase, .pub        the same of users, for servers
 *
 * ERR_CONFLICT "ca-exists" as above.
 */
CHECKED enum err hierarchy_ssh(const char *dir, enum key_type type);

/*
 * Makes the CA of operators' certificates (10 years) in `dir` (0700, created): for who made the others
 * before there was this. It signs itself, and nobody but the service and its edge trusts it: who trusts
 * the root does not take an operator for a host.
 *
 *   admin-ca.pem, admin-ca.key, admin-ca.passphrase
 *
 * ERR_CONFLICT "ca-exists" as above.
 */
CHECKED enum err hierarchy_admin(const char *dir, const char *organization, enum key_type type);

/*
 * Issues a TLS client certificate by the admin CA of `dir` for the operator `name` and writes
 * certificate, admin CA and its new P-256 key as one PEM file (0600). ERR_MALFORMED "operator-name",
 * "operator-days" (1 to OPERATOR_DAYS_MAX); ERR_CONFLICT "file-exists": what is there may be somebody's only key.
 */
#define OPERATOR_DAYS 365
#define OPERATOR_DAYS_MAX 825
CHECKED enum err hierarchy_operator(
	const char *dir, const char *name, int64_t days, const char *path);

/*
 * Issues a TLS server certificate (397 days) by the edge CA of `dir` for DNS names and IP
 * addresses, and writes certificate, edge CA, root and key as one PEM file (0600), as HAProxy
 * reads it. The key is new, and P-256 whatever the CAs have: it is the cheapest in a handshake,
 * and no TLS stack of today is without it. The root is sent along for devices that know only its
 * digest (endorse enroll --ca-sha256). ERR_MALFORMED "edge-name".
 */
CHECKED enum err hierarchy_edge(
	const char *dir, const char *const *names, size_t n, const char *path);
