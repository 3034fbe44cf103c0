/* krl_sync.c - `endorse krl-sync`. */
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/sshkey.h"
#include "ca/sshsig.h"
#include "enroll/agent/command.h"
#include "enroll/agent/exit.h"
#include "enroll/agent/http.h"
#include "enroll/agent/interrupt.h"
#include "enroll/agent/krl_file.h"
#include "enroll/agent/options.h"
#include "enroll/agent/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char krl_sync_usage[] =
	"usage: endorse krl-sync [--out FILE] [--state DIR] [options]\n"
	"\n"
	"Keeps the list of OpenSSH certificates that were taken back current, for RevokedKeys of\n"
	"sshd_config and RevokedHostKeys of ssh_config. The list has to be signed by an OpenSSH\n"
	"CA of the service, and is never replaced by an older one; whatever fails, FILE stays as\n"
	"it is. sshd reads it for each login.\n"
	"\n"
	"  --out FILE          default " KRL_FILE_DEFAULT "\n"
	"  --state DIR         of the enrollment that says the rest; default " STATE_DEFAULT "\n"
	"  --server URL        the service, on a machine that did not enroll: with the next two\n"
	"  --ca FILE           PEM: the CA certificates to trust in TLS\n"
	"  --ssh-ca FILE       public keys of OpenSSH CAs, one a line: who may sign the list\n"
	"  --proxy URL         the environment's proxies are not used\n"
	"  --timeout SECONDS   to go on while the service is away (default 120; 0: try once)\n";

#define CAS_MAX 8
#define CAS_SIZE 65536 /* bytes of a file with their keys */
#define FETCHES 3 /* the list may be replaced between two requests */
#define STALE (2 * DAY) /* a service makes one each half day at least */

struct options {
	const char *out, *state_dir, *server, *ca, *ssh_ca, *proxy;
	unsigned timeout;
	bool help;
};

static enum err read_option(int id, const char *value, void *into)
{
	struct options *out = into;

	switch (id) {
	case 'o':
		out->out = value;
		return OK;
	case 's':
		out->state_dir = value;
		return OK;
	case 'u':
		out->server = value;
		return OK;
	case 'c':
		out->ca = value;
		return OK;
	case 'k':
		out->ssh_ca = value;
		return OK;
	case 'p':
		out->proxy = value;
		return OK;
	default:
		return option_timeout(value, &out->timeout);
	}
}

static enum err read_options(int argc, char **argv, struct options *out)
{
	static const struct option options[] = {
		{"out", required_argument, NULL, 'o'},
		{"state", required_argument, NULL, 's'},
		{"server", required_argument, NULL, 'u'},
		{"ca", required_argument, NULL, 'c'},
		{"ssh-ca", required_argument, NULL, 'k'},
		{"proxy", required_argument, NULL, 'p'},
		{"timeout", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};

	*out = (struct options){
		.out = KRL_FILE_DEFAULT, .state_dir = STATE_DEFAULT, .timeout = TIMEOUT_DEFAULT};
	return options_read(argc, argv, options, read_option, out, &out->help);
}

/* Whom to ask, and whom to believe. */
struct source {
	char *server;
	struct anchors *anchors;
	struct buf blobs[CAS_MAX];
	struct view cas[CAS_MAX]; /* into them */
	size_t cas_n;
};

static void source_free(struct source *source)
{
	free(source->server);
	anchors_free(&source->anchors);
	for (size_t i = 0; i < COUNT(source->blobs); i++)
		buf_free(&source->blobs[i]);
}

static enum err add_ca(struct view line, const char *path, struct source *source)
{
	struct buf *blob = &source->blobs[source->cas_n];

	if (source->cas_n == CAS_MAX)
		return fail(ERR_INTERNAL, "ssh-ca", "%s: more than %d keys", path, CAS_MAX);
	*blob = BUF(SSHKEY_MAX);
	if (sshkey_line(line, blob) != OK)
		return fail(ERR_INTERNAL, "ssh-ca", "%s: wanted an OpenSSH public key in each line",
			path);
	source->cas[source->cas_n++] = buf_view(blob);
	return OK;
}

static enum err read_cas(const char *path, struct source *source)
{
	AUTO(buf_free) struct buf text = BUF(CAS_SIZE);
	const char *line;
	size_t n;

	TRY(file_read(path, &text));
	for (line = buf_text(&text); *line != '\0'; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		if (n > 0 && line[0] != '#')
			TRY(add_ca((struct view){(const uint8_t *)line, n}, path, source));
	}
	return OK;
}

/* The service may have one for hosts, one for users, or both. */
static enum err recall_cas(struct state *state, struct source *source)
{
	static const char *const names[] = {STATE_SSH_HOST_CA, STATE_SSH_USER_CA};

	for (size_t i = 0; i < COUNT(names); i++) {
		enum err err = read_cas(state_path(state, names[i]), source);

		if (err != OK && err != ERR_NOT_FOUND)
			return err;
	}
	return OK;
}

/* What no option says. */
static enum err recall(const struct options *options, struct source *source)
{
	AUTO(state_close) struct state *state = NULL;
	struct enrollment enrollment;

	if (options->server != NULL && options->ca != NULL && options->ssh_ca != NULL)
		return OK;
	TRY(state_open_readonly(options->state_dir, &state));
	if (options->server == NULL) {
		TRY(state_enrollment(state, &enrollment));
		TRY(http_server_parse(enrollment.server, &source->server));
	}
	if (options->ca == NULL)
		TRY(anchors_read(state_path(state, STATE_ANCHORS), &source->anchors));
	return options->ssh_ca == NULL ? recall_cas(state, source) : OK;
}

static enum err find_source(const struct options *options, struct source *source)
{
	if (options->server != NULL)
		TRY(http_server_parse(options->server, &source->server));
	if (options->ca != NULL)
		TRY(anchors_read(options->ca, &source->anchors));
	if (options->ssh_ca != NULL)
		TRY(read_cas(options->ssh_ca, source));
	TRY(recall(options, source));
	if (source->cas_n == 0)
		return fail(ERR_INTERNAL, "ssh-ca",
			"no OpenSSH CA is known that could have signed the list: enroll for an "
			"OpenSSH certificate, or say --ssh-ca FILE");
	return OK;
}

static enum err verify(
	const struct source *source, const struct buf *list, const struct buf *signature)
{
	return sshsig_verify(
		buf_view(signature), SSHSIG_KRL, buf_view(list), source->cas, source->cas_n);
}

static enum err distrust(const struct source *source)
{
	struct kept_reason kept;

	reason_keep(&kept);
	return fail(ERR_DENIED, "service-not-trusted",
		"%s: its list of revoked keys cannot be believed: %s", source->server,
		kept.sentence);
}

/* The signature comes first, and mostly says that what is here is what is there. */
static enum err fetch(struct http *http, const struct source *source, const struct krl_file *there,
	struct retry *retry, struct buf *list)
{
	for (unsigned i = 1;; i++) {
		AUTO(buf_free) struct buf signature = BUF(SSHSIG_MAX), read = BUF(KRL_MAX);
		struct problem problem;

		TRY(http_fetch(http, "/krl.sig", retry, &signature, &problem));
		if (there->is_good && verify(source, &there->bytes, &signature) == OK) {
			buf_add(list, buf_view(&there->bytes));
			return buf_ok(list);
		}
		TRY(http_fetch(http, "/krl", retry, &read, &problem));
		if (verify(source, &read, &signature) == OK) {
			buf_add(list, buf_view(&read));
			return buf_ok(list);
		}
		if (i == FETCHES || strcmp(why()->code, "ssh-signature") != 0)
			return distrust(source);
		TRY(interrupt_sleep(500));
	}
}

static void tell(const struct options *options, const struct krl *krl, bool is_new)
{
	char text[KRL_TEXT], at[CLOCK_TEXT_SIZE];

	krl_tell(krl, text);
	clock_text(krl->at, at);
	printf("%s: %s, %s\n", options->out, is_new ? "replaced" : "current", text);
	if (krl->at < clock_now() - STALE)
		fprintf(stderr,
			"endorse: the service made no list since %s: what was revoked later is "
			"not in it\n",
			at);
}

/* Of the default path only: where an admin wants another one, he made its directory. */
static void make_default_dir(const struct options *options)
{
	AUTO(mem_free) char *dir = strdup(KRL_FILE_DEFAULT);

	if (dir == NULL || strcmp(options->out, KRL_FILE_DEFAULT) != 0)
		return;
	*strrchr(dir, '/') = '\0';
	mkdir(dir, 0755);
}

static enum err bring(const struct options *options)
{
	AUTO(source_free) struct source source = {.server = NULL};
	AUTO(krl_file_free) struct krl_file there = {.is_good = false};
	AUTO(http_close) struct http *http = NULL;
	AUTO(buf_free) struct buf list = BUF(KRL_MAX);
	struct retry retry;
	struct krl krl;
	bool is_new;

	TRY(find_source(options, &source));
	make_default_dir(options);
	TRY(krl_file_read(options->out, &there));
	retry_start(&retry, options->timeout);
	TRY(http_open(
		&(struct http_options){source.server, options->proxy, source.anchors}, &http));
	TRY(fetch(http, &source, &there, &retry, &list));
	if (krl_parse(buf_view(&list), &krl) != OK)
		return fail(ERR_MALFORMED, "service-answer",
			"%s: what its OpenSSH CA signed is no list that this endorse knows: is it "
			"older than the service?",
			source.server);
	is_new = !view_equal(buf_view(&list), buf_view(&there.bytes));
	if (is_new || !there.is_public)
		TRY(krl_file_replace(options->out, buf_view(&list), &krl));
	tell(options, &krl, is_new);
	return OK;
}

int krl_sync_command(int argc, char **argv)
{
	struct options options;
	enum err err = read_options(argc, argv, &options);

	if (err == OK && options.help) {
		fputs(krl_sync_usage, stdout);
		return EXIT_DONE;
	}
	interrupt_hold();
	if (err == OK)
		err = bring(&options);
	return err == OK ? EXIT_DONE : exit_failed();
}
