/* status.c - `endorse status`. */
#include "ca/base/clock.h"
#include "enroll/agent/command.h"
#include "enroll/agent/exit.h"
#include "enroll/agent/held.h"
#include "enroll/agent/jsontext.h"
#include "enroll/agent/options.h"
#include "enroll/agent/renewal.h"

#include <stdio.h>

const char status_usage[] =
	"usage: endorse status [--json] [--state DIR]\n"
	"\n"
	"Says what this machine holds, for which keys and until when. The exit code is 0 while\n"
	"all of it is valid, and 7 when nothing valid is held. TPM and service are not asked.\n"
	"\n"
	"  --json       as one JSON object\n"
	"  --state DIR  default " STATE_DEFAULT "\n";

struct status_options {
	const char *state_dir;
	bool json;
	bool help;
};

static enum err read_option(int id, const char *value, void *into)
{
	struct status_options *out = into;

	if (id == 'j')
		out->json = true;
	else
		out->state_dir = value;
	return OK;
}

static enum err read_options(int argc, char **argv, struct status_options *out)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"state", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};

	*out = (struct status_options){.state_dir = STATE_DEFAULT};
	return options_read(argc, argv, options, read_option, out, &out->help);
}

static bool is_valid(const struct held *held)
{
	return held->judgement == HELD_GOOD || held->judgement == HELD_DUE;
}

static void put_string(struct buf *out, const char *key, const char *value)
{
	jsontext_string(out, key, value[0] == '\0' ? NULL : value);
}

static void write_certificate(
	struct buf *out, struct state *state, const struct want *want, const struct holding *one)
{
	char from[CLOCK_TEXT_SIZE] = "", until[CLOCK_TEXT_SIZE] = "", next[CLOCK_TEXT_SIZE] = "";
	char key[WANT_PATH + 1];
	AUTO(mem_free)
	char *path = state_file(state, want->template, one->is_ssh ? STATE_SSH : STATE_LEAF);

	want_key_text(want, key, sizeof(key));
	if (one->serial[0] != '\0') {
		clock_text(one->valid_from, from);
		clock_text(one->valid_until, until);
		clock_text(renewal_time(one->valid_from, one->valid_until, one->digest), next);
	}
	jsontext_item(out);
	jsontext_string(out, "template", want->template);
	jsontext_string(out, "key", key);
	jsontext_string(out, "kind", one->is_ssh ? "ssh" : "x509");
	jsontext_string(out, "state", held_text(one->judgement));
	put_string(out, "problem", one->problem);
	jsontext_string(out, "file", path);
	put_string(out, "serial", one->serial);
	put_string(out, "valid_from", from);
	put_string(out, "valid_until", until);
	put_string(out, "renew_at", next);
	put_string(out, "exec", want->command);
	jsontext_bool(out, "exec_due", want->is_hook_due);
	jsontext_item_end(out);
}

static enum err write_json(
	const char *dir, struct state *state, const struct held *held, struct buf *out)
{
	char from[CLOCK_TEXT_SIZE] = "", until[CLOCK_TEXT_SIZE] = "";
	const struct enrollment *e = &held->enrollment;

	if (held->serial[0] != '\0') {
		clock_text(held->valid_from, from);
		clock_text(held->valid_until, until);
	}
	jsontext_begin(out);
	jsontext_string(out, "state", held_text(held->judgement));
	jsontext_bool(out, "valid", is_valid(held));
	put_string(out, "problem", held->problem);
	jsontext_string(out, "directory", dir);
	put_string(out, "server", e->server);
	put_string(out, "service", e->service);
	put_string(out, "host", e->host);
	put_string(out, "device_id", e->device_id);
	put_string(out, "ek_template", e->ek_template);
	put_string(out, "ak_kind", e->ak_kind);
	put_string(out, "ak_hierarchy", e->ak_hierarchy);
	put_string(out, "ak_handle", e->ak_handle);
	put_string(out, "enrolled_at", e->enrolled_at);
	put_string(out, "serial", held->serial);
	put_string(out, "valid_from", from);
	put_string(out, "valid_until", until);
	jsontext_list(out, "certificates");
	for (size_t i = 0; i < held->wanted.n; i++)
		write_certificate(out, state, &held->wanted.items[i], &held->holdings[i]);
	jsontext_list_end(out);
	jsontext_end(out);
	return buf_ok(out);
}

static void print_enrollment(const struct held *held)
{
	const struct enrollment *e = &held->enrollment;
	enum ak_hierarchy hierarchy;

	if (e->host[0] == '\0')
		return;
	printf("Host     %s\n", e->host);
	printf("Service  %s\n", e->service);
	printf("Device   %s\n", e->device_id);
	printf("EK       template %s\n", e->ek_template);
	printf("AK       %s", e->ak_kind);
	if (ak_hierarchy_read(e->ak_hierarchy, &hierarchy))
		printf(", hierarchy %s", e->ak_hierarchy);
	if (e->ak_handle[0] != '\0')
		printf(", persistent at %s", e->ak_handle);
	printf("\n");
	printf("Since    %s\n", e->enrolled_at);
}

static void print_others(const struct held *held)
{
	size_t ak = wanted_ak(&held->wanted);

	for (size_t i = 0; i < held->wanted.n; i++) {
		const struct want *want = &held->wanted.items[i];
		const struct holding *one = &held->holdings[i];
		char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE], key[WANT_PATH + 1];

		if (want->is_hook_due)
			printf("Command  of %s is due: %s\n", want->template, want->command);
		if (i == ak)
			continue;
		want_key_text(want, key, sizeof(key));
		printf("Also     %s for %s, %s\n", want->template, key, held_text(one->judgement));
		if (one->serial[0] == '\0')
			continue;
		clock_text(one->valid_from, from);
		clock_text(one->valid_until, until);
		printf("         serial %s, valid %s to %s\n", one->serial, from, until);
	}
}

static void print_next(const struct held *held)
{
	char next[CLOCK_TEXT_SIZE];
	size_t which = 0;
	int64_t at = renewal_next(held, &which);

	if (!is_valid(held))
		return;
	clock_text(at, next);
	printf("Renewal  from %s (%s)\n", next, held->wanted.items[which].template);
}

static void print_text(const char *dir, const struct held *held)
{
	char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];

	if (held->judgement == HELD_NOTHING) {
		printf("%s: nothing is held here; see endorse enroll\n", dir);
		return;
	}
	print_enrollment(held);
	if (held->serial[0] != '\0') {
		clock_text(held->valid_from, from);
		clock_text(held->valid_until, until);
		printf("Serial   %s\n", held->serial);
		printf("Valid    %s to %s\n", from, until);
	}
	print_others(held);
	print_next(held);
	printf("State    %s%s%s\n", held_text(held->judgement),
		held->problem[0] != '\0' ? ": " : "", held->problem);
}

static enum err print_status(
	const struct status_options *options, struct state *state, const struct held *held)
{
	AUTO(buf_free) struct buf json = BUF(64 * 1024);

	if (!options->json) {
		print_text(options->state_dir, held);
		return OK;
	}
	TRY(write_json(options->state_dir, state, held, &json));
	fputs(buf_text(&json), stdout);
	return OK;
}

/* A directory that is not there holds nothing. */
static enum err status(const struct status_options *options, struct held *held)
{
	AUTO(state_close) struct state *state = NULL;
	enum err err = state_open_readonly(options->state_dir, &state);

	*held = (struct held){.judgement = HELD_NOTHING};
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (err == OK)
		held_read(state, NULL, clock_now(), held);
	return print_status(options, state, held);
}

int status_command(int argc, char **argv)
{
	struct status_options options;
	struct held held;
	enum err err = read_options(argc, argv, &options);

	if (err == OK && options.help) {
		fputs(status_usage, stdout);
		return EXIT_DONE;
	}
	if (err == OK)
		err = status(&options, &held);
	if (err == OK)
		return is_valid(&held) ? EXIT_DONE : EXIT_NOTHING;
	return exit_failed();
}
