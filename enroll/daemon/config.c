#include "enroll/daemon/config.h"

#include "ca/base/clock.h"
#include "ca/text.h"
#include "enroll/trust/trust.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CA(member) offsetof(struct config_ca, member)
static const struct yaml_key ca_keys[] = {
	{"certificate", YAML_PATH, CA(certificate), NULL, 0, 0, NULL, NULL},
	{"key", YAML_PATH, CA(key), NULL, 0, 0, NULL, NULL},
	{"passphrase_file", YAML_PATH, CA(passphrase_file), NULL, 0, 0, NULL, NULL},
	{0},
};
static const struct yaml_schema ca_schema = {sizeof(struct config_ca), ca_keys, CA(mark)};

#define SSH_CA(member) offsetof(struct config_ssh_ca, member)
static const struct yaml_key ssh_ca_keys[] = {
	{"key", YAML_PATH, SSH_CA(key), "", 0, 0, NULL, NULL},
	{"passphrase_file", YAML_PATH, SSH_CA(passphrase_file), "", 0, 0, NULL, NULL},
	{0},
};
static const struct yaml_schema ssh_ca_schema = {
	sizeof(struct config_ssh_ca), ssh_ca_keys, SSH_CA(mark)};

#define TRUST(member) offsetof(struct config_trust, member)
static const struct yaml_key trust_keys[] = {
	{"name", YAML_TEXT, TRUST(name), NULL, 1, 63, NULL, NULL},
	{"class", YAML_TEXT, TRUST(class), NULL, 1, 32, NULL, trust_root_class_words},
	{"roots", YAML_PATH, TRUST(roots), NULL, 0, 0, NULL, NULL},
	{"intermediates", YAML_PATH, TRUST(intermediates), "", 0, 0, NULL, NULL},
	{"crls", YAML_PATH, TRUST(crls), "", 0, 0, NULL, NULL},
	{"manufacturers", YAML_LIST, TRUST(manufacturers), "", 1, 32, NULL, NULL},
	{0},
};
static const struct yaml_schema trust_schema = {
	sizeof(struct config_trust), trust_keys, TRUST(mark)};

/* Not below a month: whoever asks for a CRL, or OCSP, with an old clock still hears of what has just ended. */
#define RETENTION(member) offsetof(struct config_retention, member)
static const struct yaml_key retention_keys[] = {
	{"certificates", YAML_SECONDS, RETENTION(certificates), "", INT64_C(30) * DAY,
		INT64_C(36500) * DAY, NULL, NULL},
	{0},
};
static const struct yaml_schema retention_schema = {
	sizeof(struct config_retention), retention_keys, RETENTION(mark)};

#define CONFIG(member) offsetof(struct config, member)
static const struct yaml_key config_keys[] = {
	/* Part of every AK that enrolls here: choose it for ever. */
	{"service", YAML_TEXT, CONFIG(service), NULL, 9, 255, NULL, NULL},
	{"public_url", YAML_TEXT, CONFIG(public_url), "", 8, 255, NULL, NULL},
	{"listen", YAML_TEXT, CONFIG(listen), "127.0.0.1:880", 9, 64, NULL, NULL},
	{"admin_listen", YAML_TEXT, CONFIG(admin_listen), "127.0.0.1:881", 9, 64, NULL, NULL},
	{"threads", YAML_WHOLE, CONFIG(threads), "64", 1, 1024, NULL, NULL},
	{"edge_secret_file", YAML_PATH, CONFIG(edge_secret_file), NULL, 0, 0, NULL, NULL},
	{"admin_token_file", YAML_PATH, CONFIG(admin_token_file), NULL, 0, 0, NULL, NULL},
	{"admin_ca", YAML_PATH, CONFIG(admin_ca), "", 0, 0, NULL, NULL},
	{"admin_edge_secret_file", YAML_PATH, CONFIG(admin_edge_secret_file), "", 0, 0, NULL, NULL},
	{"ticket_key_file", YAML_PATH, CONFIG(ticket_key_file), NULL, 0, 0, NULL, NULL},
	{"database", YAML_TEXT, CONFIG(database), NULL, 1, 1024, NULL, NULL},
	{"database_connections", YAML_WHOLE, CONFIG(database_connections), "8", 1, 100, NULL, NULL},
	{"database_wait", YAML_SECONDS, CONFIG(database_wait), "5s", 1, 60, NULL, NULL},
	{"ca", YAML_MAP, CONFIG(ca), NULL, 0, 0, &ca_schema, NULL},
	{"former_cas", YAML_LIST, CONFIG(former_cas), "", 1, CONFIG_FORMER_CAS, &ca_schema, NULL},
	{"root_crl", YAML_PATH, CONFIG(root_crl), "", 0, 0, NULL, NULL},
	{"ssh_host_ca", YAML_MAP, CONFIG(ssh_host_ca), "", 0, 0, &ssh_ca_schema, NULL},
	{"ssh_user_ca", YAML_MAP, CONFIG(ssh_user_ca), "", 0, 0, &ssh_ca_schema, NULL},
	{"organization", YAML_TEXT, CONFIG(organization), "", 1, 64, NULL, NULL},
	{"templates", YAML_PATH, CONFIG(templates), NULL, 0, 0, NULL, NULL},
	{"policy", YAML_PATH, CONFIG(policy), NULL, 0, 0, NULL, NULL},
	{"vendors", YAML_PATH, CONFIG(vendors), "", 0, 0, NULL, NULL},
	{"trust", YAML_LIST, CONFIG(trust), "", 1, 64, &trust_schema, NULL},
	{"live_aks_per_device", YAML_WHOLE, CONFIG(live_aks_per_device), "4", 1, 100, NULL, NULL},
	{"renewal_proof_days", YAML_WHOLE, CONFIG(renewal_proof_days), "90", 1, 3650, NULL, NULL},
	{"crl_bytes", YAML_WHOLE, CONFIG(crl_bytes), "102400", 4096, 16777216, NULL, NULL},
	{"crl_lifetime", YAML_SECONDS, CONFIG(crl_lifetime), "24h", 600, 2592000, NULL, NULL},
	{"drain", YAML_SECONDS, CONFIG(drain), "10s", 0, 300, NULL, NULL},
	{"retention", YAML_MAP, CONFIG(retention), "", 0, 0, &retention_schema, NULL},
	{0},
};
static const struct yaml_schema config_schema = {sizeof(struct config), config_keys, CONFIG(mark)};

/* "127.0.0.1:" and a port: plain HTTP goes over loopback and nowhere else. */
static bool is_loopback(const char *address)
{
	static const char loopback[] = "127.0.0.1:";
	const char *port = address + sizeof(loopback) - 1;
	long number;
	char *end;

	if (strncmp(address, loopback, sizeof(loopback) - 1) != 0 || !isdigit((unsigned char)*port))
		return false;
	number = strtol(port, &end, 10);
	return *end == '\0' && number > 0 && number < 65536;
}

/* With no slash at its end, and nothing in it that a text around it could take for its end. */
static bool is_url(const char *name, const char *scheme)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '"' || name[i] == '\\')
			return false;
	return strncmp(name, scheme, strlen(scheme)) == 0 && name[n - 1] != '/';
}

/* "id:" and eight hexadecimal digits, as EK certificates name their TPM's manufacturer. */
static bool is_manufacturer(const char *text)
{
	return strlen(text) == 11 && strncmp(text, "id:", 3) == 0 &&
	       strspn(text + 3, "0123456789ABCDEFabcdef") == 8;
}

static void judge_trust(const char *path, const struct config *config, struct problems *problems)
{
	const struct config_trust *trust = config->trust.item;

	if (config->vendors == NULL && config->trust.n == 0)
		problem_add(problems, path, config->mark,
			"nobody is trusted: wanted vendors, trust, or both");
	for (size_t i = 0; i < config->trust.n; i++) {
		char *const *id = trust[i].manufacturers.item;

		for (size_t k = 0; k < trust[i].manufacturers.n; k++)
			if (!is_manufacturer(id[k]))
				problem_add(problems, path, trust[i].mark,
					"the manufacturer is \"%.40s\": wanted \"id:\" and eight "
					"hexadecimal digits",
					id[k]);
	}
}

/* Both can be left out together with the CA, and neither alone. */
static void judge_ssh_ca(const char *path, const char *key, const struct config_ssh_ca *ca,
	struct problems *problems)
{
	if (ca->mark.line > 0 && (ca->key == NULL || ca->passphrase_file == NULL))
		problem_add(problems, path, ca->mark, "%s has no %s", key,
			ca->key == NULL ? "key" : "passphrase_file");
}

/*
 * It goes into certificates: relying parties may fetch by http, for what they get is compared with
 * its digest.
 */
static void judge_public_url(
	const char *path, const struct config *config, struct problems *problems)
{
	const char *url = config->public_url;

	if (url != NULL && !is_url(url, "https://") && !is_url(url, "http://"))
		problem_add(problems, path, config->mark,
			"public_url is \"%s\": wanted an http or https URL without a slash at its "
			"end",
			url);
}

static void judge(const char *path, const struct config *config, struct problems *problems)
{
	const char *const addresses[] = {config->listen, config->admin_listen};

	for (size_t i = 0; i < COUNT(addresses); i++)
		if (!is_loopback(addresses[i]))
			problem_add(problems, path, config->mark,
				"\"%s\": wanted 127.0.0.1:PORT, for this is plain HTTP behind the "
				"edge",
				addresses[i]);
	if (strcmp(config->listen, config->admin_listen) == 0)
		problem_add(problems, path, config->mark, "listen and admin_listen are the same");
	if (!is_url(config->service, "https://"))
		problem_add(problems, path, config->mark,
			"service is \"%s\": wanted an https URL without a slash at its end",
			config->service);
	if (config->organization != NULL && !text_is(config->organization, TEXT_UTF8))
		problem_add(problems, path, config->mark,
			"organization goes into certificates: wanted %s",
			text_type_says(TEXT_UTF8));
	judge_public_url(path, config, problems);
	judge_ssh_ca(path, "ssh_host_ca", &config->ssh_host_ca, problems);
	judge_ssh_ca(path, "ssh_user_ca", &config->ssh_user_ca, problems);
	judge_trust(path, config, problems);
}

enum err config_load(const char *path, struct problems *problems, struct config *out)
{
	size_t before = problems->n;

	TRY(yaml_read_file(path, &config_schema, out, problems));
	judge(path, out, problems);
	if (problems->n == before)
		return OK;
	config_free(out);
	return fail(ERR_MALFORMED, "yaml", "%s: %zu problem(s)", path, problems->n - before);
}

void config_free(struct config *config)
{
	yaml_release(&config_schema, config);
}
