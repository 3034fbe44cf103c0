#include "ca/lint_text.h"

#include "ca/base/ossl.h"
#include "ca/lint_check.h"
#include "ca/specimen.h"
#include "ca/ssh.h"
#include "ca/variable.h"

#include <string.h>

struct walk {
	void (*each)(void *arg, const char *text, enum lint_place place, struct yaml_mark mark);
	void *arg;
};

static void tell(
	const struct walk *walk, const char *text, enum lint_place place, struct yaml_mark mark)
{
	if (text != NULL)
		walk->each(walk->arg, text, place, mark);
}

static void walk_attributes(const struct walk *walk, const struct yaml_list *list)
{
	const struct template_attribute *attribute = list->item;

	for (size_t i = 0; i < list->n; i++)
		tell(walk, attribute[i].value, LINT_PLACE_VALUE, attribute[i].mark);
}

static void walk_names(const struct walk *walk, const struct yaml_list *list)
{
	const struct template_name *name = list->item;

	for (size_t i = 0; i < list->n; i++) {
		walk_attributes(walk, &name[i].directory_name);
		tell(walk, name[i].permanent_identifier, LINT_PLACE_VALUE, name[i].mark);
		tell(walk, name[i].dns_name, LINT_PLACE_DNS_NAME, name[i].mark);
		tell(walk, name[i].uri, LINT_PLACE_VALUE, name[i].mark);
		tell(walk, name[i].hardware_module_name.serial, LINT_PLACE_VALUE, name[i].mark);
	}
}

static void walk_options(const struct walk *walk, const struct yaml_list *list)
{
	const struct template_ssh_option *option = list->item;

	for (size_t i = 0; i < list->n; i++)
		tell(walk, option[i].value, LINT_PLACE_VALUE, option[i].mark);
}

static void walk_ssh(const struct walk *walk, const struct template_ssh *ssh)
{
	char *const *principal = ssh->principals.item;

	for (size_t i = 0; i < ssh->principals.n; i++)
		tell(walk, principal[i], LINT_PLACE_PRINCIPAL, ssh->principals.mark);
	tell(walk, ssh->key_id, LINT_PLACE_VALUE, ssh->mark);
	walk_options(walk, &ssh->critical_options);
	walk_options(walk, &ssh->extensions);
}

void lint_texts(const struct template *tmpl,
	void (*each)(void *arg, const char *text, enum lint_place place, struct yaml_mark mark),
	void *arg)
{
	const struct walk walk = {each, arg};
	const struct template_extension *extension = tmpl->extensions.item;

	walk_attributes(&walk, &tmpl->subject);
	walk_names(&walk, &tmpl->san.names);
	for (size_t i = 0; i < tmpl->extensions.n; i++)
		tell(&walk, extension[i].value, LINT_PLACE_VALUE, extension[i].mark);
	if (template_kind(tmpl) != TEMPLATE_X509)
		walk_ssh(&walk, &tmpl->ssh);
}

struct use {
	const char *variable;
	bool found;
};

static void find_use(void *arg, const char *text, enum lint_place place, struct yaml_mark mark)
{
	struct use *use = arg;

	(void)place;
	(void)mark;
	use->found = use->found || variables_use(text, use->variable);
}

bool lint_texts_use(const struct template *tmpl, const char *variable)
{
	struct use use = {variable, false};

	lint_texts(tmpl, find_use, &use);
	return use.found;
}

/* A name that somebody relies on is what policy bound to the device, or what the operator gave to it. */
static void judge_source(void *arg, const char *text, enum lint_place place, struct yaml_mark mark)
{
	static const char *const others[] = {"tpm.manufacturer", "tpm.model", "tpm.version",
		"ek.sha256", "ek.sha256.base64", "ek.serial", "trust.class"};
	const struct linting *linting = arg;

	if (place == LINT_PLACE_VALUE)
		return;
	for (size_t i = 0; i < COUNT(others); i++)
		if (variables_use(text, others[i]))
			lint_found(linting, mark,
				"\"%s\" is a name that no policy gave to the device: ${%s} is what "
				"its maker wrote",
				text, others[i]);
	if (strcmp(text, "${host.domain}") == 0)
		lint_found(linting, mark,
			"\"%s\" is the name of what is above the host, which no policy gave to it",
			text);
}

static void look_source(const struct linting *linting)
{
	lint_texts(linting->tmpl, judge_source, (void *)(uintptr_t)linting);
}

struct named {
	bool any, host;
};

static void note_name(void *arg, const char *text, enum lint_place place, struct yaml_mark mark)
{
	struct named *named = arg;

	(void)mark;
	if (place != LINT_PLACE_DNS_NAME)
		return;
	named->any = true;
	named->host |= strcmp(text, "${host}") == 0;
}

static void look_host(const struct linting *linting)
{
	struct named named = {.any = false};

	lint_texts(linting->tmpl, note_name, &named);
	if (named.any && !named.host)
		lint_found(linting, linting->tmpl->san.mark,
			"no dns_name is \"${host}\": endorse does not install what names only "
			"hosts "
			"other than its own");
}

/* Would it do for an ordinary device? */
static void look_value(const struct linting *linting)
{
	AUTO(specimen_free) struct specimen specimen;
	AUTO(x509_free) X509 *cert = X509_new();
	enum err err = specimen_make(linting->tmpl, linting->issuer, &specimen);

	if (err == OK && template_kind(linting->tmpl) == TEMPLATE_X509)
		err = cert == NULL ? fail(ERR_INTERNAL, "out-of-memory", "look_value")
				   : specimen_names(linting->tmpl, &specimen, cert);
	else if (err == OK)
		err = ssh_judge(linting->tmpl, &specimen.grant);
	if (err != OK)
		lint_found(linting, (struct yaml_mark){0},
			"an ordinary device such as %s would be refused: %s", specimen.host,
			why()->sentence);
}

const struct lint_check lint_text_checks[] = {
	{{"name-source", "endorse-template(5) variables",
		 "A DNS name or a principal is nothing that a manufacturer wrote, and not the "
		 "domain itself."},
		LINT_ANY, look_source},
	{{"name-host", "endorse(1) enroll",
		 "A certificate with DNS names has the host's among them."},
		LINT_X509, look_host},
	{{"value", "endorse-template(5) variables",
		 "An ordinary device's values make what the place wants."},
		LINT_ANY, look_value},
	{{0}, LINT_ANY, NULL},
};
