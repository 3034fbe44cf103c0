#include "enroll/admin/remedy.h"

#include "ca/base/mem.h"

#include <string.h>

static const char client[] =
	"the client does not speak this protocol as PROTOCOL.md has it: update "
	"endorse on the device, or tell the client's author";
static const char new_ak[] = "on the device, enroll with a new AK: endorse enroll makes one";
static const char odd_certificate[] = "the manufacturer's certificate is not what the TCG profile "
				      "asks for: keep this TPM out, and "
				      "show it to the manufacturer";

static const char other_key[] =
	"the key is none that the TPM made for signing and that stays in it: on the device, make a "
	"new one (endorse enroll --template NAME=tpm makes one)";
static const char other_statement[] =
	"what came does not show that the key is in the device's TPM: update endorse on the device "
	"and enroll again; if it stays so, somebody asks for a key that he does not have there";
static const char other_template[] =
	"correct the template (endorsectl template check), or give the rule another one";

static const struct {
	const char *reason, *remedy;
} remedies[] = {
	{"json", client},
	{"json-key-unknown", client},
	{"json-key-missing", client},
	{"json-type", client},
	{"base64", client},
	{"field-too-long", client},
	{"request-keys", client},
	{"request-key",
		"the device sent another kind of key than the template is for: endorse enroll "
		"--template NAME=KEY with ak, tpm or a file as the template's key says, or change "
		"the template"},
	{"request-purpose", client},
	{"spki", "the key in the file is of a kind or an encoding that is not certified: make a "
		 "P-256, Ed25519 or RSA-2048 key"},
	{"ssh-key", "the key in the .pub file is of a kind that is not certified: make an Ed25519 "
		    "one (ssh-keygen -t ed25519)"},
	{"attest", client},
	{"key-name-algorithm", other_key},
	{"key-attributes", other_key},
	{"key-scheme", other_key},
	{"key-key", other_key},
	{"key-roca", "this TPM's firmware makes weak RSA keys (CVE-2017-15361): update it, or use "
		     "an ECC key"},
	{"key-decrypts", "on the device, make a key that only signs; or, for RSA key exchange, say "
			 "decrypt: true in the template"},
	{"attest-magic", other_statement},
	{"attest-type", other_statement},
	{"attest-qualifying-data", other_statement},
	{"attest-signature", other_statement},
	{"certify-name", other_statement},
	{"template-needs-label", "the template states a label that this device does not have: give "
				 "it one (endorsectl ek allow add --label) before it enrolls, or "
				 "give the rule another template"},
	{"template-needs-ak-certificate",
		"the template's certificates name that of the AK: have the device ask for one too "
		"(endorse enroll --template ak), and give it in the rule"},
	{"template-needs-evidence", other_template},
	{"template-value", other_template},
	{"ca-name-constraints", "the CA's certificate does not permit this name: take the name out "
				"of the rule, or have a CA that may"},
	{"ssh-principals", other_template},
	{"tpm-public", client},
	{"ak-name", client},
	{"ek-certificate",
		"what came is no whole certificate: read the TPM's NV index from its first byte to "
		"its last; if the maker wrote it so, endorse enroll --ek-certificate none, and "
		"endorsectl ek allow add its EK"},
	{"host-name",
		"give the machine a lower-case DNS name of two labels or more, and enroll again"},
	{"wrong-service", "the device was pointed at another service's name: endorse enroll "
			  "--service must be "
			  "this service's"},
	{"name-not-allowed",
		"add the name to a rule's hosts in policy.yaml (endorsectl reload), or "
		"correct the machine's name, and enroll again"},
	{"label-not-allowed",
		"every rule for this name wants labels that the device does not have: give it them "
		"(endorsectl ek allow add --label, before it enrolls), or change the rules"},
	{"ek-kind-not-allowed",
		"enroll with the EK that the rule names (endorse enroll --ek ...), or "
		"add this kind to the rule's ek_kinds"},
	{"trust-not-allowed", "this TPM's root is not of a class that the rule takes: change the "
			      "rule's trust, or where the root is imported (trust: class)"},
	{"template-not-allowed", "add the template to the rule's templates in policy.yaml, or ask "
				 "for another on the device"},
	{"device-revoked",
		"an admin revoked this device: the audit says who and why. Is it to come back? "
		"endorsectl reinstate device"},
	{"device-held",
		"an admin holds this device: endorsectl unhold device gives it back what it "
		"had, endorsectl revoke device makes it final"},
	{"host-revoked", "an admin revoked this name: is a machine to have it again? endorsectl "
			 "reinstate host"},
	{"renewal-needs-enrollment",
		"the device enrolls by itself where it uses endorse renew; otherwise: endorse "
		"enroll"},
	{"renewal-name-not-bound",
		"a device renews under a name that it does not have any more: was the name taken "
		"back (endorsectl host unbind)? then stop endorse-renew.timer there. Is it to have "
		"it again? endorse enroll, by hand"},
	{"certificate-revoked", "on the device, enroll anew: endorse enroll"},
	{"ak-superseded",
		"another AK of this device took its place, as new_ak in the policy or "
		"live_aks_per_device says: does it enroll with two state directories? On the "
		"device, remove ak.tss2.pem from the one that stays, and enroll: endorse enroll "
		"makes a new AK"},
	{"ak-other-dialect", new_ak},
	{"ak-of-another-device", "two EKs came with one AK: if both are of one TPM, unbind the "
				 "older device's name, and "
				 "enroll with a new AK"},
	{"ticket-used", "on the device, enroll anew: endorse enroll"},
	{"host-bound-to-another-device",
		"is it the machine that had the name? then it enrolled with another EK. Was it "
		"replaced, or its mainboard? endorsectl host unbind NAME --why ... Neither? "
		"somebody else uses the name"},
	{"device-bound-to-another-host", "this TPM has a name already: enroll under that one, or "
					 "endorsectl host unbind its old "
					 "name, or raise the rule's names_per_device"},
	{"template-needs-tpm-facts",
		"the template states who made the TPM, which nothing has proven of this one: make "
		"that name optional in the template, or give the rule another template"},
	{"ak-name-algorithm", new_ak},
	{"ak-attributes", new_ak},
	{"ak-scheme", new_ak},
	{"ak-key", new_ak},
	{"ak-roca",
		"this TPM's firmware makes weak RSA keys (CVE-2017-15361): update it, or enroll "
		"with an ECC AK"},
	{"ak-not-for-this-service",
		"on the device, enroll with a new AK: endorse enroll makes one. A cloud's own AK "
		"is taken only where the name's rule says untagged_aks: true"},
	{"ek-certificate-missing",
		"this TPM has no EK certificate in its NV storage: endorsectl ek allow add its EK "
		"by the sha256 that the device told, and have the name's rule take allow-list; or "
		"have such attempts held (unknown_ek: hold); or keep the TPM out"},
	{"ek-public-missing", client},
	{"ek-tpm12", "this is a TPM 1.2, which cannot do what is asked: the machine needs a TPM "
		     "2.0, or its firmware switched to it"},
	{"ek-firmware",
		"something is known against this TPM's firmware: update it, or let the rule take "
		"it with a warning (bad_firmware: warn)"},
	{"ek-registered-for-another-host",
		"this EK was registered for another name: endorse enroll --host that name, or "
		"--host-from-service; was the machine re-named? endorsectl ek allow remove, and "
		"add it anew"},
	{"host-registered-for-another-ek",
		"the name was registered for another TPM: is this the right machine? was its "
		"mainboard replaced? endorsectl host unbind NAME, ek allow remove the old EK, and "
		"ek allow "
		"add the new one"},
	{"host-not-registered",
		"the device asked for no name, and its EK is registered for none: endorsectl ek "
		"allow add it with a host, or enroll with --host"},
	{"attempt-rejected",
		"an admin rejected this TPM: endorsectl pending show says who and why"},
	{"ek-key", odd_certificate},
	{"ek-roca", "this TPM's EK can be computed by anybody (CVE-2017-15361): replace the TPM"},
	{"ek-mismatch", "the EK in the TPM is not the certificate's: was the TPM cleared or the EK "
			"re-made with another template?"},
	{"ek-template", "the EK is not made from the TCG's template: enroll with another EK "
			"(endorse enroll --ek ...)"},
	{"ek-is-ca", odd_certificate},
	{"ek-eku", odd_certificate},
	{"ek-usage", odd_certificate},
	{"ek-extension", odd_certificate},
	{"ek-san", odd_certificate},
	{"ek-chain",
		"a certificate between this TPM and its maker's root is no use, the sentence says "
		"which: import the maker's own (endorsectl vendors import)"},
	{"ek-signature",
		"the certificate was altered, or somebody uses the name of a CA that you know; "
		"if that CA has a second key, import its certificate (endorsectl vendors import)"},
	{"ek-weak", "this chain is from before 2016 or so, and anybody could make one today: "
		    "replace the TPM, or ask its maker for a newer certificate"},
	{"ek-not-yet-valid", "is the clock of this server right?"},
	{"ek-expired", "is the clock of this server right? if so, ask the manufacturer for a new "
		       "certificate, or let the rule take expired ones (expired_ek: warn)"},
	{"ek-manufacturer",
		"the root vouches for other makers' TPMs: is it one that you brought? then see "
		"trust: manufacturers; otherwise keep the TPM out"},
	{"ek-revoked", "its maker took the certificate back: ask there why, and replace the TPM"},
	{"ek-untrusted",
		"is this a manufacturer you trust? import its root or the missing intermediate "
		"(endorsectl vendors import, or trust: roots and endorsectl reload). Is it one "
		"machine? endorsectl ek allow add its EK by the sha256 that the device told, and "
		"have the name's rule take allow-list"},
};

const char *remedy_for(const char *reason)
{
	for (size_t i = 0; i < COUNT(remedies); i++)
		if (strcmp(remedies[i].reason, reason) == 0)
			return remedies[i].remedy;
	return NULL;
}
