#include "ca/lint.h"

#include "ca/lint_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct lint_check *const lists[] = {
	lint_x509_checks,
	lint_tcg_checks,
	lint_text_checks,
	lint_issuer_checks,
	lint_ssh_checks,
};

/* The checks of all lists in a row; NULL beyond the last. */
static const struct lint_check *check_at(size_t index)
{
	for (size_t i = 0; i < COUNT(lists); i++)
		for (const struct lint_check *check = lists[i]; check->rule.name != NULL; check++)
			if (index-- == 0)
				return check;
	return NULL;
}

const struct lint_rule *lint_rule_at(size_t index)
{
	const struct lint_check *check = check_at(index);

	return check == NULL ? NULL : &check->rule;
}

void template_lint(const struct template *tmpl, const X509 *issuer, struct problems *problems)
{
	enum lint_scope scope = template_kind(tmpl) == TEMPLATE_X509 ? LINT_X509 : LINT_SSH;
	const struct lint_check *check;

	for (size_t i = 0; (check = check_at(i)) != NULL; i++)
		if (check->scope == LINT_ANY || check->scope == scope)
			check->look(&(struct linting){tmpl, issuer, &check->rule, problems});
}

enum err templates_lint(
	const struct templates *templates, const X509 *issuer, struct problems *problems)
{
	const struct template *tmpl;
	size_t before = problems->n;

	for (size_t i = 0; (tmpl = template_at(templates, i)) != NULL; i++)
		template_lint(tmpl, issuer, problems);
	if (problems->n != before)
		return fail(ERR_MALFORMED, "templates", "%zu finding(s) in the templates",
			problems->n - before);
	return OK;
}

void lint_found(const struct linting *linting, struct yaml_mark mark, const char *fmt, ...)
{
	char sentence[384];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	problem_add(linting->problems, linting->tmpl->path,
		mark.line > 0 ? mark : linting->tmpl->mark, "[%s] %s (%s)", linting->rule->name,
		sentence, linting->rule->clause);
}

bool lint_lists(const struct yaml_list *list, const char *text)
{
	char *const *item = list->item;

	for (size_t i = 0; i < list->n; i++)
		if (strcmp(item[i], text) == 0)
			return true;
	return false;
}

bool lint_has_usage(const struct template *tmpl, const char *oid)
{
	return lint_lists(&tmpl->extended_key_usage, oid);
}

bool lint_is_for_tls(const struct template *tmpl)
{
	return lint_has_usage(tmpl, EKU_SERVER) || lint_has_usage(tmpl, EKU_CLIENT);
}

bool lint_has_dns_name(const struct template *tmpl)
{
	const struct template_name *names = tmpl->san.names.item;

	for (size_t i = 0; i < tmpl->san.names.n; i++)
		if (names[i].dns_name != NULL)
			return true;
	return false;
}
