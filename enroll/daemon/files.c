#include "enroll/daemon/files.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct looking {
	struct findings *findings;
	struct buf seen; /* directories that were looked at, each between newlines */
	size_t n;
};

static bool is_ours(uid_t owner)
{
	return owner == 0 || owner == geteuid();
}

/* Only the owner of an entry can replace it in a sticky directory. Root's group is root. */
static bool others_can_write(const struct stat *st)
{
	mode_t others = st->st_gid == 0 ? 0002 : 0022;

	return (st->st_mode & others) != 0 &&
	       !(S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0);
}

static void look_at_hands(struct looking *looking, const char *path, const struct stat *st)
{
	if (others_can_write(st))
		finding_add(looking->findings, "files", FINDING_FAIL,
			"%s: others can change it (mode %04o), and with it what this service does: "
			"chmod go-w %s",
			path, (unsigned)(st->st_mode & 07777), path);
	else if (!is_ours(st->st_uid))
		finding_add(looking->findings, "files", FINDING_WARN,
			"%s: belongs to uid %u, who is neither root nor this service: chown it",
			path, (unsigned)st->st_uid);
}

static bool is_seen(struct looking *looking, const char *dir)
{
	AUTO(buf_free) struct buf line = BUF(8192);

	buf_fmt(&line, "\n%s\n", dir);
	if (looking->seen.n > 0 && strstr(buf_text(&looking->seen), buf_text(&line)) != NULL)
		return true;
	buf_add(&looking->seen, buf_view(&line));
	return false;
}

/* Who can write to a directory can put another file in the place of ours. */
static void look_above(struct looking *looking, const char *path)
{
	AUTO(mem_free) char *copy = realpath(path, NULL);
	char *dir = copy == NULL ? NULL : dirname(copy);
	struct stat st;

	while (dir != NULL && !is_seen(looking, dir)) {
		if (stat(dir, &st) == 0)
			look_at_hands(looking, dir, &st);
		if (strcmp(dir, "/") == 0)
			return;
		dir = dirname(dir);
	}
}

static bool find(struct looking *looking, const char *path, struct stat *st)
{
	looking->n++;
	if (stat(path, st) == 0)
		return true;
	finding_add(looking->findings, "files", FINDING_FAIL,
		"%s: %s: this server does not start again without it", path, strerror(errno));
	return false;
}

static void look_at(struct looking *looking, const char *path)
{
	struct stat st;

	if (!find(looking, path, &st))
		return;
	look_at_hands(looking, path, &st);
	look_above(looking, path);
}

static void look_at_secret(struct looking *looking, const char *path, bool group_may_read)
{
	mode_t others = group_may_read ? 0037 : 0077;
	struct stat st;

	if (!find(looking, path, &st))
		return;
	if ((st.st_mode & others) != 0)
		finding_add(looking->findings, "files", FINDING_FAIL,
			"%s: a secret that others can reach (mode %04o), and this server does not "
			"start again so: chmod %s it, and make a new one if strangers use this "
			"machine",
			path, (unsigned)(st.st_mode & 07777), group_may_read ? "0640" : "0600");
	else if (access(path, R_OK) != 0)
		finding_add(looking->findings, "files", FINDING_FAIL,
			"%s: this service cannot read it any more, and does not start again so: "
			"chown it",
			path);
	else if (!is_ours(st.st_uid))
		look_at_hands(looking, path, &st);
	look_above(looking, path);
}

void files_examine(const char *path, const struct config *config, struct findings *findings)
{
	struct looking looking = {findings, BUF(1 << 16), 0};
	const struct config_trust *trust = config->trust.item;
	size_t before = findings->n;

	look_at_secret(&looking, config->edge_secret_file, true);
	look_at_secret(&looking, config->admin_token_file, true);
	look_at_secret(&looking, config->ticket_key_file, false);
	look_at_secret(&looking, config->ca.key, false);
	look_at_secret(&looking, config->ca.passphrase_file, false);
	look_at(&looking, path);
	look_at(&looking, config->ca.certificate);
	look_at(&looking, config->policy);
	look_at(&looking, config->templates);
	for (size_t i = 0; i < config->trust.n; i++)
		look_at(&looking, trust[i].roots);
	if (findings->n == before)
		finding_add(findings, "files", FINDING_OK,
			"secrets are closed to others, and nobody else can change what this server "
			"reads (%zu looked at)",
			looking.n);
	buf_free(&looking.seen);
}
