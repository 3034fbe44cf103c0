#include "enroll/admin/look.h"

#include "ca/base/clock.h"
#include "enroll/admin/command.h"
#include "enroll/admin/paragraph.h"
#include "enroll/admin/which.h"
#include "enroll/admin/words.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void look_free(struct look *look)
{
	buf_free(&look->path);
}

/* One table for all, so that each option is read in one way; `allowed` names those of a command. */
static const struct option options[] = {
	{"host", required_argument, NULL, 'H'},
	{"state", required_argument, NULL, 's'},
	{"manufacturer", required_argument, NULL, 'm'},
	{"label", required_argument, NULL, 'l'},
	{"machine", required_argument, NULL, 'M'},
	{"ek-digest", required_argument, NULL, 'e'},
	{"serial", required_argument, NULL, 'S'},
	{"ssh-serial", required_argument, NULL, 'N'},
	{"id", required_argument, NULL, 'I'},
	{"device", required_argument, NULL, 'd'},
	{"template", required_argument, NULL, 't'},
	{"kind", required_argument, NULL, 'k'},
	{"issuer", required_argument, NULL, 'i'},
	{"shard", required_argument, NULL, 'r'},
	{"sha256", required_argument, NULL, 'x'},
	{"event", required_argument, NULL, 'E'},
	{"reason", required_argument, NULL, 'c'},
	{"who", required_argument, NULL, 'w'},
	{"request-id", required_argument, NULL, 'q'},
	{"acts", no_argument, NULL, 'A'},
	{"barred", no_argument, NULL, 'B'},
	{"since", required_argument, NULL, 'a'},
	{"until", required_argument, NULL, 'b'},
	{"limit", required_argument, NULL, 'n'},
	{"after", required_argument, NULL, 'f'},
	{"json", no_argument, NULL, 'j'},
	{"format", required_argument, NULL, 'F'},
	{"out", required_argument, NULL, 'o'},
	{"chain", no_argument, NULL, 'C'},
	{"der", no_argument, NULL, 'D'},
	ADMIN_OPTIONS,
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* What the service calls those that pick rows. */
static const struct {
	int option;
	const char *key;
} keys[] = {{'H', "host"}, {'s', "state"}, {'m', "manufacturer"}, {'l', "label"}, {'M', "machine"},
	{'e', "ek"}, {'S', "serial"}, {'I', "id"}, {'d', "device"}, {'t', "template"},
	{'k', "kind"}, {'i', "issuer"}, {'r', "shard"}, {'x', "sha256"}, {'E', "event"},
	{'c', "code"}, {'w', "who"}, {'q', "request_id"}, {'A', "acts"}, {'B', "barred"}};

static bool add_key(struct look *look, int option, const char *value)
{
	for (size_t i = 0; i < COUNT(keys); i++)
		if (keys[i].option == option) {
			query_add(&look->path, keys[i].key, value == NULL ? "yes" : value);
			return true;
		}
	return false;
}

/* "15m", "7d": so long ago. */
static bool read_ago(const char *text, int64_t *out)
{
	int64_t seconds;

	if (!duration_read(text, DURATION_MAX, &seconds))
		return false;
	*out = clock_now() - seconds;
	return true;
}

/* "2026-11-22", or with a time of day, as we print it. */
static bool read_date(const char *text, int64_t *out)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (end != NULL && *end == 'T')
		end = strptime(end, "T%H:%M:%SZ", &tm);
	if (end == NULL || *end != '\0')
		return false;
	*out = (int64_t)timegm(&tm);
	return *out >= 0;
}

static bool add_time(struct look *look, const char *key, const char *value)
{
	char text[32];
	int64_t when;

	if (!read_ago(value, &when) && !read_date(value, &when)) {
		fprintf(stderr,
			"endorsectl: --%s: \"%s\" is no time such as 15m, 8h, 7d, 2026-11-22 or "
			"2026-11-22T14:47:38Z\n",
			key, value);
		return false;
	}
	snprintf(text, sizeof(text), "%lld", (long long)(when < 0 ? 0 : when));
	query_add(&look->path, key, text);
	return true;
}

static bool read_limit(const char *text, size_t *out)
{
	char *end;
	long n = strtol(text, &end, 10);

	*out = (size_t)n;
	if (isdigit((unsigned char)text[0]) && *end == '\0' && n >= 1 && n <= LOOK_MAX)
		return true;
	fprintf(stderr, "endorsectl: --limit: \"%s\" is not 1 to %d\n", text, LOOK_MAX);
	return false;
}

static bool add_ssh_serial(struct look *look, const char *value)
{
	char serial[LIMIT_SERIAL + 1];

	if (!which_ssh_serial(value, serial))
		return false;
	query_add(&look->path, "serial", serial);
	return true;
}

/* What is no key of the query. */
static bool take(struct look *look, int option, const char *value)
{
	switch (option) {
	case 'N':
		return add_ssh_serial(look, value);
	case 'a':
		return add_time(look, "since", value);
	case 'b':
		return add_time(look, "until", value);
	case 'n':
		return read_limit(value, &look->limit);
	case 'f':
		look->after = value;
		return true;
	case 'j':
		look->form = PRINT_JSON;
		return true;
	case 'F':
		look->format = value;
		return true;
	case 'o':
		look->out = value;
		return true;
	case 'C':
		look->with_chain = true;
		return true;
	default:
		look->as_der = option == 'D';
		return look->as_der;
	}
}

int look_options(int argc, char **argv, const char *usage, const char *path, const char *allowed,
	struct look *look)
{
	int option;

	buf_str(&look->path, path);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return command_told(usage);
		if (admin_option(&look->server, option, optarg))
			continue;
		if (option > 'z' || strchr(allowed, option) == NULL)
			return command_misused(usage);
		if (!add_key(look, option, optarg) && !take(look, option, optarg))
			return EXIT_WRONG_USAGE;
	}
	return -1;
}

static enum err get_page(const struct look *look, const struct record_shape *shape, size_t n,
	const char *after, struct record_list *out, struct problem *problem)
{
	AUTO(buf_free) struct buf path = BUF(8192), json = BUF(LIMIT_LIST_ANSWER);
	char limit[16];

	*out = (struct record_list){0};
	snprintf(limit, sizeof(limit), "%zu", n < LIST_MAX ? n : LIST_MAX);
	buf_add(&path, buf_view(&look->path));
	query_add(&path, "limit", limit);
	query_add(&path, "after", after);
	TRY(buf_ok(&path));
	TRY(admin_get(&look->server, buf_text(&path), &json, problem));
	return record_list_parse(buf_view(&json), shape, out);
}

enum err look_through(const struct look *look, const struct record_shape *shape, look_take *give,
	void *ctx, char next[static LIMIT_CURSOR + 1], struct problem *problem)
{
	size_t n = 0;
	bool more = true;

	snprintf(next, LIMIT_CURSOR + 1, "%s", look->after == NULL ? "" : look->after);
	while (more && n < look->limit) {
		AUTO(record_list_free) struct record_list page;

		TRY(get_page(look, shape, look->limit - n, next[0] == '\0' ? NULL : next, &page,
			problem));
		for (size_t i = 0; i < page.n && n < look->limit; i++, n++)
			TRY(give(ctx, page.items[i]));
		snprintf(next, LIMIT_CURSOR + 1, "%s", page.next);
		more = next[0] != '\0';
	}
	return OK;
}

enum err look_print_json(const struct record *record)
{
	AUTO(buf_free) struct buf out = BUF(1 << 20);

	TRY(record_encode(record, &out));
	buf_str(&out, "\n");
	return paragraph_put(&out);
}

/* A list on its way to the terminal. */
struct printing {
	const struct look *look;
	enum err (*print)(void *ctx, const struct record *record);
	void *ctx;
	size_t n;
};

static enum err print_one(void *of_printing, const struct record *record)
{
	struct printing *printing = of_printing;

	printing->n++;
	if (printing->look->form == PRINT_JSON)
		return look_print_json(record);
	return printing->print(printing->ctx, record);
}

int look_list(const struct look *look, const struct record_shape *shape,
	enum err (*print)(void *ctx, const struct record *record), void *ctx, const char *nothing)
{
	struct printing printing = {look, print, ctx, 0};
	struct problem problem = {0};
	char next[LIMIT_CURSOR + 1];
	enum err err = look_through(look, shape, print_one, &printing, next, &problem);

	if (err != OK)
		return command_ended(err, &problem);
	if (look->form == PRINT_JSON && next[0] != '\0')
		printf("{\"next\":\"%s\"}\n", next);
	else if (look->form == PRINT_TEXT && printing.n == 0)
		printf("%s\n", nothing);
	else if (look->form == PRINT_TEXT && next[0] != '\0')
		printf("there are more: the same again with\n    --after %s\n", next);
	return EXIT_DONE;
}

enum err look_at(const struct look *look, const struct record_shape *shape, struct record **out,
	struct problem *problem)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_LIST_ANSWER);

	TRY(buf_ok(&look->path));
	TRY(admin_get(&look->server, buf_text(&look->path), &json, problem));
	return record_parse(buf_view(&json), shape, out);
}
