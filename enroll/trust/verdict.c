#include "enroll/trust/verdict.h"

#include "ca/base/cert.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	uint8_t key[SHA256_SIZE];
	int64_t verified_at;
	bool is_used;
	struct trust_verdict verdict;
};

/* A chain has one place, given by its key; a newer one that has the same takes it over. */
struct verdicts {
	pthread_mutex_t lock;
	size_t slots;
	struct slot slot[];
};

struct verdicts *verdicts_make(size_t slots)
{
	struct verdicts *verdicts =
		calloc(1, sizeof(*verdicts) + slots * sizeof(verdicts->slot[0]));

	if (verdicts == NULL)
		return NULL;
	pthread_mutex_init(&verdicts->lock, NULL);
	verdicts->slots = slots;
	return verdicts;
}

void verdicts_free(struct verdicts **verdicts)
{
	if (*verdicts != NULL)
		pthread_mutex_destroy(&(*verdicts)->lock);
	free(*verdicts);
	*verdicts = NULL;
}

static void add_sized(struct buf *out, struct view bytes)
{
	buf_be64(out, bytes.n);
	buf_add(out, bytes);
}

enum err verdict_key(const struct trust_question *question, uint8_t key[static SHA256_SIZE])
{
	AUTO(buf_free) struct buf all = BUF(1 << 17);
	const char *const words[] = {question->manufacturer, question->version};
	uint8_t digest[SHA256_SIZE];

	TRY(cert_sha256(question->leaf, digest));
	buf_add(&all, VIEW(digest));
	buf_u8(&all, question->takes_expired);
	for (size_t i = 0; i < COUNT(words); i++)
		add_sized(&all, view_str(words[i] == NULL ? "" : words[i]));
	for (size_t i = 0; i < question->sent_n; i++)
		add_sized(&all, question->sent[i]);
	TRY(buf_ok(&all));
	return SHA256_OF(key, buf_view(&all));
}

static struct slot *slot_of(struct verdicts *verdicts, const uint8_t key[static SHA256_SIZE])
{
	uint32_t place;

	memcpy(&place, key, sizeof(place));
	return &verdicts->slot[place % verdicts->slots];
}

/* Would the same come out at `now`? */
static bool is_steady(const struct slot *slot, int64_t now)
{
	int64_t age = now - slot->verified_at;

	return age == 0 || (age > 0 && age <= VERDICT_LIFE && now < slot->verdict.until);
}

bool verdict_recall(struct verdicts *verdicts, const uint8_t key[static SHA256_SIZE], int64_t now,
	struct trust_verdict *out)
{
	const struct slot *slot = slot_of(verdicts, key);
	bool found;

	pthread_mutex_lock(&verdicts->lock);
	found = slot->is_used && memcmp(slot->key, key, SHA256_SIZE) == 0 && is_steady(slot, now);
	if (found)
		*out = slot->verdict;
	pthread_mutex_unlock(&verdicts->lock);
	return found;
}

void verdict_remember(struct verdicts *verdicts, const uint8_t key[static SHA256_SIZE], int64_t now,
	const struct trust_verdict *verdict)
{
	struct slot *slot = slot_of(verdicts, key);

	pthread_mutex_lock(&verdicts->lock);
	memcpy(slot->key, key, SHA256_SIZE);
	slot->verified_at = now;
	slot->is_used = true;
	slot->verdict = *verdict;
	pthread_mutex_unlock(&verdicts->lock);
}
