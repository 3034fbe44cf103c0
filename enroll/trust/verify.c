#include "enroll/trust/set.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "enroll/trust/certfile.h"
#include "enroll/trust/chain.h"
#include "enroll/trust/issuer.h"
#include "enroll/trust/keykind.h"
#include "enroll/trust/revocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One question while its answer is being looked for. */
struct asking {
	const struct trust *trust;
	const struct trust_question *question;
	STACK_OF(X509) *sent;
	struct trust_verdict *verdict;
	/* By a path with an expired certificate, where that is taken and no better path is there. */
	struct trust_verdict second;
	bool has_second;
};

static void asking_free(struct asking **asking)
{
	if (*asking != NULL)
		sk_X509_pop_free((*asking)->sent, X509_free);
	free(*asking);
}

static enum err bad_chain(size_t i, const char *what)
{
	return refuse(ERR_REJECTED, "ek-chain", "PROTOCOL limits", "certificate %zu of ek.chain %s",
		i + 1, what);
}

static bool holds(const STACK_OF(X509) *stack, const X509 *cert)
{
	for (int i = 0; i < sk_X509_num(stack); i++)
		if (X509_cmp(sk_X509_value(stack, i), cert) == 0)
			return true;
	return false;
}

/* The device's own intermediates, each judged before any signature is computed with its key. */
static enum err read_sent(const struct view *sent, size_t n, STACK_OF(X509) *stack)
{
	for (size_t i = 0; i < n; i++) {
		AUTO(x509_free) X509 *cert = NULL;
		enum key_kind kind;

		if (certificate_read(sent[i], &cert) != OK)
			return bad_chain(i, "is not a DER certificate");
		(void)X509_check_purpose(cert, -1, 0);
		if (holds(stack, cert))
			return bad_chain(i, "is there twice");
		if (X509_get0_pubkey(cert) == NULL ||
			key_kind_of(X509_get0_pubkey(cert), &kind) != OK)
			return bad_chain(i, "has a key of unusual size or kind");
		if (sk_X509_push(stack, cert) <= 0)
			return fail(ERR_INTERNAL, "out-of-memory", "trust_verify");
		(void)MOVE(cert);
	}
	return OK;
}

/* "id:49465800" in "id:49465800,id:53544D20", whatever the case; none at all takes any. */
static bool is_among(const char *manufacturers, const char *one)
{
	size_t n = one == NULL ? 0 : strlen(one);

	if (manufacturers[0] == '\0')
		return true;
	for (const char *p = manufacturers; n > 0; p++) {
		if (strncasecmp(p, one, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return true;
		if ((p = strchr(p, ',')) == NULL)
			return false;
	}
	return false;
}

static enum err judge_manufacturer(const struct asking *asking, const struct path *path)
{
	const struct trust_entry *root = path->step[path->n - 1].entry;
	char name[ISSUER_NAME];

	if (is_among(root->manufacturers, asking->question->manufacturer))
		return OK;
	issuer_name(path, path->n - 1, name);
	return refuse(ERR_REJECTED, "ek-manufacturer", "PROTOCOL ek",
		"the root %s vouches for TPMs of %.100s and not of %.20s: a certificate of another "
		"maker's TPM must not come from it",
		name, root->manufacturers,
		asking->question->manufacturer == NULL ? "" : asking->question->manufacturer);
}

static void add_remark(struct trust_verdict *verdict, unsigned remark, const char *words)
{
	size_t used = strlen(verdict->remark);

	verdict->remarks |= remark;
	snprintf(verdict->remark + used, sizeof(verdict->remark) - used, "%s%s",
		used > 0 ? "; " : "", words);
}

static void note_firmware(const struct asking *asking, struct trust_verdict *verdict)
{
	const struct trust_question *question = asking->question;
	const struct vendor_firmware *known =
		question->manufacturer == NULL ? NULL
					       : vendors_firmware_find(asking->trust->vendors,
							 question->manufacturer, question->version);
	char words[sizeof(verdict->remark)];

	if (known == NULL)
		return;
	snprintf(words, sizeof(words), "firmware %.20s of %.20s is known bad: %s%s%s",
		question->version, question->manufacturer, known->reference,
		known->note == NULL ? "" : ": ", known->note == NULL ? "" : known->note);
	add_remark(verdict, REMARK_FIRMWARE, words);
}

static enum err describe_step(const struct path_step *from, struct trust_step *out)
{
	const struct trust_entry *entry = from->entry;

	if (entry != NULL) {
		memcpy(out->subject, entry->subject, sizeof(out->subject));
		memcpy(out->sha256, entry->sha256, sizeof(out->sha256));
	} else {
		name_text(X509_get_subject_name(from->cert), out->subject, sizeof(out->subject));
		TRY(cert_sha256(from->cert, out->sha256));
	}
	out->from = entry == NULL		? STEP_SENT
		    : entry->role == TRUST_ROOT ? STEP_ANCHOR
						: STEP_INTERMEDIATE;
	snprintf(out->source, sizeof(out->source), "%s", entry == NULL ? "" : entry->source);
	return cert_validity(from->cert, &out->not_before, &out->not_after);
}

static enum err describe(const struct path *path, struct trust_verdict *verdict)
{
	const struct trust_entry *root = path->step[path->n - 1].entry;
	AUTO(buf_free) struct buf text = BUF(TRUST_CHAIN_TEXT - 1);

	for (size_t i = 1; i < path->n; i++) {
		struct trust_step *step = &verdict->step[verdict->steps++];

		TRY(describe_step(&path->step[i], step));
		buf_fmt(&text, "%s%s", i > 1 ? "\n" : "", step->subject);
	}
	snprintf(verdict->chain, sizeof(verdict->chain), "%s", buf_text(&text));
	snprintf(verdict->source, sizeof(verdict->source), "%s", root->source);
	verdict->class = root->class;
	return OK;
}

/* A path_judge. The order is that of what cannot be helped: the time comes last. */
static enum err judge(void *ctx, const struct path *path, bool is_whole)
{
	struct asking *asking = ctx;
	const struct trust_question *question = asking->question;
	AUTO(buf_free) struct buf old = BUF(300);
	struct trust_verdict *verdict = asking->verdict;
	struct path verified;
	enum err err;

	TRY(chain_verify(path, &verified));
	TRY(revocation_check(
		asking->trust, asking->sent, &verified, is_whole, question->now, &old));
	if (is_whole)
		TRY(judge_manufacturer(asking, &verified));
	TRY(chain_has_begun(&verified, question->now));
	err = chain_has_not_ended(&verified, question->now);
	if (err != OK && (!question->takes_expired || asking->has_second))
		return err;
	if (!is_whole)
		return OK;
	if (err != OK)
		verdict = &asking->second;
	*verdict = (struct trust_verdict){0};
	if (err != OK)
		add_remark(verdict, REMARK_EXPIRED, why()->sentence);
	TRY(describe(&verified, verdict));
	note_firmware(asking, verdict);
	if (old.n > 0)
		add_remark(verdict, REMARK_CRL_OLD, buf_text(&old));
	asking->has_second |= err != OK;
	return err;
}

static void note_moments(const X509 *cert, int64_t now, int64_t *until)
{
	int64_t moments[2];

	if (cert_validity(cert, &moments[0], &moments[1]) != OK)
		return;
	for (size_t i = 0; i < COUNT(moments); i++)
		if (moments[i] >= now && moments[i] < *until)
			*until = moments[i];
}

/* See struct trust_verdict. */
static int64_t steady_until(const struct asking *asking)
{
	const struct trust_question *question = asking->question;
	int64_t until = trust_next_moment(asking->trust, question->now);

	note_moments(question->leaf, question->now, &until);
	for (int i = 0; i < sk_X509_num(asking->sent); i++)
		note_moments(sk_X509_value(asking->sent, i), question->now, &until);
	return until;
}

static enum err verify_anew(const struct trust *trust, const struct trust_question *question,
	struct trust_verdict *verdict)
{
	AUTO(asking_free) struct asking *asking = calloc(1, sizeof(*asking));
	int64_t until;
	enum err err;

	if (asking == NULL || (asking->sent = sk_X509_new_null()) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "trust_verify");
	asking->trust = trust;
	asking->question = question;
	asking->verdict = verdict;
	(void)X509_check_purpose(question->leaf, -1, 0);
	TRY(read_sent(question->sent, question->sent_n, asking->sent));
	until = steady_until(asking);
	err = path_search(trust, asking->sent, question->leaf, judge, asking);
	if (err == ERR_REJECTED && asking->has_second) {
		*verdict = asking->second;
		err = OK;
	}
	verdict->until = until;
	return err;
}

enum err trust_verify(const struct trust *trust, const struct trust_question *question,
	struct trust_verdict *verdict)
{
	uint8_t key[SHA256_SIZE];

	TRY(verdict_key(question, key));
	if (verdict_recall(trust->verdicts, key, question->now, verdict))
		return OK;
	*verdict = (struct trust_verdict){0};
	TRY(verify_anew(trust, question, verdict));
	verdict_remember(trust->verdicts, key, question->now, verdict);
	return OK;
}
