#include "enroll/trust/issuer.h"

#include "ca/base/cert.h"
#include "ca/base/encode.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define KEY_ID_SHOWN 20
#define URL_SHOWN 120

void issuer_name(const struct path *path, size_t at, char out[static ISSUER_NAME])
{
	char name[ISSUER_NAME - 8];

	name_text(X509_get_subject_name(path->step[at].cert), name, sizeof(name));
	if (at == 0 && path->step[0].entry == NULL)
		snprintf(out, ISSUER_NAME, "the EK certificate");
	else
		snprintf(out, ISSUER_NAME, "\"%s\"", name);
}

/* " (key id 00ff...)", or nothing. */
static void key_id_words(const ASN1_OCTET_STRING *id, char *out, size_t room)
{
	char hex[2 * KEY_ID_SHOWN + 1];
	int n = id == NULL ? 0 : ASN1_STRING_length(id);

	out[0] = '\0';
	if (n <= 0)
		return;
	n = n < KEY_ID_SHOWN ? n : KEY_ID_SHOWN;
	hex_write((struct view){ASN1_STRING_get0_data(id), (size_t)n}, hex);
	snprintf(out, room, " (key id %s)", hex);
}

/* Blanks are known to occur in them; nothing else that is not a plain letter may. */
static bool copy_url(const ASN1_STRING *from, char out[static URL_SHOWN + 1])
{
	const uint8_t *text = ASN1_STRING_get0_data(from);
	int n = ASN1_STRING_length(from);
	size_t used = 0;

	if (n < 8 || memcmp(text, "http", 4) != 0)
		return false;
	for (int i = 0; i < n; i++) {
		if (!isgraph(text[i]) && text[i] != ' ')
			return false;
		if (used + 4 > URL_SHOWN)
			return false;
		used += (size_t)snprintf(out + used, 4, text[i] == ' ' ? "%%20" : "%c", text[i]);
	}
	return true;
}

static void access_free(AUTHORITY_INFO_ACCESS **access)
{
	AUTHORITY_INFO_ACCESS_free(*access);
}

/* Where the certificate itself says that its issuer's is (RFC 5280 4.2.2.1): a hint for people. */
static void url_words(const X509 *cert, char *out, size_t room)
{
	AUTO(access_free)
	AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
	char url[URL_SHOWN + 1];

	out[0] = '\0';
	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++) {
		const ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(access, i);

		if (OBJ_obj2nid(one->method) != NID_ad_ca_issuers ||
			one->location->type != GEN_URI ||
			!copy_url(one->location->d.uniformResourceIdentifier, url))
			continue;
		snprintf(out, room, "; the certificate says it is at %s", url);
		return;
	}
}

static enum err root_unknown(X509 *cert)
{
	char name[ISSUER_NAME], hex[65] = "?";
	uint8_t digest[SHA256_SIZE];

	name_text(X509_get_subject_name(cert), name, sizeof(name));
	if (cert_sha256(cert, digest) == OK)
		hex_write(VIEW(digest), hex);
	return refuse(ERR_REJECTED, "ek-untrusted", "RFC 5280 6.1",
		"the chain leads to the root \"%s\" (SHA-256 %s), which is not trusted here: an "
		"operator who has that fingerprint from its maker may import it (endorsectl "
		"vendors import)",
		name, hex);
}

enum err issuer_unknown(const struct path *path)
{
	X509 *last = path->step[path->n - 1].cert;
	char who[ISSUER_NAME], name[ISSUER_NAME], id[64], url[URL_SHOWN + 40];

	if (X509_NAME_cmp(X509_get_subject_name(last), X509_get_issuer_name(last)) == 0)
		return root_unknown(last);
	issuer_name(path, path->n - 1, who);
	name_text(X509_get_issuer_name(last), name, sizeof(name));
	key_id_words(X509_get0_authority_key_id(last), id, sizeof(id));
	url_words(last, url, sizeof(url));
	return refuse(ERR_REJECTED, "ek-untrusted", "RFC 5280 6.1",
		"no CA \"%s\"%s is known here, which issued %s: the operator may import its "
		"certificate (endorsectl vendors import)%s",
		name, id, who, url);
}

enum err issuer_differs(const struct path *path, const X509 *candidate, int code)
{
	X509 *last = path->step[path->n - 1].cert;
	char who[ISSUER_NAME], name[ISSUER_NAME], wanted[64], is[64];

	issuer_name(path, path->n - 1, who);
	name_text(X509_get_subject_name(candidate), name, sizeof(name));
	if (code == X509_V_ERR_KEYUSAGE_NO_CERTSIGN)
		return refuse(ERR_REJECTED, "ek-chain", "RFC 5280 4.2.1.3",
			"\"%s\" issued %s and may not: its key usage lacks keyCertSign", name, who);
	if (code != X509_V_ERR_AKID_SKID_MISMATCH && code != X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH)
		return refuse(ERR_REJECTED, "ek-signature", "RFC 5280 6.1.3 (a)(1)",
			"%s was not signed by the CA \"%s\" that is known here: it was altered, or "
			"made by somebody else under that name",
			who, name);
	key_id_words(X509_get0_authority_key_id(last), wanted, sizeof(wanted));
	key_id_words(X509_get0_subject_key_id((X509 *)candidate), is, sizeof(is));
	return refuse(ERR_REJECTED, "ek-untrusted", "RFC 5280 4.2.1.1",
		"%s was issued with another key%s of \"%s\" than the one known here%s: if its "
		"maker "
		"has such a CA, the operator may import its certificate (endorsectl vendors "
		"import)",
		who, wanted, name, is);
}
