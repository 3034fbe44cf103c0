/* status.c - `endorse status`. */
#include "ca/base/clock.h"
#include "enroll/agent/command.h"
#include "enroll/agent/exit.h"
#include "enroll/agent/held.h"
#include "enroll/agent/jsontext.h"

#include <getopt.h>
#include <stdio.h>

const char status_usage[] =
	"usage: endorse status [--json] [--state DIR]\n"
	"\n"
	"Says what this machine holds, for which keys and until when. The exit code is 0 while\n"
	"it is valid, and 7 when nothing valid is held. TPM and service are not asked.\n"
	"\n"
	"  --json       as one JSON object\n"
	"  --state DIR  default " STATE_DEFAULT "\n";

struct status_options {
	const char *state_dir;
	bool json;
	bool help;
};

static enum err read_options(int argc, char **argv, struct status_options *out)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"state", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int id;

	*out = (struct status_options){.state_dir = STATE_DEFAULT};
	optind = 1;
	while ((id = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (id == 'j')
			out->json = true;
		else if (id == 's')
			out->state_dir = optarg;
		else if (id == 'h')
			out->help = true;
		else
			return fail(ERR_MALFORMED, "usage", "see endorse status --help");
	}
	if (optind < argc)
		return fail(
			ERR_MALFORMED, "usage", "\"%s\" is one argument too many", argv[optind]);
	return OK;
}

static bool is_valid(const struct held *held)
{
	return held->judgement == HELD_GOOD || held->judgement == HELD_DUE;
}

static void put_string(struct buf *out, const char *key, const char *value)
{
	jsontext_string(out, key, value[0] == '\0' ? NULL : value);
}

static enum err write_json(const char *dir, const struct held *held, struct buf *out)
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
	printf("State    %s%s%s\n", held_text(held->judgement),
		held->problem[0] != '\0' ? ": " : "", held->problem);
}

static enum err print_status(const struct status_options *options, const struct held *held)
{
	AUTO(buf_free) struct buf json = BUF(16 * 1024);

	if (!options->json) {
		print_text(options->state_dir, held);
		return OK;
	}
	TRY(write_json(options->state_dir, held, &json));
	fputs(buf_text(&json), stdout);
	return OK;
}

/* A directory that is not there holds nothing. */
static enum err read_held(const char *dir, struct held *out)
{
	AUTO(state_close) struct state *state = NULL;
	enum err err = state_open_readonly(dir, &state);

	*out = (struct held){.judgement = HELD_NOTHING};
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	held_read(state, NULL, clock_now(), out);
	return OK;
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
		err = read_held(options.state_dir, &held);
	if (err == OK)
		err = print_status(&options, &held);
	if (err == OK)
		return is_valid(&held) ? EXIT_DONE : EXIT_NOTHING;
	fprintf(stderr, "endorse: %s\n", why()->sentence);
	return exit_code(why());
}
