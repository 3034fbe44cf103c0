#include "enroll/agent/reliance.h"

#include "ca/base/cert.h"

#include <string.h>

static const char *const parts[RELIANCE_PARTS] = {
	[RELIANCE_CERTIFICATE] = "certificate",
	[RELIANCE_SKAE] = "skae",
	[RELIANCE_AK_CERTIFICATE] = "ak-certificate",
	[RELIANCE_EVIDENCE] = "evidence",
};

const char *reliance_part_text(enum reliance_part part)
{
	return parts[part];
}

enum err reliance_read(
	const struct reliance_question *question, struct skae *skae, enum reliance_part *broken)
{
	/* No CA says until when a self-signed one is good: that is for the certificate to say. */
	*broken = RELIANCE_CERTIFICATE;
	TRY(question->kind == SKAE_SELF_SIGNED
			? cert_check_dates(question->certificate, question->now)
			: anchors_check(question->anchors, question->certificate,
				  question->intermediates));
	*broken = RELIANCE_SKAE;
	TRY(skae_of(question->certificate, skae));
	*broken = RELIANCE_PARTS;
	return OK;
}

enum err reliance_judge(const struct reliance_question *question, const struct skae *skae,
	X509 *ak_certificate, enum reliance_part *broken)
{
	const struct certify_evidence carried = {.public = buf_view(&skae->public),
		.attest = buf_view(&skae->attest),
		.signature = buf_view(&skae->signature)};
	enum err err;

	*broken = RELIANCE_AK_CERTIFICATE;
	TRY(anchors_check(question->anchors, ak_certificate, question->intermediates));
	err = skae_judge(question->certificate, ak_certificate, &carried, question->kind);
	if (err != OK && strcmp(why()->code, "skae-ak-certificate") == 0)
		return err;
	*broken = err == OK ? RELIANCE_PARTS : RELIANCE_EVIDENCE;
	return err;
}
