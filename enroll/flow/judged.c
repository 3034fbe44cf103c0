#include "enroll/flow/judged.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY SIZE_MAX

struct slot {
	uint8_t key[SHA256_SIZE];
	struct judgement judgement; /* its claim is NULL while the slot is empty */
	int64_t judged_at;
	size_t next; /* with keys that begin alike */
};

/* Slots are filled in turn, so that the oldest makes room; keys are found by how they begin. */
struct judged {
	pthread_mutex_t lock; /* over all that follows */
	size_t slots, turn;
	size_t *first; /* of each beginning; NOBODY: none */
	struct slot slot[];
};

struct judged *judged_make(size_t slots)
{
	struct judged *judged = calloc(1, sizeof(*judged) + slots * sizeof(judged->slot[0]));

	if (judged == NULL)
		return NULL;
	judged->slots = slots;
	if ((judged->first = malloc(slots * sizeof(judged->first[0]))) == NULL) {
		free(judged);
		return NULL;
	}
	for (size_t i = 0; i < slots; i++)
		judged->first[i] = NOBODY;
	pthread_mutex_init(&judged->lock, NULL);
	return judged;
}

void judged_free(struct judged **judged)
{
	if (*judged == NULL)
		return;
	for (size_t i = 0; i < (*judged)->slots; i++)
		judgement_free(&(*judged)->slot[i].judgement);
	pthread_mutex_destroy(&(*judged)->lock);
	free((*judged)->first);
	free(*judged);
	*judged = NULL;
}

enum err judged_key(
	const struct service *service, struct view claim, uint8_t key[static SHA256_SIZE])
{
	/* The name ends with a NUL, and digests are of one size: what follows them is the claim alone. */
	return SHA256_OF(key, ((struct view){trust_version(service->trust), SHA256_SIZE}),
		((struct view){policy_version(service->policy), SHA256_SIZE}),
		((struct view){(const uint8_t *)service->name, strlen(service->name) + 1}), claim);
}

/* Where the number is of the first slot with keys that begin like this one. */
static size_t *beginning(struct judged *judged, const uint8_t key[static SHA256_SIZE])
{
	uint32_t begin;

	memcpy(&begin, key, sizeof(begin));
	return &judged->first[begin % judged->slots];
}

/* Where the number of its slot is, or NOBODY. */
static size_t *find(struct judged *judged, const uint8_t key[static SHA256_SIZE])
{
	size_t *at = beginning(judged, key);

	while (*at != NOBODY && memcmp(judged->slot[*at].key, key, SHA256_SIZE) != 0)
		at = &judged->slot[*at].next;
	return at;
}

/* Would it be judged the same at `now`? */
static bool is_steady(const struct slot *slot, int64_t now)
{
	int64_t age = now - slot->judged_at;

	return age == 0 ||
	       (age > 0 && age <= JUDGED_LIFE && now < identity_until(slot->judgement.identity));
}

bool judged_recall(struct judged *judged, const uint8_t key[static SHA256_SIZE], int64_t now,
	struct judgement *out)
{
	bool found;
	size_t at;

	pthread_mutex_lock(&judged->lock);
	at = *find(judged, key);
	found = at != NOBODY && is_steady(&judged->slot[at], now) &&
		judgement_copy(&judged->slot[at].judgement, out) == OK;
	pthread_mutex_unlock(&judged->lock);
	return found;
}

static void unlink_slot(struct judged *judged, size_t at)
{
	if (judged->slot[at].judgement.claim != NULL)
		*find(judged, judged->slot[at].key) = judged->slot[at].next;
}

static void link_slot(struct judged *judged, size_t at, const uint8_t key[static SHA256_SIZE])
{
	size_t *first = beginning(judged, key);

	memcpy(judged->slot[at].key, key, SHA256_SIZE);
	judged->slot[at].next = *first;
	*first = at;
}

/* Under the lock. `*judgement` and what was there change places. */
static void put(struct judged *judged, const uint8_t key[static SHA256_SIZE], int64_t now,
	struct judgement *judgement)
{
	size_t at = *find(judged, key);
	struct judgement old;

	if (at == NOBODY) {
		at = judged->turn;
		judged->turn = (judged->turn + 1) % judged->slots;
		unlink_slot(judged, at);
		link_slot(judged, at, key);
	}
	old = judged->slot[at].judgement;
	judged->slot[at].judgement = *judgement;
	judged->slot[at].judged_at = now;
	*judgement = old;
}

void judged_remember(struct judged *judged, const uint8_t key[static SHA256_SIZE], int64_t now,
	const struct judgement *judgement)
{
	/* What made room is freed when nobody waits for it. */
	AUTO(judgement_free) struct judgement copy = {0};

	if (judgement_copy(judgement, &copy) != OK)
		return;
	pthread_mutex_lock(&judged->lock);
	put(judged, key, now, &copy);
	pthread_mutex_unlock(&judged->lock);
}
