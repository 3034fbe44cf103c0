#include "tests/flow/weather.h"

#include "ca/base/encode.h"
#include "tests/flow/cluster.h"
#include "tests/flow/soft_enroll.h"

#include <cmocka.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AGAIN_US 50000
#define BOUND_MS 20000

struct sufferer {
	struct weather *weather;
	pthread_t thread;
	EVP_PKEY *ek; /* NULL until it has been made */
	char host[64];
	int64_t enrolled_at; /* when the last success was begun; 0: none yet */
};

struct weather {
	struct world *world;
	pthread_mutex_t lock; /* over what follows */
	bool is_over;
	struct score score;
	char **received; /* serial number and digest, as known_rows() has them */
	size_t received_n, received_room;
	/* Fixed. */
	unsigned n;
	struct sufferer sufferers[];
};

/* Serial number and SHA-256 of a certificate, in hexadecimal. */
static char *name_of(const struct buf *der)
{
	const uint8_t *p = der->p;
	X509 *cert = d2i_X509(NULL, &p, (long)der->n);
	const ASN1_INTEGER *serial;
	uint8_t digest[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1], serial_hex[64];

	must(cert != NULL, "the certificate received cannot be read");
	serial = X509_get0_serialNumber(cert);
	hex_write((struct view){serial->data, (size_t)serial->length}, serial_hex);
	must(SHA256_OF(digest, buf_view(der)) == OK, "SHA-256");
	hex_write(VIEW(digest), hex);
	X509_free(cert);
	return text("%s %s", serial_hex, hex);
}

static void receive(struct weather *weather, const struct buf *der)
{
	if (weather->received_n == weather->received_room) {
		weather->received_room = 2 * weather->received_room + 64;
		weather->received = reallocarray(
			weather->received, weather->received_room, sizeof(*weather->received));
		must(weather->received != NULL, "out of memory");
	}
	weather->received[weather->received_n++] = name_of(der);
}

static void count(struct score *score, const struct soft_outcome *outcome, int64_t ms)
{
	if (ms > score->slowest_ms)
		score->slowest_ms = ms;
	switch (outcome->status) {
	case 200:
		score->enrolled++;
		return;
	case 503:
		score->busy++;
		if (outcome->retry_after < 1 || outcome->retry_after > 60)
			score->hasty++;
		return;
	case 0:
		score->silent++;
		break;
	default:
		score->other++;
		break;
	}
	snprintf(score->strange, sizeof(score->strange), "%d %s %s: %s", outcome->status,
		outcome->has_ticket ? "enroll" : "ticket", outcome->code, outcome->detail);
}

/* Notes how one enrollment ended; false: it is over. */
static bool note(struct sufferer *sufferer, const struct soft_outcome *outcome, int64_t begun)
{
	struct weather *weather = sufferer->weather;
	bool goes_on;

	pthread_mutex_lock(&weather->lock);
	count(&weather->score, outcome, now_ms() - begun);
	if (outcome->status == 200) {
		receive(weather, &outcome->certificate);
		sufferer->enrolled_at = begun;
	}
	goes_on = !weather->is_over;
	pthread_mutex_unlock(&weather->lock);
	return goes_on;
}

/* With one AK until it has a certificate. */
static bool enroll_once(struct sufferer *sufferer)
{
	struct world *world = sufferer->weather->world;
	const struct soft_plan plan = {.ek = SOFT_L2,
		.ek_pkey = sufferer->ek,
		.ak = SOFT_P256,
		.service = world->name,
		.host = sufferer->host};
	struct soft_device device;
	bool goes_on = true, is_enrolled = false;

	soft_device_make(&plan, &world->maker, &device);
	if (sufferer->ek == NULL) {
		EVP_PKEY_up_ref(device.ek.pkey);
		sufferer->ek = device.ek.pkey;
	}
	while (goes_on && !is_enrolled) {
		AUTO(soft_outcome_free) struct soft_outcome outcome;
		int64_t begun = now_ms();

		soft_enroll(&device, world->plan.edge ? &world->front : &world->services[0].peer,
			world->name, &outcome);
		is_enrolled = outcome.status == 200;
		goes_on = note(sufferer, &outcome, begun);
		if (goes_on && !is_enrolled)
			usleep(AGAIN_US);
	}
	soft_device_free(&device);
	return goes_on;
}

static void *suffer(void *arg)
{
	while (enroll_once(arg))
		;
	return NULL;
}

struct weather *weather_begin(struct world *world, unsigned n)
{
	struct weather *weather = calloc(1, sizeof(*weather) + n * sizeof(weather->sufferers[0]));
	static unsigned number;

	must(weather != NULL, "out of memory");
	weather->world = world;
	weather->n = n;
	pthread_mutex_init(&weather->lock, NULL);
	for (unsigned i = 0; i < n; i++) {
		struct sufferer *sufferer = &weather->sufferers[i];

		sufferer->weather = weather;
		snprintf(sufferer->host, sizeof(sufferer->host), "web-%u.example.test", number++);
		must(pthread_create(&sufferer->thread, NULL, suffer, sufferer) == 0,
			"pthread_create");
	}
	if (!weather_clears(weather, BOUND_MS)) {
		weather_end(&weather);
		fail_msg("in good weather not all enroll");
	}
	return weather;
}

void weather_reset(struct weather *weather)
{
	pthread_mutex_lock(&weather->lock);
	weather->score = (struct score){0};
	pthread_mutex_unlock(&weather->lock);
}

void weather_score(struct weather *weather, struct score *out)
{
	pthread_mutex_lock(&weather->lock);
	*out = weather->score;
	pthread_mutex_unlock(&weather->lock);
}

struct since {
	struct weather *weather;
	int64_t ms;
	unsigned times;
};

static bool have_all_enrolled(void *arg)
{
	const struct since *since = arg;
	struct weather *weather = since->weather;
	bool all = true;

	pthread_mutex_lock(&weather->lock);
	for (unsigned i = 0; i < weather->n; i++)
		all = all && weather->sufferers[i].enrolled_at >= since->ms;
	pthread_mutex_unlock(&weather->lock);
	return all;
}

bool weather_clears(struct weather *weather, int timeout_ms)
{
	return wait_until(
		have_all_enrolled, &(struct since){.weather = weather, .ms = now_ms()}, timeout_ms);
}

static bool are_busy(void *arg)
{
	const struct since *since = arg;
	struct score score;

	weather_score(since->weather, &score);
	return score.busy >= since->times;
}

bool weather_is_busy(struct weather *weather, unsigned times, int timeout_ms)
{
	return wait_until(
		are_busy, &(struct since){.weather = weather, .times = times}, timeout_ms);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One row for each certificate, in an order; for PQclear(). */
static PGresult *known_rows(struct world *world)
{
	PGconn *connection = PQconnectdb(world->conninfo);
	PGresult *rows = PQexec(connection,
		"SELECT encode(serial, 'hex') || ' ' || encode(sha256(der), 'hex') "
		" FROM certificate ORDER BY 1");

	must(PQresultStatus(rows) == PGRES_TUPLES_OK, "%s", PQerrorMessage(connection));
	PQfinish(connection);
	return rows;
}

/* What no device may find after bad weather. */
static const struct {
	const char *what, *sql;
} torn[] = {
	{"a device without an EK, an AK, a name or a certificate",
		"SELECT count(*) FROM device d WHERE NOT EXISTS"
		" (SELECT FROM ek WHERE ek.device_id = d.device_id) OR NOT EXISTS"
		" (SELECT FROM ak WHERE ak.device_id = d.device_id) OR NOT EXISTS"
		" (SELECT FROM host WHERE host.device_id = d.device_id) OR NOT EXISTS"
		" (SELECT FROM certificate c WHERE c.device_id = d.device_id)"},
	{"a certificate that the audit does not know",
		"SELECT count(*) FROM certificate c WHERE NOT EXISTS (SELECT FROM audit"
		" WHERE event = 'enroll.issued' AND serials = ARRAY[c.serial])"},
	{"an audit row of a certificate that is not there",
		"SELECT count(*) FROM audit WHERE event = 'enroll.issued' AND NOT EXISTS"
		" (SELECT FROM certificate c WHERE serials = ARRAY[c.serial])"},
	{"a certificate without its ticket",
		"SELECT count(*) FROM certificate c WHERE NOT EXISTS"
		" (SELECT FROM ticket WHERE serials = ARRAY[c.serial])"},
	{"an AK with two certificates",
		"SELECT count(*) FROM (SELECT FROM certificate GROUP BY ak_name"
		" HAVING count(*) > 1) AS twice"},
};

static void judge(struct weather *weather)
{
	PGresult *rows = known_rows(weather->world);
	size_t n = (size_t)PQntuples(rows), at = 0;

	qsort(weather->received, weather->received_n, sizeof(*weather->received), by_name);
	for (size_t i = 0; i < weather->received_n; i++) {
		while (at < n && strcmp(PQgetvalue(rows, (int)at, 0), weather->received[i]) < 0)
			at++;
		if (at == n || strcmp(PQgetvalue(rows, (int)at, 0), weather->received[i]) != 0)
			fail_msg("received, and not in the database: %s", weather->received[i]);
	}
	PQclear(rows);
	for (size_t i = 0; i < COUNT(torn); i++)
		if (sql_number(weather->world->conninfo, "%s", torn[i].sql) != 0)
			fail_msg("in the database: %s", torn[i].what);
	printf("weather: %zu certificates received, all of them among %zu rows\n",
		weather->received_n, n);
}

void weather_end(struct weather **address)
{
	struct weather *weather = *address;

	pthread_mutex_lock(&weather->lock);
	weather->is_over = true;
	pthread_mutex_unlock(&weather->lock);
	for (unsigned i = 0; i < weather->n; i++) {
		pthread_join(weather->sufferers[i].thread, NULL);
		EVP_PKEY_free(weather->sufferers[i].ek);
	}
	judge(weather);
	for (size_t i = 0; i < weather->received_n; i++)
		free(weather->received[i]);
	free(weather->received);
	pthread_mutex_destroy(&weather->lock);
	free(weather);
	*address = NULL;
}
