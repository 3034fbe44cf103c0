#include "enroll/agent/reliance.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"

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

/* No CA says until when it is good, so that is for the certificate to say, and nobody else checks it. */
static enum err judge_dates(const X509 *certificate, int64_t now)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t from, until;

	if (cert_validity(certificate, &from, &until) != OK)
		return fail(ERR_REJECTED, "skae-dates", "the certificate has no dates");
	if (now < from) {
		clock_text(from, text);
		return fail(ERR_REJECTED, "skae-dates", "the certificate begins later, %s", text);
	}
	if (now > until) {
		clock_text(until, text);
		return fail(ERR_REJECTED, "skae-dates", "the certificate ended at %s", text);
	}
	return OK;
}

enum err reliance_read(
	const struct reliance_question *question, struct skae *skae, enum reliance_part *broken)
{
	*broken = RELIANCE_CERTIFICATE;
	TRY(question->kind == SKAE_SELF_SIGNED
			? judge_dates(question->certificate, question->now)
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
