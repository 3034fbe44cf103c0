#include "enroll/tpm/nvcert.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <string.h>

#define STORED_CERT_HEADER 7

static bool is_padding(uint8_t byte)
{
	return byte == 0xff || byte == 0x00 || byte == 0x11;
}

static struct view skip(struct view bytes, size_t n)
{
	return (struct view){bytes.p + n, bytes.n - n};
}

static struct view skip_padding(struct view bytes)
{
	while (bytes.n > 0 && is_padding(bytes.p[0]))
		bytes = skip(bytes, 1);
	return bytes;
}

/* The whole SEQUENCE of definite length at the front of `bytes`. */
static bool sequence_front(struct view bytes, struct view *der)
{
	const unsigned char *p = bytes.p;
	int tag = 0, class = 0;
	long length = 0;

	if (bytes.n == 0 || bytes.n > LONG_MAX)
		return false;
	/* Bit 7: no header, or more content than there are bytes; bit 0: indefinite length. */
	if ((ASN1_get_object(&p, &length, &tag, &class, (long)bytes.n) & 0x81) != 0 ||
		tag != V_ASN1_SEQUENCE || class != V_ASN1_UNIVERSAL) {
		ERR_clear_error();
		return false;
	}
	*der = (struct view){bytes.p, (size_t)(p - bytes.p) + (size_t)length};
	return true;
}

static bool has_stored_cert_header(struct view content)
{
	static const uint8_t tag[] = {0x10, 0x01, 0x00}, full[] = {0x10, 0x02};

	return content.n > STORED_CERT_HEADER && memcmp(content.p, tag, sizeof(tag)) == 0 &&
	       memcmp(content.p + 5, full, sizeof(full)) == 0;
}

enum err nv_certificate_cut(struct view content, struct view *der)
{
	struct view cut;

	if (has_stored_cert_header(content))
		content = skip(content, STORED_CERT_HEADER);
	if (!sequence_front(content, &cut))
		return refuse(ERR_MALFORMED, "ek-certificate", "RFC 5280 4.1",
			"these %zu bytes do not begin with a whole DER certificate", content.n);
	if (skip_padding(skip(content, cut.n)).n > 0)
		return refuse(ERR_MALFORMED, "ek-certificate", "RFC 5280 4.1",
			"something other than padding (FF, 00 or 11) follows the certificate");
	*der = cut;
	return OK;
}

bool nv_chain_next(struct view *rest, struct view *der)
{
	*rest = skip_padding(*rest);
	if (!sequence_front(*rest, der))
		return false;
	*rest = skip(*rest, der->n);
	return true;
}
