#include "enroll/admin/command.h"

#include "ca/base/file.h"
#include "ca/krl.h"
#include "ca/sshsig.h"
#include "enroll/admin/client.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char export_usage[] =
	"usage: endorsectl krl export FILE [--admin URL] [--token-file FILE]\n"
	"\n"
	"Writes the list of OpenSSH certificates that were taken back to FILE, and its signature "
	"by\n"
	"an OpenSSH CA to FILE.sig, for hosts that do not ask the service themselves. Each file "
	"is\n"
	"replaced at one stroke; a signature is of the list that was written beside it.\n"
	"\n" ADMIN_USAGE;

#define FETCHES 3

static enum err fetch(const struct admin_server *server, struct buf *list, struct buf *signature,
	struct problem *problem)
{
	buf_free(list);
	buf_free(signature);
	TRY(admin_get(server, "/v1/admin/krl", list, problem));
	return admin_get(server, "/v1/admin/krl.sig", signature, problem);
}

/* Whoever takes the files over looks at who signed; here it only matters that they are of one list. */
static bool belong_together(const struct buf *list, const struct buf *signature)
{
	AUTO(buf_free) struct buf key = BUF(SSHKEY_MAX);
	struct view signer;

	if (sshsig_signer(buf_view(signature), &key) != OK)
		return false;
	signer = buf_view(&key);
	return sshsig_verify(buf_view(signature), SSHSIG_KRL, buf_view(list), &signer, 1) == OK;
}

static enum err fetch_both(const struct admin_server *server, struct buf *list,
	struct buf *signature, struct problem *problem)
{
	for (unsigned i = 0; i < FETCHES; i++) {
		TRY(fetch(server, list, signature, problem));
		if (belong_together(list, signature))
			return OK;
		/* It was replaced in between; at most so often. */
		nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	}
	return fail(ERR_BUSY, "krl-signature",
		"the service's list and its signature do not belong together: try again");
}

static enum err write_both(const char *path, const struct buf *list, const struct buf *signature)
{
	AUTO(buf_free) struct buf beside = BUF(4096);

	buf_fmt(&beside, "%s.sig", path);
	TRY(buf_ok(&beside));
	TRY(file_replace(path, 0644, buf_view(list)));
	return file_replace(buf_text(&beside), 0644, buf_view(signature));
}

static int export(const struct admin_server *server, const char *path)
{
	AUTO(buf_free) struct buf list = BUF(KRL_MAX), signature = BUF(SSHSIG_MAX);
	struct problem problem = {0};
	struct krl krl;
	char text[KRL_TEXT];
	enum err err = fetch_both(server, &list, &signature, &problem);

	if (err == ERR_DENIED)
		return command_refused(&problem);
	if (err == OK)
		err = krl_parse(buf_view(&list), &krl);
	if (err == OK)
		err = write_both(path, &list, &signature);
	if (err != OK)
		return command_failed();
	krl_tell(&krl, text);
	printf("%s: %s\n", path, text);
	return EXIT_DONE;
}

int command_krl_export(int argc, char **argv)
{
	static const struct option options[] = {
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct admin_server server = ADMIN_SERVER;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'h':
			return command_told(export_usage);
		default:
			if (!admin_option(&server, option, optarg))
				return command_misused(export_usage);
		}
	if (optind != argc - 1)
		return command_misused(export_usage);
	return export(&server, argv[optind]);
}
