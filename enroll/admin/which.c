#include "enroll/admin/which.h"

#include "enroll/admin/words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *word, *for_what;
} reasons[] = {
	{"keyCompromise", "stolen, copied, or broken into"},
	{"cACompromise", "the CA's key is known to others"},
	{"affiliationChanged", "it belongs to somebody else now"},
	{"superseded", "something newer took its place"},
	{"cessationOfOperation", "it is out of service"},
	{"privilegeWithdrawn", "it may not any more what it might"},
	{"unspecified", "none of these"},
};

static bool told(const char *option, const char *value, const char *wanted)
{
	fprintf(stderr, "endorsectl: %s: \"%.80s\": wanted %s\n", option, value, wanted);
	return false;
}

static bool tell_reasons(const char *value)
{
	fprintf(stderr, "endorsectl: --reason: \"%.40s\" is none of\n", value);
	for (size_t i = 0; i < COUNT(reasons); i++)
		fprintf(stderr, "    %-22s %s\n", reasons[i].word, reasons[i].for_what);
	return false;
}

/* Letters alone, so that "key-compromise" is the same word. */
static bool is_word(const char *value, const char *word)
{
	for (; *value != '\0'; value++) {
		if (*value == '-' || *value == '_')
			continue;
		if (tolower((unsigned char)*value) != tolower((unsigned char)*word))
			return false;
		word++;
	}
	return *word == '\0';
}

static bool read_reason(const char *value, char out[static LIMIT_CRL_REASON + 1])
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (is_word(value, reasons[i].word)) {
			snprintf(out, LIMIT_CRL_REASON + 1, "%s", reasons[i].word);
			return true;
		}
	return tell_reasons(value);
}

/* Hexadecimal digits without what programs put between them; false: something else is there, or
 * more than `room` has room for. */
static bool read_digits(const char *value, char *out, size_t room)
{
	size_t n = 0;

	if (strncasecmp(value, "0x", 2) == 0)
		value += 2;
	for (; *value != '\0'; value++) {
		if (*value == ':' || *value == '-' || *value == ' ')
			continue;
		if (!isxdigit((unsigned char)*value) || n + 1 >= room)
			return false;
		out[n++] = (char)tolower((unsigned char)*value);
	}
	out[n] = '\0';
	return n > 0;
}

static bool read_serial(const char *value, char out[static LIMIT_SERIAL + 1])
{
	char digits[LIMIT_SERIAL + 1];

	if (!read_digits(value, digits, sizeof(digits)))
		return told("--serial", value, "hexadecimal digits, 40 at most");
	if (strlen(digits) % 2 != 0 && strlen(digits) == LIMIT_SERIAL)
		return told("--serial", value, "hexadecimal digits, 40 at most");
	snprintf(out, LIMIT_SERIAL + 1, "%s%.*s", strlen(digits) % 2 == 0 ? "" : "0",
		LIMIT_SERIAL - 1, digits);
	return true;
}

/* sshd writes it in decimal digits; the records have its eight bytes. */
bool which_ssh_serial(const char *value, char out[static LIMIT_SERIAL + 1])
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end != '\0' || errno != 0)
		return told("--ssh-serial", value, "the decimal number that sshd logs");
	snprintf(out, LIMIT_SERIAL + 1, "%016llx", number);
	return true;
}

static bool read_exactly(
	const char *option, const char *value, char *out, size_t digits, const char *wanted)
{
	if (!read_digits(value, out, digits + 1) || strlen(out) != digits)
		return told(option, value, wanted);
	return true;
}

static bool read_host(const char *value, char out[static LIMIT_HOST + 1])
{
	size_t n = strlen(value);

	if (n == 0 || n > LIMIT_HOST)
		return told("--host", value, "a host name");
	for (size_t i = 0; i <= n; i++)
		out[i] = (char)tolower((unsigned char)value[i]);
	return true;
}

bool which_option(struct revocation_request *request, int id, const char *value)
{
	switch (id) {
	case WHICH_ID:
		return read_exactly("--id", value, request->id, LIMIT_DEVICE_ID,
			"a device's 32 hexadecimal digits");
	case WHICH_HOST:
		return read_host(value, request->host);
	case WHICH_EK:
		return read_exactly("--ek-digest", value, request->ek_digest, 2 * SHA256_SIZE,
			"64 hexadecimal digits");
	case WHICH_SERIAL:
		return read_serial(value, request->serial);
	case WHICH_SSH_SERIAL:
		return which_ssh_serial(value, request->serial);
	case WHICH_ISSUER:
		return read_digits(value, request->issuer, sizeof(request->issuer)) ||
		       told("--issuer", value, "hexadecimal digits of the CA's id, 64 at most");
	case WHICH_REASON:
		return read_reason(value, request->reason);
	default:
		return why_option(value, request->why);
	}
}
