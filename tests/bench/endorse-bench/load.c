#include "tests/bench/endorse-bench/load.h"

#include "tests/bench/endorse-bench/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define FILES_BESIDE 64 /* descriptors that are no clients' */

/* Each client has a socket, and a herd has many. */
static enum err allow_files(size_t connections)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return fail(ERR_INTERNAL, "bench-files", "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < connections + FILES_BESIDE)
		return fail(ERR_INTERNAL, "bench-files",
			"%zu connections need as many open files, and %llu are allowed (ulimit -n)",
			connections, (unsigned long long)limit.rlim_cur);
	return OK;
}

static double own_cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

struct crew {
	struct worker *workers;
	pthread_t *threads;
	size_t n, started;
};

static void dismiss(struct crew *crew)
{
	for (size_t i = 0; crew->workers != NULL && i < crew->n; i++)
		target_free(&crew->workers[i].target);
	free(crew->workers);
	free(crew->threads);
}

static size_t at_least_one(size_t n)
{
	return n > 0 ? n : 1;
}

static enum err hire(const struct load_plan *plan, const struct load_work *work,
	struct agenda *agenda, struct crew *out)
{
	const size_t connections = at_least_one(plan->connections);

	out->n = at_least_one(plan->threads);
	if (out->n > connections)
		out->n = connections;
	out->workers = calloc(out->n, sizeof(*out->workers));
	out->threads = calloc(out->n, sizeof(*out->threads));
	if (out->workers == NULL || out->threads == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%zu threads", out->n);
	for (size_t i = 0; i < out->n; i++) {
		struct worker *worker = &out->workers[i];

		worker->plan = plan;
		worker->work = work;
		worker->agenda = agenda;
		worker->clients_n = connections / out->n + (i < connections % out->n);
		TRY(target_make(plan->url, plan->ca, &worker->target));
	}
	return OK;
}

static enum err start(struct crew *crew)
{
	for (; crew->started < crew->n; crew->started++)
		if (pthread_create(&crew->threads[crew->started], NULL, worker_run,
			    &crew->workers[crew->started]) != 0)
			return fail(ERR_INTERNAL, "out-of-memory", "no thread");
	return OK;
}

static void add_errors(struct figures_errors *errors, const struct figures_errors *from)
{
	for (size_t i = 0; i < from->n; i++)
		errors_count(errors, from->of[i].code, from->of[i].n);
}

static int64_t gather(const struct crew *crew, struct figures *out)
{
	int64_t last = 0;

	for (size_t i = 0; i < crew->n; i++) {
		const struct worker *worker = &crew->workers[i];

		out->devices += worker->done;
		out->good += worker->good;
		latency_merge(&out->latency, &worker->latency);
		add_errors(&out->refused, &worker->refused);
		add_errors(&out->errors, &worker->errors);
		add_errors(&out->retried, &worker->retried);
		last = worker->last_us > last ? worker->last_us : last;
	}
	return last;
}

static enum err finish(struct crew *crew)
{
	enum err err = OK;

	for (size_t i = 0; i < crew->started; i++)
		pthread_join(crew->threads[i], NULL);
	for (size_t i = 0; i < crew->started && err == OK; i++)
		if (crew->workers[i].err != OK)
			err = reason_again(&crew->workers[i].reason);
	return err;
}

static enum err run(const struct load_plan *plan, const struct load_work *work, struct crew *crew,
	struct agenda *agenda, struct figures *out)
{
	enum err started;
	double cpu;

	TRY(hire(plan, work, agenda, crew));
	cpu = own_cpu_us();
	TRY(agenda_make(plan, agenda));
	started = start(crew);
	TRY(finish(crew));
	TRY(started);
	out->seconds = (double)(gather(crew, out) - agenda->start_us) / 1e6;
	out->cpu_us[OF_GENERATOR] = own_cpu_us() - cpu;
	return OK;
}

enum err load_run(const struct load_plan *plan, const struct load_work *work, struct figures *out)
{
	AUTO(dismiss) struct crew crew = {0};
	AUTO(agenda_free) struct agenda agenda = {0};

	memset(out, 0, sizeof(*out));
	out->what = work->what;
	out->connections = plan->connections;
	out->rate = plan->rate;
	out->herd_s = plan->herd_s;
	TRY(allow_files(plan->connections));
	/* Who writes to a connection that is gone learns it from the call. */
	signal(SIGPIPE, SIG_IGN);
	return run(plan, work, &crew, &agenda, out);
}
