#include "ca/variable.h"

#include "ca/base/encode.h"
#include "ca/base/hostname.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define EXPANDED_MAX 1024

/* Whose it is to know the value, and so who is told when nobody does. */
enum source { SOURCE_GRANT, SOURCE_TPM, SOURCE_LABEL };

/* How the value is made from what the grant has. */
enum form { FORM_TEXT, FORM_DOMAIN, FORM_HEX, FORM_BASE64, FORM_LABEL };

#define AT(member) offsetof(struct grant, member)
static const struct variable {
	const char *name;
	enum source source;
	enum form form;
	size_t offset; /* in the grant */
	enum text_type type;
} variables[] = {
	{"host", SOURCE_GRANT, FORM_TEXT, AT(host), TEXT_DNS},
	{"host.domain", SOURCE_GRANT, FORM_DOMAIN, AT(host), TEXT_DNS},
	{"device.id", SOURCE_GRANT, FORM_TEXT, AT(device_id), TEXT_PRINTABLE},
	{"tpm.manufacturer", SOURCE_TPM, FORM_TEXT, AT(tpm_manufacturer), TEXT_PRINTABLE},
	{"tpm.model", SOURCE_TPM, FORM_TEXT, AT(tpm_model), TEXT_PRINTABLE},
	{"tpm.version", SOURCE_TPM, FORM_TEXT, AT(tpm_version), TEXT_PRINTABLE},
	{"ek.sha256", SOURCE_GRANT, FORM_HEX, AT(ek_digest), TEXT_PRINTABLE},
	{"ek.sha256.base64", SOURCE_GRANT, FORM_BASE64, AT(ek_digest), TEXT_PRINTABLE},
	{"ek.serial", SOURCE_TPM, FORM_TEXT, AT(ek_serial), TEXT_PRINTABLE},
	{"organization", SOURCE_GRANT, FORM_TEXT, AT(organization), TEXT_UTF8},
	{"trust.class", SOURCE_GRANT, FORM_TEXT, AT(trust_class), TEXT_PRINTABLE},
};
#define LABEL "label."
static const struct variable a_label = {LABEL, SOURCE_LABEL, FORM_LABEL, 0, TEXT_UTF8};

/* One piece of a text: plain, or a variable without what is around it. */
struct piece {
	struct view text;
	bool is_variable;
};

/* False at the end; `*bad` when a "$" begins no variable. */
static bool next_piece(const char **rest, struct piece *out, bool *bad)
{
	const char *at = *rest, *end;

	if (*at == '\0')
		return false;
	out->is_variable = *at == '$';
	if (!out->is_variable) {
		out->text = (struct view){(const uint8_t *)at, strcspn(at, "$")};
		*rest = at + out->text.n;
		return true;
	}
	end = at[1] == '{' ? strchr(at, '}') : NULL;
	*bad = end == NULL;
	if (end == NULL)
		return false;
	out->text = (struct view){(const uint8_t *)at + 2, (size_t)(end - at) - 2};
	*rest = end + 1;
	return true;
}

static bool starts_with(struct view text, const char *with)
{
	return text.n > strlen(with) && memcmp(text.p, with, strlen(with)) == 0;
}

/* As labels may be named. */
static bool is_label(struct view name)
{
	const size_t skip = strlen(LABEL);

	if (!starts_with(name, LABEL) || name.n - skip > 64)
		return false;
	for (size_t i = skip; i < name.n; i++)
		if (!isalnum(name.p[i]) && strchr("._-", name.p[i]) == NULL)
			return false;
	return true;
}

static const struct variable *variable_named(struct view name)
{
	for (size_t i = 0; i < COUNT(variables); i++)
		if (view_equal(name, view_str(variables[i].name)))
			return &variables[i];
	return is_label(name) ? &a_label : NULL;
}

const char *variables_problem(const char *text)
{
	static _Thread_local char problem[320];
	struct piece piece;
	bool bad = false;

	while (next_piece(&text, &piece, &bad))
		if (piece.is_variable && variable_named(piece.text) == NULL) {
			snprintf(problem, sizeof(problem),
				"\"${%.*s}\" is no variable: there are ${host}, ${host.domain}, "
				"${device.id}, ${tpm.manufacturer}, ${tpm.model}, ${tpm.version}, "
				"${ek.sha256}, ${ek.sha256.base64}, ${ek.serial}, ${organization}, "
				"${trust.class} and ${label.NAME}",
				(int)(piece.text.n > 40 ? 40 : piece.text.n),
				(const char *)piece.text.p);
			return problem;
		}
	return bad ? "a \"$\" that begins no variable: wanted ${NAME}" : NULL;
}

bool variables_use(const char *text, const char *variable)
{
	bool is_any_label = strcmp(variable, LABEL) == 0, bad = false;
	struct piece piece;

	while (next_piece(&text, &piece, &bad))
		if (piece.is_variable && (view_equal(piece.text, view_str(variable)) ||
						 (is_any_label && starts_with(piece.text, LABEL))))
			return true;
	return false;
}

static const char *label_of(const struct grant *grant, struct view name)
{
	for (size_t i = 0; i < grant->labels_n; i++)
		if (view_equal(name, view_str(grant->labels[i].name)))
			return grant->labels[i].value;
	return NULL;
}

/* What the value is made from; NULL when the grant has none. `name` is as the template has it. */
static const void *given(
	const struct variable *variable, struct view name, const struct grant *grant)
{
	const size_t skip = strlen(LABEL);
	const char *text;

	if (variable->form == FORM_LABEL)
		text = label_of(grant, (struct view){name.p + skip, name.n - skip});
	else
		text = *(const char *const *)((const char *)grant + variable->offset);
	if (text == NULL || variable->form == FORM_HEX || variable->form == FORM_BASE64)
		return text;
	if (variable->form == FORM_DOMAIN)
		text = strchr(text, '.') == NULL ? "" : strchr(text, '.') + 1;
	return text[0] == '\0' ? NULL : text;
}

/* Would the value be read as more than one part of a URI? RFC 3986 2.2 and 2.3. */
static bool parts_a_uri(const char *value)
{
	return value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-._~:")] != '\0';
}

/* Appends a value; false when it is not of its own type, or more than its place takes. */
static bool add_value(
	const struct variable *variable, const void *value, enum text_type place, struct buf *out)
{
	const struct view digest = {value, 32};

	if (variable->form == FORM_HEX)
		hex_add(out, digest);
	else if (variable->form == FORM_BASE64)
		base64_add(out, digest);
	/* A domain may be of one label: that the name before it is a host's is enough. */
	else if ((variable->form != FORM_DOMAIN && !text_is(value, variable->type)) ||
		 (variable->form == FORM_DOMAIN && !is_dns_name(value)) ||
		 (place == TEXT_URI && parts_a_uri(value)))
		return false;
	else
		buf_str(out, value);
	return !out->failed;
}

bool variables_unproven(const char *text, const struct grant *grant)
{
	const struct variable *variable;
	struct piece piece;
	bool bad = false;

	while (next_piece(&text, &piece, &bad))
		if (piece.is_variable && (variable = variable_named(piece.text)) != NULL &&
			variable->source == SOURCE_TPM &&
			given(variable, piece.text, grant) == NULL)
			return true;
	return false;
}

enum filled { FILLED, LACKS_VALUE, IS_UNFIT };

/* Fills the text in; `*which` is the variable that the grant has no value for, or one that is unfit. */
static enum filled fill(const char *text, enum text_type type, const struct grant *grant,
	struct buf *out, struct view *which)
{
	struct piece piece;
	bool bad = false;

	while (next_piece(&text, &piece, &bad)) {
		const struct variable *variable =
			piece.is_variable ? variable_named(piece.text) : NULL;
		const void *value = variable == NULL ? NULL : given(variable, piece.text, grant);

		if (!piece.is_variable) {
			buf_add(out, piece.text);
		} else if (value == NULL || !add_value(variable, value, type, out)) {
			*which = piece.text;
			return value == NULL ? LACKS_VALUE : IS_UNFIT;
		}
	}
	return !bad && buf_ok(out) == OK && text_is(buf_text(out), type) ? FILLED : IS_UNFIT;
}

const char *text_problem(const char *text, enum text_type type)
{
	static const uint8_t digest[32] = {0};
	static const struct grant specimen = {.host = "host.example.org",
		.device_id = "0123456789abcdef0123456789abcdef",
		.trust_class = "manufacturer",
		.tpm_manufacturer = "id:49465800",
		.tpm_version = "id:00010002",
		.ek_digest = digest,
		.ek_serial = "0123456789abcdef"};
	static _Thread_local char problem[160];
	AUTO(buf_free) struct buf value = BUF(EXPANDED_MAX);
	const char *wrong = variables_problem(text);
	struct view which;

	if (wrong != NULL || fill(text, type, &specimen, &value, &which) != IS_UNFIT)
		return wrong;
	snprintf(problem, sizeof(problem), "\"%.60s\": wanted %s", text, text_type_says(type));
	return problem;
}

static enum err missing(const struct grant *grant, struct view name)
{
	const struct variable *variable = variable_named(name);
	int n = (int)(name.n > 80 ? 80 : name.n);

	if (variable != NULL && variable->source == SOURCE_TPM)
		return refuse(ERR_REJECTED, "template-needs-tpm-facts",
			"endorse-template(5) optional",
			"certificates of the template \"%s\" state ${%.*s}, and no manufacturer's "
			"certificate has proven it of this TPM; the service's operator can make it "
			"optional in that template",
			grant->template, n, (const char *)name.p);
	if (variable != NULL && variable->source == SOURCE_LABEL)
		return refuse(ERR_REJECTED, "template-needs-label", "endorse-template(5) variables",
			"certificates of the template \"%s\" state ${%.*s}, and this device has no "
			"such label; a device has those that its EK had when it first "
			"enrolled (endorsectl ek allow)",
			grant->template, n, (const char *)name.p);
	return fail(
		ERR_INTERNAL, "template-value", "${%.*s} has no value", n, (const char *)name.p);
}

static enum err unfit(
	const char *text, enum text_type type, const struct grant *grant, struct view name)
{
	if (name.n > 0)
		return refuse(ERR_REJECTED, "template-value", "endorse-template(5) variables",
			"certificates of the template \"%s\" state \"%.128s\" as %s, which this "
			"device's ${%.*s} cannot be part of",
			grant->template, text, text_type_says(type),
			(int)(name.n > 80 ? 80 : name.n), (const char *)name.p);
	return refuse(ERR_REJECTED, "template-value", "endorse-template(5) variables",
		"certificates of the template \"%s\" state \"%.128s\", which would not be %s",
		grant->template, text, text_type_says(type));
}

enum err variables_expand(
	const char *text, enum text_type type, const struct grant *grant, struct buf *out)
{
	AUTO(buf_free) struct buf value = BUF(EXPANDED_MAX);
	struct view which = {NULL, 0};
	enum filled filled = fill(text, type, grant, &value, &which);

	if (filled == LACKS_VALUE)
		return missing(grant, which);
	if (filled == IS_UNFIT)
		return unfit(text, type, grant, which);
	buf_add(out, buf_view(&value));
	return buf_ok(out);
}
