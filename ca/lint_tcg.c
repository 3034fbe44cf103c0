#include "ca/base/oid.h"
#include "ca/lint_check.h"
#include "ca/lint_text.h"
#include "ca/variable.h"

#include <string.h>

#define RESIDENCY "2.23.133.11.1." /* TCG, verified ... */
#define RESIDENCY_TPM RESIDENCY "1" /* to be in the TPM */
#define RESIDENCY_FIXED RESIDENCY "2" /* and never to leave it */
#define RESIDENCY_RESTRICTED RESIDENCY "3" /* and to sign only what the TPM made */
#define RESIDENCY_PLATFORM RESIDENCY "4" /* together with a platform certificate */
#define HARDWARE_TPM "2.23.133.1.2"
#define PKIX_PURPOSES "1.3.6.1.5.5.7.3."

static const struct yaml_mark whole = {0};

/* A certificate that relying parties take for an AK's. */
static bool is_ak(const struct template *tmpl)
{
	return lint_has_usage(tmpl, OID_AK_CERTIFICATE);
}

static bool is_property(const struct template *tmpl)
{
	return lint_has_usage(tmpl, OID_PLATFORM_PROPERTY);
}

static void look_ak_stray(const struct linting *x)
{
	if (is_ak(x->tmpl) && template_key(x->tmpl) != TEMPLATE_KEY_AK)
		lint_found(x, x->tmpl->extended_key_usage.mark,
			"who has a key that is no AK could forge quotes: %s says that the TPM "
			"signs nothing else with it, and only key: ak has proven that",
			OID_AK_CERTIFICATE);
}

static void look_ak_usage(const struct linting *x)
{
	char *const *usage = x->tmpl->key_usage.item;

	if (template_key(x->tmpl) != TEMPLATE_KEY_AK)
		return;
	for (size_t i = 0; i < x->tmpl->key_usage.n; i++)
		if (strcmp(usage[i], "nonRepudiation") == 0)
			lint_found(x, x->tmpl->key_usage.mark,
				"an AK signs what its TPM says: nobody is committed to anything");
	if (x->tmpl->key_usage.n > 0 && !lint_lists(&x->tmpl->key_usage, "digitalSignature"))
		lint_found(x, x->tmpl->key_usage.mark,
			"an AK signs, and key_usage has no digitalSignature");
}

static void look_ak_eku(const struct linting *x)
{
	char *const *oid = x->tmpl->extended_key_usage.item;

	if (template_key(x->tmpl) != TEMPLATE_KEY_AK || x->tmpl->extended_key_usage.n == 0)
		return;
	for (size_t i = 0; i < x->tmpl->extended_key_usage.n; i++)
		if (strncmp(oid[i], PKIX_PURPOSES, strlen(PKIX_PURPOSES)) == 0 &&
			strcmp(oid[i], EKU_OCSP) != 0)
			lint_found(x, x->tmpl->extended_key_usage.mark,
				"%s is for a key that signs what others hand it, and an AK signs "
				"only what its TPM made",
				oid[i]);
	if (!is_property(x->tmpl) && strcmp(oid[0], OID_AK_CERTIFICATE) != 0)
		lint_found(x, x->tmpl->extended_key_usage.mark,
			"of an AK's purposes relying parties look only at the first, which is %s",
			OID_AK_CERTIFICATE);
}

static void look_ak_subject(const struct linting *x)
{
	if (is_ak(x->tmpl) && x->tmpl->subject.n > 0)
		lint_found(x, x->tmpl->subject.mark,
			"relying parties refuse an AK certificate with a subject");
}

static bool has_attribute(const struct template_name *name, const char *type)
{
	const struct template_attribute *attribute = name->directory_name.item;

	for (size_t i = 0; i < name->directory_name.n; i++)
		if (strcmp(attribute[i].type, type) == 0)
			return true;
	return false;
}

static void look_ak_facts(const struct linting *x)
{
	const struct template_name *names = x->tmpl->san.names.item;

	if (!is_ak(x->tmpl))
		return;
	for (size_t i = 0; i < x->tmpl->san.names.n; i++)
		if (has_attribute(&names[i], "2.23.133.2.1") &&
			has_attribute(&names[i], "2.23.133.2.2") &&
			has_attribute(&names[i], "2.23.133.2.3"))
			return;
	lint_found(x, x->tmpl->san.mark,
		"relying parties want manufacturer, model and version of the TPM (2.23.133.2.1, .2 "
		"and .3) in one directory_name");
}

static void look_ak_identity(const struct linting *x)
{
	static const char *const telling[] = {"host", "host.domain", "device.id", "ek.sha256",
		"ek.sha256.base64", "ek.serial", "label."};
	const struct template_name *names = x->tmpl->san.names.item;

	if (!is_ak(x->tmpl))
		return;
	for (size_t i = 0; i < x->tmpl->san.names.n; i++)
		if (names[i].permanent_identifier != NULL)
			return;
	for (size_t i = 0; i < COUNT(telling); i++)
		if (lint_texts_use(x->tmpl, telling[i]))
			lint_found(x, x->tmpl->san.mark,
				"${%s%s} tells one device from others, and there is no "
				"permanent_identifier: step-ca then lets any genuine TPM order any "
				"identifier; to tell nothing, leave out both",
				telling[i], strcmp(telling[i], "label.") == 0 ? "NAME" : "");
}

static void look_property(const struct linting *x)
{
	if (!is_property(x->tmpl))
		return;
	if (x->tmpl->extended_key_usage.n > 1)
		lint_found(x, x->tmpl->extended_key_usage.mark,
			"with another purpose beside %s it would be taken for something else too",
			OID_PLATFORM_PROPERTY);
	if (!x->tmpl->extended_key_usage_critical)
		lint_found(x, x->tmpl->extended_key_usage.mark,
			"extended_key_usage_critical has to be true: who does not know the purpose "
			"has to refuse it");
	if (template_key(x->tmpl) != TEMPLATE_KEY_AK)
		lint_found(x, whole, "it says who has an AK, so key has to be ak");
	if (!lint_has_dns_name(x->tmpl))
		lint_found(x, x->tmpl->san.mark,
			"it says of which endpoint this is the AK, so it wants a "
			"dns_name");
}

static void look_residency(const struct linting *x)
{
	static const struct {
		const char *oid, *says;
		bool of_ak, of_certified;
	} claims[] = {
		{RESIDENCY_TPM, "was seen to be in the TPM", true, true},
		{RESIDENCY_FIXED, "cannot leave the TPM", true, true},
		{RESIDENCY_RESTRICTED, "signs only what the TPM made", true, false},
		{RESIDENCY_PLATFORM, "belongs to a platform certificate", false, false},
	};
	enum template_key key = template_key(x->tmpl);

	for (size_t i = 0; i < COUNT(claims); i++)
		if (lint_lists(&x->tmpl->policies, claims[i].oid) &&
			!(key == TEMPLATE_KEY_AK && claims[i].of_ak) &&
			!(key == TEMPLATE_KEY_CERTIFIED && claims[i].of_certified))
			lint_found(x, x->tmpl->policies.mark,
				"the policy %s states that the key %s, which nobody has verified "
				"for key: %s",
				claims[i].oid, claims[i].says, x->tmpl->key);
}

static void look_hardware(const struct linting *x)
{
	const struct template_name *names = x->tmpl->san.names.item;

	for (size_t i = 0; i < x->tmpl->san.names.n; i++)
		if (names[i].hardware_module_name.type != NULL) {
			if (strcmp(names[i].hardware_module_name.type, HARDWARE_TPM) != 0)
				lint_found(x, names[i].hardware_module_name.mark,
					"the hardware of a TPM 2.0 is of type %s", HARDWARE_TPM);
			if (!lint_lists(&x->tmpl->policies, RESIDENCY_TPM))
				lint_found(x, names[i].hardware_module_name.mark,
					"who reads a hardware_module_name looks for the policy %s "
					"(the key was seen to be in that TPM)",
					RESIDENCY_TPM);
		}
}

const struct lint_check lint_tcg_checks[] = {
	{{"ak-stray", "TCG OID registry, tcg-kp-AIKCertificate",
		 "Only an AK has an AK's extended key usage."},
		LINT_X509, look_ak_stray},
	{{"ak-usage", "WebAuthn 8.3.1", "An AK's key usage is digitalSignature."}, LINT_X509,
		look_ak_usage},
	{{"ak-eku", "WebAuthn 8.3.1",
		 "An AK's first purpose is 2.23.133.8.3, or it is a platform-property "
		 "certificate, and it has none of the Internet's, such as serverAuth."},
		LINT_X509, look_ak_eku},
	{{"ak-subject", "WebAuthn 8.3.1", "An AK certificate has no subject."}, LINT_X509,
		look_ak_subject},
	{{"ak-facts", "WebAuthn 8.3.1",
		 "An AK certificate has manufacturer, model and version of the TPM."},
		LINT_X509, look_ak_facts},
	{{"ak-identity", "RFC 4043 2",
		 "An AK certificate has a permanent identifier, or nothing that tells devices "
		 "apart."},
		LINT_X509, look_ak_identity},
	{{"property", "Goldman, Perez, Sailer 2007, 3.4",
		 "A platform-property certificate is an AK's, names a host, and its purpose is its "
		 "only one, and critical."},
		LINT_X509, look_property},
	{{"residency", "TCG TPM 2.0 Keys for Device Identity and Attestation",
		 "Policies on where a key is state only what was verified of it."},
		LINT_X509, look_residency},
	{{"hardware", "TCG TPM 2.0 Keys for Device Identity and Attestation",
		 "A hardware module name is a TPM's, and a policy says that the key is in it."},
		LINT_X509, look_hardware},
	{{0}, LINT_ANY, NULL},
};
