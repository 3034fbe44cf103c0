#include "db/company.h"

#include <errno.h>
#include <time.h>

/* One who came, on his own stack. Others touch it under the mutex only, and not after they told him. */
struct companion {
	const void *what;
	enum { WAITS, LEADS, TOLD, TOLD_TO_GO_ALONE } state;
	enum err err; /* when TOLD */
	struct kept_reason reason;
	bool is_held_up; /* waited long enough: whoever is through gives way */
	pthread_cond_t moved;
	struct companion *next;
	struct companion *group[COMPANY_MAX]; /* of one who leads; himself first */
	size_t group_n;
};

void company_init(struct company *company, unsigned few, unsigned many)
{
	*company = (struct company){.few = few < many ? few : many, .many = many};
	pthread_mutex_init(&company->mutex, NULL);
}

void company_destroy(struct company *company)
{
	pthread_mutex_destroy(&company->mutex);
}

void company_count(struct company *company, struct company_counts *out)
{
	pthread_mutex_lock(&company->mutex);
	*out = company->counts;
	pthread_mutex_unlock(&company->mutex);
}

static struct timespec patience_ends(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += COMPANY_PATIENCE_MS * 1000000L;
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

static void queue(struct company *company, struct companion *self)
{
	if (company->first == NULL)
		company->first = self;
	else
		company->last->next = self;
	company->last = self;
	company->counts.waiting++;
}

static void leave_queue(struct company *company, struct companion *self)
{
	struct companion *before = NULL;

	for (struct companion *one = company->first; one != self; one = one->next)
		before = one;
	if (before == NULL)
		company->first = self->next;
	else
		before->next = self->next;
	if (company->last == self)
		company->last = before;
	self->next = NULL;
	company->counts.waiting--;
}

static void join(struct companion *leader, struct companion *one)
{
	leader->group[leader->group_n++] = one;
}

static void begin(struct company *company, struct companion *leader)
{
	company->busy++;
	leader->state = LEADS;
	join(leader, leader);
	while (leader->group_n < COMPANY_MAX && company->first != NULL) {
		struct companion *one = company->first;

		leave_queue(company, one);
		join(leader, one);
	}
	company->counts.began[leader->group_n]++;
}

static bool is_queued(const struct company *company, const struct companion *self)
{
	for (const struct companion *one = company->first; one != NULL; one = one->next)
		if (one == self)
			return true;
	return false;
}

static void be_held_up(struct company *company, struct companion *self)
{
	self->is_held_up = true;
	if (!is_queued(company, self) || company->busy >= company->many)
		return;
	leave_queue(company, self);
	begin(company, self);
}

/* Until this one leads, or was told. Who is in a leader's group cannot leave, however long it takes. */
static void come(struct company *company, struct companion *self)
{
	struct timespec until = patience_ends();

	pthread_mutex_lock(&company->mutex);
	if (company->busy < company->few)
		begin(company, self);
	else
		queue(company, self);
	while (self->state == WAITS)
		if (self->is_held_up)
			pthread_cond_wait(&self->moved, &company->mutex);
		else if (pthread_cond_timedwait(&self->moved, &company->mutex, &until) ==
				 ETIMEDOUT &&
			 self->state == WAITS)
			be_held_up(company, self);
	pthread_mutex_unlock(&company->mutex);
}

/* For the first of those who wait: may he begin? */
static bool has_room(const struct company *company)
{
	return company->first != NULL &&
	       company->busy < (company->first->is_held_up ? company->many : company->few);
}

/* All of a group have their answer by it. */
static bool is_everybodys(enum err err)
{
	return err == OK || err == ERR_BUSY;
}

static void tell(struct companion *one, enum err err)
{
	one->err = err;
	one->state = is_everybodys(err) ? TOLD : TOLD_TO_GO_ALONE;
	if (err != OK)
		reason_keep(&one->reason);
	pthread_cond_signal(&one->moved);
}

/* Tells the group how it went, and hands over. */
static void end(struct company *company, struct companion *leader, enum err err)
{
	pthread_mutex_lock(&company->mutex);
	company->busy--;
	company->counts.apart += leader->group_n > 1 && !is_everybodys(err);
	for (size_t i = 1; i < leader->group_n; i++)
		tell(leader->group[i], err);
	if (has_room(company)) {
		struct companion *next = company->first;

		leave_queue(company, next);
		begin(company, next);
		pthread_cond_signal(&next->moved);
	}
	pthread_mutex_unlock(&company->mutex);
}

static enum err lead(
	struct company *company, const struct company_work *work, struct companion *self)
{
	const void *what[COMPANY_MAX];
	enum err err;

	for (size_t i = 0; i < self->group_n; i++)
		what[i] = self->group[i]->what;
	err = self->group_n == 1 ? work->alone(work->context, self->what)
				 : work->together(work->context, what, self->group_n);
	end(company, self, err);
	if (self->group_n == 1 || is_everybodys(err))
		return err;
	return work->alone(work->context, self->what);
}

static enum err hear(const struct company_work *work, const struct companion *self)
{
	if (self->state == TOLD_TO_GO_ALONE)
		return work->alone(work->context, self->what);
	return self->err == OK ? OK : reason_again(&self->reason);
}

enum err company_run(struct company *company, const struct company_work *work, const void *what)
{
	struct companion self = {.what = what, .state = WAITS};
	enum err err;

	condition_init(&self.moved);
	come(company, &self);
	err = self.state == LEADS ? lead(company, work, &self) : hear(work, &self);
	pthread_cond_destroy(&self.moved);
	return err;
}
