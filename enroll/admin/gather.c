#include "enroll/admin/gather.h"

#include "ca/base/file.h"
#include "ca/base/folder.h"
#include "ca/base/ossl.h"
#include "enroll/admin/content.h"
#include "enroll/admin/tempdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void gathering_init(struct gathering *gathering)
{
	*gathering = (struct gathering){.notes = BUF(1 << 16)};
}

void gathering_free(struct gathering *gathering)
{
	for (size_t i = 0; i < gathering->n; i++) {
		free(gathering->item[i].path);
		bundle_entry_release(&gathering->item[i].entry);
	}
	free(gathering->item);
	buf_free(&gathering->notes);
	gathering_init(gathering);
}

/* One file or directory: where it is, and what people call it. */
struct place {
	const char *path, *shown;
	unsigned depth;
	bool is_in_cab;
};

/* What is the same on the way down. */
struct walk {
	const struct gather_wish *wish;
	struct gathering *gathering;
	const char *origin;
};

static enum err walk_place(const struct walk *walk, const struct place *place);

static enum err out_of_memory(void)
{
	return fail(ERR_INTERNAL, "out-of-memory", "gather");
}

static void leave_out(struct gathered *item)
{
	snprintf(item->code, sizeof(item->code), "%s", why()->code);
	snprintf(item->sentence, sizeof(item->sentence), "%s", why()->sentence);
}

/* Takes what `entry` holds over. */
static enum err add_item(const struct walk *walk, const char *shown, bool is_numbered,
	struct bundle_entry *entry, struct gathered **out)
{
	struct gathering *gathering = walk->gathering;
	size_t n = gathering->n;
	struct gathered *item;
	int written;

	if ((n & (n - 1)) == 0) {
		struct gathered *grown =
			realloc(gathering->item, (n == 0 ? 1 : 2 * n) * sizeof(*grown));

		if (grown == NULL)
			return out_of_memory();
		gathering->item = grown;
	}
	item = &gathering->item[n];
	*item = (struct gathered){.origin = walk->origin, .entry = *entry};
	*entry = (struct bundle_entry){.der = NULL};
	gathering->n++;
	written = is_numbered ? asprintf(&item->path, "%s:%zu", shown, item->entry.line)
			      : asprintf(&item->path, "%s", shown);
	if (written < 0)
		item->path = NULL;
	*out = item;
	return written < 0 ? out_of_memory() : OK;
}

static enum candidate_wish wish_of(const struct walk *walk, const struct bundle_entry *entry)
{
	static const enum candidate_wish by_role[] = {
		[TRUST_ROOT] = CANDIDATE_ROOT,
		[TRUST_INTERMEDIATE] = CANDIDATE_INTERMEDIATE,
		[TRUST_CRL] = CANDIDATE_CRL,
	};

	if (entry->has_role)
		return by_role[entry->role];
	return walk->wish->pins && entry->kind == BUNDLE_CERTIFICATE ? CANDIDATE_ROOT
								     : CANDIDATE_ANY;
}

/* No candidate: a service has it already, and may have from files what an import would leave out. */
static bool is_exported(const struct walk *walk, const struct bundle_entry *entry)
{
	return walk->wish->takes_exports && entry->has_role && entry->has_class;
}

static enum err judge(const struct walk *walk, const char *shown, struct gathered *item)
{
	const struct bundle_entry *entry = &item->entry;
	AUTO(buf_free) struct buf manufacturers = BUF(VOUCHING_MAX);
	const struct vouching_hints hints = {walk->wish->manufacturers, entry->manufacturers,
		entry->owner, shown, walk->wish->vendors};
	enum err err;

	if (entry->der_n == 0)
		return refuse(
			ERR_REJECTED, "ca-unreadable", "RFC 7468 3", "its PEM text is broken");
	err = candidate_judge((struct view){entry->der, entry->der_n}, wish_of(walk, entry),
		walk->wish->now, &item->candidate);
	if (err == ERR_REJECTED && is_exported(walk, entry)) {
		item->candidate.role = entry->role;
		err = OK;
	}
	TRY(err);
	if (item->candidate.role != TRUST_ROOT)
		return OK;
	TRY(vouching_find(&item->candidate, &hints, &manufacturers));
	snprintf(item->manufacturers, sizeof(item->manufacturers), "%s", buf_text(&manufacturers));
	return OK;
}

static enum err add_judged(
	const struct walk *walk, const char *shown, bool is_numbered, struct bundle_entry *entry)
{
	struct gathered *item;
	enum err err;

	TRY(add_item(walk, shown, is_numbered, entry, &item));
	err = judge(walk, shown, item);
	if (err == ERR_INTERNAL)
		return err;
	if (err != OK)
		leave_out(item);
	return OK;
}

static enum err add_left_out(const struct walk *walk, const char *shown)
{
	struct bundle_entry nothing = {.der = NULL};
	struct gathered *item;

	/* why() says the reason. */
	struct kept_reason reason;

	reason_keep(&reason);
	TRY(add_item(walk, shown, false, &nothing, &item));
	(void)!reason_again(&reason);
	leave_out(item);
	return OK;
}

static enum err walk_cab(const struct walk *walk, const struct place *place, struct view bytes)
{
	AUTO(tempdir_remove) char *dir = NULL;
	AUTO(mem_free) char *content = NULL;
	struct place inside = {.shown = place->shown, .depth = place->depth + 1, .is_in_cab = true};
	char signer[CAB_SIGNER];

	if (place->is_in_cab)
		return fail(ERR_MALFORMED, "no-certificate", "a cabinet within a cabinet");
	TRY(tempdir_make(walk->wish->temporary, &dir));
	TRY(cab_extract(bytes, place->shown, walk->wish->cab, dir, signer));
	buf_fmt(&walk->gathering->notes, "%s: signed by %s\n", place->shown, signer);
	if ((content = path_join(dir, "content")) == NULL)
		return out_of_memory();
	inside.path = content;
	return walk_place(walk, &inside);
}

static enum err walk_content(const struct walk *walk, const struct place *place, struct view bytes)
{
	AUTO(bundle_free) struct bundle *found = NULL;

	if (is_cab(bytes))
		return walk_cab(walk, place, bytes);
	TRY(content_read(bytes, place->shown, &found));
	for (size_t i = 0; i < found->n; i++)
		TRY(add_judged(walk, place->shown, found->n > 1, &found->entry[i]));
	return OK;
}

/* Is nothing to be believed, or is it only this file that holds nothing? */
static bool is_harmless(enum err err, unsigned depth)
{
	return (err == ERR_MALFORMED && strcmp(why()->code, "no-certificate") == 0) ||
	       (err != OK && depth > 0 &&
		       (strcmp(why()->code, "file-read") == 0 ||
			       strcmp(why()->code, "file-too-large") == 0));
}

static enum err walk_file(const struct walk *walk, const struct place *place)
{
	AUTO(buf_free) struct buf bytes = BUF(BUNDLE_MAX);
	struct gathering *gathering = walk->gathering;
	enum err err = file_read(place->path, &bytes);

	gathering->bytes += bytes.n;
	if (++gathering->files > GATHER_FILES || gathering->bytes > GATHER_BYTES)
		return fail(ERR_TOO_LARGE, "gather-size",
			"%s: more than %d files, or than %d MiB together", walk->origin,
			GATHER_FILES, GATHER_BYTES >> 20);
	if (err == OK)
		err = walk_content(walk, place, buf_view(&bytes));
	return is_harmless(err, place->depth) ? add_left_out(walk, place->shown) : err;
}

static enum err walk_entry(
	const struct walk *walk, const struct place *above, const struct folder_entry *entry)
{
	AUTO(mem_free) char *shown = path_join(above->shown, entry->name);
	struct place place = {entry->path, shown, above->depth + 1, above->is_in_cab};

	return shown == NULL ? out_of_memory() : walk_place(walk, &place);
}

static enum err walk_directory(const struct walk *walk, const struct place *place)
{
	AUTO(folder_free) struct folder folder = {NULL, 0};

	if (place->depth > GATHER_DEPTH)
		return fail(ERR_TOO_LARGE, "gather-size", "%s: directories more than %d deep",
			place->shown, GATHER_DEPTH);
	TRY(folder_read(place->path, &folder));
	for (size_t i = 0; i < folder.n; i++)
		TRY(walk_entry(walk, place, &folder.entry[i]));
	return OK;
}

static enum err walk_place(const struct walk *walk, const struct place *place)
{
	struct stat st;

	if (lstat(place->path, &st) != 0)
		return fail(
			ERR_NOT_FOUND, "file-missing", "%s: there is no such file", place->shown);
	/* What the operator names himself may be a link; what lies in a directory may lead anywhere. */
	if (S_ISLNK(st.st_mode) && place->depth == 0 && stat(place->path, &st) != 0)
		return fail(
			ERR_NOT_FOUND, "file-missing", "%s: there is no such file", place->shown);
	if (S_ISDIR(st.st_mode))
		return walk_directory(walk, place);
	if (S_ISREG(st.st_mode))
		return walk_file(walk, place);
	(void)!fail(ERR_MALFORMED, "no-certificate",
		S_ISLNK(st.st_mode) ? "a symbolic link, which is not followed"
				    : "neither a file nor a directory");
	return add_left_out(walk, place->shown);
}

static int compare(const void *a, const void *b)
{
	const struct gathered *const *x = a, *const *y = b;
	int by_digest = memcmp(
		(*x)->candidate.sha256, (*y)->candidate.sha256, sizeof((*x)->candidate.sha256));

	return by_digest != 0 ? by_digest : (*x > *y) - (*x < *y);
}

/* The first of the same bytes stays; what is left out anyway is told each time. */
static enum err merge_doubles(struct gathering *gathering)
{
	AUTO(mem_free) struct gathered **sorted = calloc(gathering->n + 1, sizeof(*sorted));
	size_t n = 0;

	if (sorted == NULL)
		return out_of_memory();
	for (size_t i = 0; i < gathering->n; i++) {
		gathering->item[i].is_double = false;
		if (gathering->item[i].code[0] == '\0')
			sorted[n++] = &gathering->item[i];
	}
	qsort(sorted, n, sizeof(*sorted), compare);
	for (size_t i = 1; i < n; i++)
		sorted[i]->is_double = memcmp(sorted[i - 1]->candidate.sha256,
					       sorted[i]->candidate.sha256, SHA256_SIZE) == 0;
	return OK;
}

enum err gather(const char *path, const struct gather_wish *wish, struct gathering *gathering)
{
	const struct walk walk = {wish, gathering, path};
	const struct place place = {path, path, 0, false};

	TRY(walk_place(&walk, &place));
	return merge_doubles(gathering);
}
