#include "ca/base/hostname.h"

#include <string.h>

static enum err bad_name(const char *name, const char *what)
{
	return refuse(ERR_MALFORMED, "host-name", "RFC 1123 2.1",
		"\"%.64s\" cannot be a host's name here: %s", name, what);
}

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static const char *label_problem(const char *label, size_t n)
{
	if (n == 0)
		return "an empty label (two dots, or a dot at an end)";
	if (n > 63)
		return "a label of more than 63 characters";
	for (size_t i = 0; i < n; i++)
		if (!is_letter_or_digit(label[i]) && label[i] != '-')
			return "only lower-case letters, digits, hyphens and dots";
	if (label[0] == '-' || label[n - 1] == '-')
		return "a label that begins or ends with a hyphen";
	return NULL;
}

/* As inet_aton(3) reads numbers: decimal, or hexadecimal after 0x. */
static bool is_number(const char *label)
{
	if (strncmp(label, "0x", 2) == 0)
		return strspn(label + 2, "0123456789abcdef") == strlen(label + 2);
	return strspn(label, "0123456789") == strlen(label);
}

/* What is wrong with the labels; NULL when nothing is. `*labels` and `*last` get what was found. */
static const char *labels_problem(const char *name, size_t *labels, const char **last)
{
	const char *problem;

	if (strlen(name) > HOSTNAME_MAX)
		return "longer than 253 characters";
	for (*labels = 0, *last = name;; *last += strcspn(*last, ".") + 1) {
		size_t n = strcspn(*last, ".");

		if ((problem = label_problem(*last, n)) != NULL)
			return problem;
		++*labels;
		if ((*last)[n] == '\0')
			return NULL;
	}
}

bool is_dns_name(const char *name)
{
	const char *last;
	size_t labels;

	return labels_problem(name, &labels, &last) == NULL && !is_number(last);
}

enum err hostname_check(const char *name)
{
	const char *last, *problem;
	size_t labels;

	if ((problem = labels_problem(name, &labels, &last)) != NULL)
		return bad_name(name, problem);
	if (labels < 2)
		return bad_name(
			name, "a single label: send the full name, such as web-01.example.org");
	if (is_number(last))
		return bad_name(name, "the last label is a number, as in an address");
	return OK;
}
