#include "ca/lint_check.h"
#include "ca/variable.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* What sshd knows; of a critical option that it does not know it refuses the certificate. */
static const struct {
	const char *name;
	bool is_critical, has_value;
} known[] = {
	{"force-command", true, true},
	{"source-address", true, true},
	{"verify-required", true, false},
	{"no-touch-required", false, false},
	{"permit-X11-forwarding", false, false},
	{"permit-agent-forwarding", false, false},
	{"permit-port-forwarding", false, false},
	{"permit-pty", false, false},
	{"permit-user-rc", false, false},
};

static bool is_host(const struct linting *x)
{
	return template_kind(x->tmpl) == TEMPLATE_SSH_HOST;
}

static void look_ak(const struct linting *x)
{
	if (template_key(x->tmpl) == TEMPLATE_KEY_AK)
		lint_found(x, x->tmpl->ssh.mark,
			"an AK signs only what its TPM made, so it opens no SSH connection");
}

static void look_host_name(const struct linting *x)
{
	char *const *principal = x->tmpl->ssh.principals.item;

	if (!is_host(x) || x->tmpl->ssh.principals.n == 0)
		return;
	for (size_t i = 0; i < x->tmpl->ssh.principals.n; i++)
		if (variables_use(principal[i], "host") || variables_use(principal[i], "label."))
			return;
	lint_found(x, x->tmpl->ssh.principals.mark,
		"no principal is the host's name, which is what clients compare with the one that "
		"they dialled");
}

static void look_root(const struct linting *x)
{
	char *const *principal = x->tmpl->ssh.principals.item;

	for (size_t i = 0; i < x->tmpl->ssh.principals.n; i++)
		if (!is_host(x) && strcmp(principal[i], "root") == 0)
			lint_found(x, x->tmpl->ssh.principals.mark,
				"each device that may have this would be root wherever the CA is "
				"trusted; give those that should be a label, and say "
				"${label.NAME}");
}

static void look_key_id(const struct linting *x)
{
	if (x->tmpl->ssh.key_id == NULL || !variables_use(x->tmpl->ssh.key_id, "device.id"))
		lint_found(x, x->tmpl->ssh.mark,
			"without ${device.id} in key_id no line of a revocation list is the "
			"device's, and no log of sshd names it");
}

static int place_of(const char *name)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(known[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* An extension of somebody's own is named after a domain, and ignored by who does not know it. */
static bool is_own(const char *name)
{
	const char *at = strchr(name, '@');

	return at != NULL && at != name && at[1] != '\0';
}

static void judge_option(
	const struct linting *x, const struct template_ssh_option *option, bool is_critical)
{
	int place = place_of(option->name);

	if (place < 0) {
		if (is_critical || !is_own(option->name))
			lint_found(x, option->mark, "sshd does not know the %s \"%s\"",
				is_critical ? "critical option" : "extension", option->name);
	} else if (known[place].is_critical != is_critical) {
		lint_found(x, option->mark, "\"%s\" is %s", option->name,
			is_critical ? "an extension, and no critical option"
				    : "a critical option, and no extension");
	} else if (known[place].has_value != (option->value != NULL)) {
		lint_found(x, option->mark, "\"%s\" %s", option->name,
			known[place].has_value ? "wants a value" : "is a flag, without a value");
	}
}

static void look_options(const struct linting *x)
{
	const struct template_ssh_option *critical = x->tmpl->ssh.critical_options.item,
					 *extension = x->tmpl->ssh.extensions.item;

	if (is_host(x))
		return;
	for (size_t i = 0; i < x->tmpl->ssh.critical_options.n; i++)
		judge_option(x, &critical[i], true);
	for (size_t i = 0; i < x->tmpl->ssh.extensions.n; i++)
		judge_option(x, &extension[i], false);
}

/* "192.0.2.0/24", "2001:db8::1": sshd takes no names, and refuses the certificate for anything else. */
static bool is_address(char *text)
{
	char *slash = strchr(text, '/'), *end = NULL;
	unsigned char bytes[16];
	bool is_v4;
	long bits;

	if (slash != NULL)
		*slash++ = '\0';
	is_v4 = inet_pton(AF_INET, text, bytes) == 1;
	if (!is_v4 && inet_pton(AF_INET6, text, bytes) != 1)
		return false;
	if (slash == NULL)
		return true;
	bits = strtol(slash, &end, 10);
	return *slash >= '0' && *slash <= '9' && *end == '\0' && bits <= (is_v4 ? 32 : 128);
}

static bool are_addresses(const char *list)
{
	AUTO(mem_free) char *copy = strdup(list);
	char *rest = copy, *one;

	while (rest != NULL && (one = strsep(&rest, ",")) != NULL)
		if (!is_address(one))
			return false;
	return copy != NULL;
}

static void look_source_address(const struct linting *x)
{
	const struct template_ssh_option *option = x->tmpl->ssh.critical_options.item;

	for (size_t i = 0; i < x->tmpl->ssh.critical_options.n; i++)
		if (strcmp(option[i].name, "source-address") == 0 && option[i].value != NULL &&
			strchr(option[i].value, '$') == NULL && !are_addresses(option[i].value))
			lint_found(x, option[i].mark,
				"\"%s\" is no list of addresses such as 192.0.2.0/24,2001:db8::/32",
				option[i].value);
}

const struct lint_check lint_ssh_checks[] = {
	{{"ssh-ak", "TPM 2.0 Part 2, 8.3", "No AK is an SSH key."}, LINT_SSH, look_ak},
	{{"ssh-host-name", "ssh(1) CERTIFICATES", "A host certificate names the host."}, LINT_SSH,
		look_host_name},
	{{"ssh-root", "sshd_config(5) AuthorizedPrincipalsFile",
		 "Not everyone with a user certificate of a template is root."},
		LINT_SSH, look_root},
	{{"ssh-key-id", "ssh-keygen(1) KEY REVOCATION LISTS",
		 "The key id says which device it is."},
		LINT_SSH, look_key_id},
	{{"ssh-option", "PROTOCOL.certkeys",
		 "Critical options and extensions are those that sshd knows, each in its place."},
		LINT_SSH, look_options},
	{{"ssh-source-address", "PROTOCOL.certkeys", "source-address is a list of addresses."},
		LINT_SSH, look_source_address},
	{{0}, LINT_ANY, NULL},
};
