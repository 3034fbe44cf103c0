#include "enroll/daemon/files.h"

#include "ca/base/file.h"
#include "ca/base/folder.h"
#include "db/pool.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as many as the kernel follows: path_resolution(7) */

struct looking {
	struct findings *findings;
	struct buf seen; /* directories that were looked at, each between newlines */
	size_t n;
};

static bool is_ours(uid_t owner)
{
	return owner == 0 || owner == geteuid();
}

/* Only the owner of an entry can replace it in a sticky directory. Root's group is root. A link's
 * mode says nothing. */
static bool others_can_write(const struct stat *st)
{
	mode_t others = st->st_gid == 0 ? 0002 : 0022;

	return (st->st_mode & others) != 0 && !S_ISLNK(st->st_mode) &&
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

/* Where a symbolic link leads; NULL for anything else. */
static char *link_target(const char *path)
{
	AUTO(mem_free) char *copy = strdup(path);
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0 || copy == NULL)
		return NULL;
	target[n] = '\0';
	return path_join(dirname(copy), target);
}

/*
 * Who can write to a directory can put another file in the place of ours, or of a link on the way to
 * it: so as it is written, and again from where each link leads to.
 */
static void look_along(struct looking *looking, const char *path, unsigned links)
{
	AUTO(mem_free) char *copy = strdup(path);
	char *at = copy;
	struct stat st;

	while (at != NULL && strcmp(at, "/") != 0) {
		AUTO(mem_free) char *target = links > 0 ? link_target(at) : NULL;

		if (target != NULL && lstat(at, &st) == 0) {
			look_at_hands(looking, at, &st);
			look_along(looking, target, links - 1);
		}
		at = dirname(at);
		if (is_seen(looking, at))
			return;
		if (stat(at, &st) == 0)
			look_at_hands(looking, at, &st);
	}
}

static void look_above(struct looking *looking, const char *path)
{
	AUTO(mem_free) char *here = get_current_dir_name();
	AUTO(mem_free) char *whole = here == NULL ? NULL : path_join(here, path);

	if (whole != NULL)
		look_along(looking, whole, LINKS_MAX);
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

static void look_at_entry(struct looking *looking, const char *path)
{
	struct stat st;

	/* What cannot be read is passed over by who reads it. */
	if (stat(path, &st) != 0)
		return;
	looking->n++;
	look_at_hands(looking, path, &st);
	look_above(looking, path);
}

/* All that is in a directory is read. */
static void look_into(struct looking *looking, const char *dir)
{
	AUTO(mem_free) char *within = path_join(dir, ".");
	AUTO(folder_free) struct folder folder = {NULL, 0};
	struct stat st;

	if (within == NULL || !find(looking, dir, &st))
		return;
	/* The directory itself, once: it is above what is in it. */
	look_above(looking, within);
	if (folder_read(dir, &folder) != OK)
		return;
	for (size_t i = 0; i < folder.n; i++)
		look_at_entry(looking, folder.entry[i].path);
}

/* The same of the directories in it. */
static void look_into_each(struct looking *looking, const char *dir)
{
	AUTO(folder_free) struct folder folder;

	look_into(looking, dir);
	if (folder_read(dir, &folder) != OK)
		return;
	for (size_t i = 0; i < folder.n; i++) {
		struct stat st;

		if (stat(folder.entry[i].path, &st) == 0 && S_ISDIR(st.st_mode))
			look_into(looking, folder.entry[i].path);
	}
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

static void look_at_ssh_ca(struct looking *looking, const struct config_ssh_ca *ca)
{
	if (ca->key == NULL)
		return;
	look_at_secret(looking, ca->key, false);
	look_at_secret(looking, ca->passphrase_file, false);
}

static void look_at_ca(struct looking *looking, const struct config_ca *ca)
{
	look_at_secret(looking, ca->key, false);
	look_at_secret(looking, ca->passphrase_file, false);
	look_at(looking, ca->certificate);
}

/* The configuration is no secret by itself, so nothing refuses one that everybody can read. */
static void look_at_password(struct looking *looking, const char *path, const struct config *config)
{
	struct stat st;

	if (db_has_password(config->database) && stat(path, &st) == 0 && (st.st_mode & 0004) != 0)
		finding_add(looking->findings, "files", FINDING_FAIL,
			"%s: the database's password is in it and others can read it (mode %04o): "
			"chmod 0640 it, and change the password if strangers use this machine",
			path, (unsigned)(st.st_mode & 07777));
}

void files_examine(const char *path, const struct config *config, struct findings *findings)
{
	struct looking looking = {findings, BUF(1 << 16), 0};
	const struct config_trust *trust = config->trust.item;
	const struct config_ca *former = config->former_cas.item;
	size_t before = findings->n;

	look_at_secret(&looking, config->edge_secret_file, true);
	look_at_secret(&looking, config->admin_token_file, true);
	look_at_secret(&looking, config->ticket_key_file, false);
	if (config->admin_edge_secret_file != NULL)
		look_at_secret(&looking, config->admin_edge_secret_file, true);
	if (config->admin_ca != NULL)
		look_at(&looking, config->admin_ca);
	look_at_ca(&looking, &config->ca);
	for (size_t i = 0; i < config->former_cas.n; i++)
		look_at_ca(&looking, &former[i]);
	look_at_ssh_ca(&looking, &config->ssh_host_ca);
	look_at_ssh_ca(&looking, &config->ssh_user_ca);
	look_at(&looking, path);
	look_at_password(&looking, path, config);
	if (config->root_crl != NULL)
		look_at(&looking, config->root_crl);
	look_at(&looking, config->policy);
	look_into(&looking, config->templates);
	for (size_t i = 0; i < config->trust.n; i++) {
		look_into(&looking, trust[i].roots);
		if (trust[i].intermediates != NULL)
			look_into(&looking, trust[i].intermediates);
		if (trust[i].crls != NULL)
			look_into(&looking, trust[i].crls);
	}
	if (config->vendors != NULL)
		look_into_each(&looking, config->vendors);
	if (findings->n == before)
		finding_add(findings, "files", FINDING_OK,
			"secrets are closed to others, and nobody else can change what this server "
			"reads (%zu looked at)",
			looking.n);
	buf_free(&looking.seen);
}
