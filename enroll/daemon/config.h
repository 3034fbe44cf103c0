/* config.h - endorsed.yaml: the one table of what can be set, by name, type, default and range. */
#pragma once

#include "ca/base/yaml.h"

#define CONFIG_FORMER_CAS 8 /* at most */

struct config_ca {
	char *certificate, *key, *passphrase_file;
	struct yaml_mark mark;
};

struct config_ssh_ca {
	char *key, *passphrase_file; /* NULL, both: there is none */
	struct yaml_mark mark;
};

struct config_trust {
	char *name, *class, *roots;
	char *intermediates, *crls; /* NULL: none */
	struct yaml_list manufacturers; /* of char *: "id:49465800"; none: any */
	struct yaml_mark mark;
};

/* How long what has ended stays in the records, in seconds; 0: for ever. */
struct config_retention {
	int64_t certificates;
	struct yaml_mark mark;
};

struct config {
	char *service;
	char *public_url; /* NULL: the service's name */
	char *listen, *admin_listen;
	int64_t threads;
	char *edge_secret_file, *admin_token_file, *ticket_key_file;
	char *admin_ca, *admin_edge_secret_file; /* NULL: none */
	char *database;
	int64_t database_connections;
	int64_t database_wait; /* seconds */
	struct config_ca ca;
	struct yaml_list former_cas; /* of struct config_ca; none */
	char *root_crl; /* NULL: none */
	struct config_ssh_ca ssh_host_ca, ssh_user_ca;
	char *organization; /* NULL: the CA's */
	char *templates, *policy;
	char *vendors; /* NULL: none; there is this, or trust, or both */
	struct yaml_list trust; /* of struct config_trust */
	int64_t live_aks_per_device;
	int64_t renewal_proof_days;
	int64_t crl_bytes;
	int64_t crl_lifetime; /* seconds */
	int64_t drain; /* seconds */
	struct config_retention retention;
	struct yaml_mark mark;
};

/* Reads and judges the file alone; every problem is added. Free with config_free(). */
CHECKED enum err config_load(const char *path, struct problems *problems, struct config *out);
void config_free(struct config *config);
