#include "tests/flow/weather.h"

#include "tests/flow/cluster.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOUND_MS 20000
#define AT_ONCE_MS 2000

/* A question to /readyz, and what it has to say. */
struct question {
	const struct httpc_peer *peer;
	const char *wanted; /* part of the body of a 503; NULL: 200 */
	char said[300];
	int64_t slowest_ms;
};

static bool says(void *arg)
{
	struct question *question = arg;
	AUTO(httpc_answer_free) struct httpc_answer answer;
	int64_t begun = now_ms();

	httpc_get(question->peer, "/readyz", &answer);
	if (now_ms() - begun > question->slowest_ms)
		question->slowest_ms = now_ms() - begun;
	snprintf(question->said, sizeof(question->said), "%d %s", answer.status,
		answer.body.n == 0 ? "" : buf_text(&answer.body));
	if (question->wanted == NULL)
		return answer.status == 200;
	return answer.status == 503 && answer.body.n > 0 &&
	       strstr(buf_text(&answer.body), question->wanted) != NULL;
}

static bool is_alive(struct world *world)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	int64_t begun = now_ms();

	httpc_get(&world->services[0].peer, "/healthz", &answer);
	return answer.status == 200 && now_ms() - begun <= AT_ONCE_MS;
}

static unsigned lines(struct world *world)
{
	AUTO(mem_free) char *log = world_log(world, 0);
	unsigned n = 0;

	for (const char *p = log; (p = strchr(p, '\n')) != NULL; p++)
		n++;
	return n;
}

/* Until devices and monitors have been told; then what they were told. NULL when all is as wanted;
 * else for free(). */
static char *suffer(struct weather *weather, struct world *world, const struct fault *fault,
	struct question *ready)
{
	int bound = fault->bound_ms == 0 ? BOUND_MS : fault->bound_ms;

	if (!weather_is_busy(weather, fault->busy, bound))
		return text("%s: devices are not told to come again", fault->name);
	if (!wait_until(says, ready, bound))
		return text("%s: /readyz says %s", fault->name, ready->said);
	return is_alive(world) ? NULL : text("%s: /healthz does not answer", fault->name);
}

/* Nobody was told anything but "now" or "later". */
static char *recover(
	struct weather *weather, struct world *world, const struct fault *fault, int64_t *ms)
{
	struct question ready = {.peer = &world->services[0].peer};
	int bound = fault->bound_ms == 0 ? BOUND_MS : fault->bound_ms;
	int64_t ended = now_ms();
	struct score score;

	if (!weather_clears(weather, bound))
		return text("%s: afterwards not all enroll", fault->name);
	*ms = now_ms() - ended;
	if (!wait_until(says, &ready, bound))
		return text("%s: afterwards /readyz says %s", fault->name, ready.said);
	weather_score(weather, &score);
	if (score.other + score.silent + score.hasty > 0)
		return text("%s: %u other answers, %u silent, %u without Retry-After; the last: %s",
			fault->name, score.other, score.silent, score.hasty, score.strange);
	if (!process_is_alive(world->services[0].pid))
		return text("%s: the service has ended", fault->name);
	return NULL;
}

void weather_strikes(struct world *world, unsigned devices, const struct fault *fault)
{
	struct weather *weather = weather_begin(world, devices);
	struct question ready = {.peer = &world->services[0].peer, .wanted = fault->unready};
	AUTO(mem_free) char *failure = NULL;
	struct score during;
	unsigned lines_before = lines(world), lines_during;
	int64_t begun = now_ms(), lasted, recovery = -1;

	weather_reset(weather);
	fault->begin(world);
	failure = suffer(weather, world, fault, &ready);
	weather_score(weather, &during);
	lasted = now_ms() - begun;
	lines_during = lines(world) - lines_before;
	fault->end(world);
	if (failure == NULL)
		failure = recover(weather, world, fault, &recovery);
	printf("weather: %s: %lld ms, %u enrolled, %u told to come again, the slowest after %lld "
	       "ms, %lld log lines/s; /readyz after %lld ms: %.260s; all enrolled %lld ms after "
	       "it\n",
		fault->name, (long long)lasted, during.enrolled, during.busy,
		(long long)during.slowest_ms, (long long)lines_during * 1000 / (lasted + 1),
		(long long)ready.slowest_ms, ready.said, (long long)recovery);
	weather_end(&weather);
	if (failure != NULL)
		fail_msg("%s", failure);
}
