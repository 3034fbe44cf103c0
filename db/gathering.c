#include "db/gathering.h"

#include <errno.h>
#include <time.h>

/* One who came, on his own stack. Others touch it under the mutex only, and not after they told him. */
struct gathered {
	const void *what;
	enum { WAITS, LEADS, TOLD, TOLD_TO_GO_ALONE } state;
	enum err err; /* when TOLD */
	struct kept_reason reason;
	bool is_held_up; /* waited long enough: whoever is through gives way */
	pthread_cond_t moved;
	struct gathered *next;
	struct gathered *group[GATHERED_MAX]; /* of one who leads; himself first */
	size_t group_n;
};

void gathering_init(struct gathering *gathering, unsigned few, unsigned many)
{
	*gathering = (struct gathering){.few = few < many ? few : many, .many = many};
	pthread_mutex_init(&gathering->mutex, NULL);
}

void gathering_destroy(struct gathering *gathering)
{
	pthread_mutex_destroy(&gathering->mutex);
}

static struct timespec patience_ends(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += GATHERING_PATIENCE_MS * 1000000L;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void queue(struct gathering *gathering, struct gathered *self)
{
	if (gathering->first == NULL)
		gathering->first = self;
	else
		gathering->last->next = self;
	gathering->last = self;
}

static void leave_queue(struct gathering *gathering, struct gathered *self)
{
	struct gathered *before = NULL;

	for (struct gathered *one = gathering->first; one != self; one = one->next)
		before = one;
	if (before == NULL)
		gathering->first = self->next;
	else
		before->next = self->next;
	if (gathering->last == self)
		gathering->last = before;
	self->next = NULL;
}

static void join(struct gathered *leader, struct gathered *one)
{
	leader->group[leader->group_n++] = one;
}

static void begin(struct gathering *gathering, struct gathered *leader)
{
	gathering->busy++;
	leader->state = LEADS;
	join(leader, leader);
	while (leader->group_n < GATHERED_MAX && gathering->first != NULL) {
		struct gathered *one = gathering->first;

		leave_queue(gathering, one);
		join(leader, one);
	}
}

static bool is_queued(const struct gathering *gathering, const struct gathered *self)
{
	for (const struct gathered *one = gathering->first; one != NULL; one = one->next)
		if (one == self)
			return true;
	return false;
}

static void be_held_up(struct gathering *gathering, struct gathered *self)
{
	self->is_held_up = true;
	if (!is_queued(gathering, self) || gathering->busy >= gathering->many)
		return;
	leave_queue(gathering, self);
	begin(gathering, self);
}

/* Until this one leads, or was told. Who is in a leader's group cannot leave, however long it takes. */
static void come(struct gathering *gathering, struct gathered *self)
{
	struct timespec until = patience_ends();

	pthread_mutex_lock(&gathering->mutex);
	if (gathering->busy < gathering->few)
		begin(gathering, self);
	else
		queue(gathering, self);
	while (self->state == WAITS)
		if (self->is_held_up)
			pthread_cond_wait(&self->moved, &gathering->mutex);
		else if (pthread_cond_timedwait(&self->moved, &gathering->mutex, &until) ==
				 ETIMEDOUT &&
			 self->state == WAITS)
			be_held_up(gathering, self);
	pthread_mutex_unlock(&gathering->mutex);
}

/* For the first of those who wait: may he begin? */
static bool has_room(const struct gathering *gathering)
{
	return gathering->first != NULL &&
	       gathering->busy < (gathering->first->is_held_up ? gathering->many : gathering->few);
}

static void tell(struct gathered *one, enum err err)
{
	one->err = err;
	one->state = err == OK || err == ERR_BUSY ? TOLD : TOLD_TO_GO_ALONE;
	if (err != OK)
		reason_keep(&one->reason);
	pthread_cond_signal(&one->moved);
}

/* Tells the group how it went, and hands over. */
static void end(struct gathering *gathering, struct gathered *leader, enum err err)
{
	pthread_mutex_lock(&gathering->mutex);
	gathering->busy--;
	for (size_t i = 1; i < leader->group_n; i++)
		tell(leader->group[i], err);
	if (has_room(gathering)) {
		struct gathered *next = gathering->first;

		leave_queue(gathering, next);
		begin(gathering, next);
		pthread_cond_signal(&next->moved);
	}
	pthread_mutex_unlock(&gathering->mutex);
}

static enum err lead(
	struct gathering *gathering, const struct gathered_work *work, struct gathered *self)
{
	const void *what[GATHERED_MAX];
	enum err err;

	for (size_t i = 0; i < self->group_n; i++)
		what[i] = self->group[i]->what;
	err = self->group_n == 1 ? work->alone(work->context, self->what)
				 : work->together(work->context, what, self->group_n);
	end(gathering, self, err);
	if (self->group_n == 1 || err == OK || err == ERR_BUSY)
		return err;
	return work->alone(work->context, self->what);
}

static enum err hear(const struct gathered_work *work, const struct gathered *self)
{
	if (self->state == TOLD_TO_GO_ALONE)
		return work->alone(work->context, self->what);
	return self->err == OK ? OK : reason_again(&self->reason);
}

enum err gathering_run(
	struct gathering *gathering, const struct gathered_work *work, const void *what)
{
	struct gathered self = {.what = what, .state = WAITS};
	enum err err;

	condition_init(&self.moved);
	come(gathering, &self);
	err = self.state == LEADS ? lead(gathering, work, &self) : hear(work, &self);
	pthread_cond_destroy(&self.moved);
	return err;
}
