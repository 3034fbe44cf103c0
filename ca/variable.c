#include "ca/variable.h"

#include "ca/base/encode.h"
#include "ca/base/hostname.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define EXPANDED_MAX 1024

/* What a lookup says of a variable. */
enum source { SOURCE_GRANT, SOURCE_TPM, SOURCE_LABEL, SOURCE_NONE };

static const struct {
	const char *name;
	enum source source;
} variables[] = {
	{"host", SOURCE_GRANT},
	{"host.domain", SOURCE_GRANT},
	{"device.id", SOURCE_GRANT},
	{"tpm.manufacturer", SOURCE_TPM},
	{"tpm.model", SOURCE_TPM},
	{"tpm.version", SOURCE_TPM},
	{"ek.sha256", SOURCE_GRANT},
	{"ek.sha256.base64", SOURCE_GRANT},
	{"ek.serial", SOURCE_TPM},
	{"organization", SOURCE_GRANT},
	{"trust.class", SOURCE_GRANT},
};

#define LABEL "label."

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

static enum source source_of(struct view name)
{
	for (size_t i = 0; i < COUNT(variables); i++)
		if (view_equal(name, view_str(variables[i].name)))
			return variables[i].source;
	return starts_with(name, LABEL) ? SOURCE_LABEL : SOURCE_NONE;
}

const char *variables_problem(const char *text)
{
	static _Thread_local char problem[256];
	struct piece piece;
	bool bad = false;

	while (next_piece(&text, &piece, &bad))
		if (piece.is_variable && source_of(piece.text) == SOURCE_NONE) {
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

static const char *domain_of(const char *host)
{
	const char *dot = host == NULL ? NULL : strchr(host, '.');

	return dot == NULL ? NULL : dot + 1;
}

/* What is a text of the grant; NULL when it has none. */
static const char *text_of(const struct grant *grant, struct view name)
{
	const struct {
		const char *name, *value;
	} texts[] = {{"host", grant->host}, {"host.domain", domain_of(grant->host)},
		{"device.id", grant->device_id}, {"tpm.manufacturer", grant->tpm_manufacturer},
		{"tpm.model", grant->tpm_model}, {"tpm.version", grant->tpm_version},
		{"ek.serial", grant->ek_serial}, {"organization", grant->organization},
		{"trust.class", grant->trust_class}};

	for (size_t i = 0; i < COUNT(texts); i++)
		if (view_equal(name, view_str(texts[i].name)))
			return texts[i].value;
	return NULL;
}

/* Appends the value; false when the grant has none. */
static bool add_value(const struct grant *grant, struct view name, struct buf *out)
{
	struct view digest = {grant->ek_digest, 32};
	const char *text = text_of(grant, name);

	if (starts_with(name, LABEL))
		text = label_of(
			grant, (struct view){name.p + strlen(LABEL), name.n - strlen(LABEL)});
	if (grant->ek_digest != NULL && view_equal(name, view_str("ek.sha256")))
		hex_add(out, digest);
	else if (grant->ek_digest != NULL && view_equal(name, view_str("ek.sha256.base64")))
		base64_add(out, digest);
	else if (text == NULL || text[0] == '\0')
		return false;
	else
		buf_str(out, text);
	return true;
}

bool variables_unproven(const char *text, const struct grant *grant)
{
	struct piece piece;
	bool bad = false;

	while (next_piece(&text, &piece, &bad)) {
		AUTO(buf_free) struct buf value = BUF(EXPANDED_MAX);

		if (piece.is_variable && source_of(piece.text) == SOURCE_TPM &&
			!add_value(grant, piece.text, &value))
			return true;
	}
	return false;
}

static enum err missing(const struct grant *grant, struct view name)
{
	int n = (int)(name.n > 80 ? 80 : name.n);

	if (source_of(name) == SOURCE_TPM)
		return refuse(ERR_REJECTED, "template-needs-tpm-facts",
			"endorse-template(5) optional",
			"certificates of the template \"%s\" state ${%.*s}, and no manufacturer's "
			"certificate has proven it of this TPM; the service's operator can make it "
			"optional in that template",
			grant->template, n, (const char *)name.p);
	if (source_of(name) == SOURCE_LABEL)
		return refuse(ERR_REJECTED, "template-needs-label", "endorse-template(5) variables",
			"certificates of the template \"%s\" state ${%.*s}, and this device has no "
			"such label; labels come with endorsectl ek allow",
			grant->template, n, (const char *)name.p);
	return fail(
		ERR_INTERNAL, "template-value", "${%.*s} has no value", n, (const char *)name.p);
}

static bool is_all(const char *text, size_t max, const char *others)
{
	size_t n = strlen(text);

	if (n == 0 || n > max)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)text[i]) && strchr(others, text[i]) == NULL)
			return false;
	return true;
}

static bool is_printable(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return n > 0 && n <= 128;
}

/* RFC 3986 3.1, and the characters of its appendix A. */
static bool is_uri(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon != NULL && isalpha((unsigned char)text[0]) && colon[1] != '\0' &&
	       is_all(text, 512, "-._~:/?#[]@!$&'()*+,;=%");
}

static bool is_of_type(const char *text, enum text_type type)
{
	switch (type) {
	case TEXT_PRINTABLE:
		return is_printable(text);
	case TEXT_DNS:
		return hostname_check(text) == OK;
	case TEXT_URI:
		return is_uri(text);
	case TEXT_PRINCIPAL:
		return is_all(text, 128, "._-@");
	}
	return false;
}

static enum err expand(const char *text, const struct grant *grant, struct buf *out)
{
	struct piece piece;
	bool bad = false;

	while (next_piece(&text, &piece, &bad)) {
		if (!piece.is_variable)
			buf_add(out, piece.text);
		else if (!add_value(grant, piece.text, out))
			return missing(grant, piece.text);
	}
	if (bad)
		return fail(ERR_INTERNAL, "template-value", "a \"$\" that begins no variable");
	return buf_ok(out);
}

enum err variables_expand(
	const char *text, enum text_type type, const struct grant *grant, struct buf *out)
{
	AUTO(buf_free) struct buf value = BUF(EXPANDED_MAX);

	TRY(expand(text, grant, &value));
	if (!is_of_type(buf_text(&value), type) || strlen(buf_text(&value)) != value.n)
		return refuse(ERR_REJECTED, "template-value", "endorse-template(5) variables",
			"the value of \"%s\" in the template \"%s\" would not be what it has to be",
			text, grant->template);
	buf_add(out, buf_view(&value));
	return buf_ok(out);
}
