#include "ca/text.h"

#include "ca/base/hostname.h"
#include "ca/base/mem.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define HEX DIGITS "abcdefABCDEF"

/* RFC 3986, appendix A: every character that stands for itself. */
#define URI LETTERS DIGITS "-._~:/?#[]@!$&'()*+,;="

static bool has_only(const char *text, const char *characters)
{
	return text[strspn(text, characters)] == '\0';
}

static bool is_long(const char *text, size_t most)
{
	const size_t n = strnlen(text, most + 1);

	return n > 0 && n <= most;
}

static bool is_printable(const char *text, size_t most)
{
	if (!is_long(text, most))
		return false;
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

/* RFC 3986 3.1 and 2.1. */
static bool is_uri(const char *text)
{
	const size_t scheme = strspn(text, LETTERS DIGITS "+-.");

	if (!is_long(text, 512) || strspn(text, LETTERS) == 0 || text[scheme] != ':' ||
		text[scheme + 1] == '\0' || !has_only(text, URI "%"))
		return false;
	while ((text = strchr(text, '%')) != NULL)
		if (strspn(++text, HEX) < 2)
			return false;
	return true;
}

/* Not what a terminal acts upon, nor what lets a name read as another. */
static bool is_seen(unsigned long c)
{
	static const struct {
		unsigned long first, last;
	} unseen[] = {{0, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x61c, 0x61c}, {0x200b, 0x200f},
		{0x2028, 0x202e}, {0x2060, 0x206f}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
		{0xfff0, 0xfffd}, {0xe0000, 0xe0fff}, {0x110000, ~0UL}};

	for (size_t i = 0; i < COUNT(unseen); i++)
		if (c >= unseen[i].first && c <= unseen[i].last)
			return false;
	return (c & 0xfffe) != 0xfffe;
}

static bool is_utf8(const char *text)
{
	const size_t n = strnlen(text, 513);
	unsigned long c;

	if (!is_long(text, 512))
		return false;
	for (size_t i = 0; i < n;) {
		const int read = UTF8_getc((const uint8_t *)text + i, (int)(n - i), &c);

		if (read <= 0 || !is_seen(c))
			return false;
		i += (size_t)read;
	}
	return true;
}

static bool is_integer(const char *text)
{
	if (strcmp(text, "0") == 0)
		return true;
	text += *text == '-';
	return is_long(text, 60) && has_only(text, DIGITS) && text[0] != '0';
}

static bool is_oid(const char *text)
{
	/* OpenSSL would take blanks for dots, and two dots, or one at the end, for a zero. */
	const bool is_dotted = is_long(text, 128) && has_only(text, DIGITS ".") &&
			       strstr(text, "..") == NULL && text[strlen(text) - 1] != '.';
	ASN1_OBJECT *object = is_dotted ? OBJ_txt2obj(text, 1) : NULL;
	const bool is = object != NULL;

	ASN1_OBJECT_free(object);
	ERR_clear_error();
	return is;
}

bool text_is(const char *text, enum text_type type)
{
	switch (type) {
	case TEXT_PRINTABLE:
		return is_printable(text, 128);
	case TEXT_DNS:
		return is_long(text, HOSTNAME_MAX) && hostname_check(text) == OK;
	case TEXT_URI:
		return is_uri(text);
	case TEXT_PRINCIPAL:
		return is_long(text, 128) && has_only(text, LETTERS DIGITS "._-@");
	case TEXT_UTF8:
		return is_utf8(text);
	case TEXT_IA5:
		return is_printable(text, 512);
	case TEXT_PRINTABLE_STRING:
		return is_long(text, 512) && has_only(text, LETTERS DIGITS " '()+,-./:=?");
	case TEXT_INTEGER:
		return is_integer(text);
	case TEXT_BOOLEAN:
		return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
	case TEXT_OID:
		return is_oid(text);
	}
	return false;
}

const char *text_type_says(enum text_type type)
{
	static const char *const says[] = {
		[TEXT_PRINTABLE] = "printable ASCII of 1 to 128 characters",
		[TEXT_DNS] = "a host's name in lower case",
		[TEXT_URI] = "a URI of at most 512 characters",
		[TEXT_PRINCIPAL] = "letters, digits and . _ - @, 1 to 128",
		[TEXT_UTF8] = "text of 1 to 512 bytes without control characters",
		[TEXT_IA5] = "printable ASCII of 1 to 512 characters",
		[TEXT_PRINTABLE_STRING] = "letters, digits, spaces and ' ( ) + , - . / : = ?",
		[TEXT_INTEGER] = "a whole number of at most 60 digits",
		[TEXT_BOOLEAN] = "true or false",
		[TEXT_OID] = "an object identifier in dotted form",
	};

	return says[type];
}
