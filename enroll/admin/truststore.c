#include "enroll/admin/truststore.h"

#include "ca/base/file.h"
#include "ca/base/printable.h"
#include "enroll/admin/gather.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BUNDLE_DIR ENDORSE_VENDORS_DIR
#define SOURCES_MAX 32

void truststore_init(struct truststore *store)
{
	*store = (struct truststore){.notes = BUF(1 << 20)};
}

void truststore_free(struct truststore *store)
{
	trust_free(&store->trust);
	buf_free(&store->notes);
}

static bool is_tree(const char *path)
{
	AUTO(mem_free) char *pattern = NULL;
	glob_t found = {0};
	bool is;

	if (asprintf(&pattern, "%s/*/vendor.yaml", path) < 0) {
		pattern = NULL;
		return false;
	}
	is = glob(pattern, 0, NULL, &found) == 0;
	globfree(&found);
	return is;
}

/* Who packed an archive named its files. */
#define SHOWN 1024
#define NOTED_MAX 4 /* of those that an import would leave out: vendors import tells of all */

static void note(void *ctx, const char *path, const char *reason)
{
	struct truststore *store = ctx;
	char where[SHOWN], what[SHOWN];

	printable(path, where, sizeof(where));
	printable(reason, what, sizeof(what));
	buf_fmt(&store->notes, "%s: %s\n", where, what);
}

/* An import would leave the same ones out, and say why. */
static void note_left_out(struct truststore *store, const struct gathered *item)
{
	char words[SHOWN];

	if (item->code[0] == '\0')
		return;
	snprintf(words, sizeof(words), "left out: %s (%s)", item->sentence, item->code);
	if (store->left_out++ < NOTED_MAX)
		note(store, item->path, words);
}

/* Below what was named there may be many of one file name. */
static const char *path_below(const struct gathered *item)
{
	size_t n = strlen(item->origin);

	return strncmp(item->path, item->origin, n) == 0 && item->path[n] == '/'
		       ? item->path + n + strspn(item->path + n, "/")
		       : item->path;
}

static bool is_taken(const struct gathered *item)
{
	return item->code[0] == '\0' && !item->is_double;
}

/* The set becomes one that has these too. */
static enum err add_gathered(struct truststore *store, const struct gathering *gathering)
{
	AUTO(mem_free) struct trust_item *items = calloc(gathering->n + 1, sizeof(*items));
	AUTO(trust_free) struct trust *grown = NULL;
	size_t n = 0;

	if (items == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "truststore_load");
	for (size_t i = 0; i < gathering->n; i++) {
		const struct gathered *item = &gathering->item[i];

		note_left_out(store, item);
		if (is_taken(item))
			items[n++] = (struct trust_item){.role = item->candidate.role,
				.class = item->entry.has_class ? item->entry.class
							       : TRUST_OPERATOR_IMPORT,
				.der = {item->entry.der, item->entry.der_n},
				.manufacturers = item->manufacturers,
				.source = path_below(item)};
	}
	TRY(trust_add(store->trust, items, n, note, store, &grown));
	trust_free(&store->trust);
	store->trust = MOVE(grown);
	return OK;
}

static enum err add_path(
	struct truststore *store, const char *path, int64_t now, const struct vendors *vendors)
{
	AUTO(gathering_free) struct gathering gathering;
	const struct cab_trust nobody = {0};
	const struct gather_wish wish = {.manufacturers = store->manufacturers,
		.takes_exports = true,
		.vendors = vendors,
		.cab = &nobody,
		.now = now};

	gathering_init(&gathering);
	TRY(gather(path, &wish, &gathering));
	return add_gathered(store, &gathering);
}

static enum err count(void *ctx, const struct trust_item *item)
{
	struct truststore *store = ctx;

	if (item->role == TRUST_ROOT)
		store->roots++;
	else if (item->role == TRUST_INTERMEDIATE)
		store->intermediates++;
	else
		store->crls++;
	return OK;
}

/* PATH/FOLDER, for free(); NULL when there is none. */
static char *folder_of(const char *path, const char *folder)
{
	AUTO(mem_free) char *whole = path_join(path, folder);
	struct stat st;

	return whole != NULL && stat(whole, &st) == 0 && S_ISDIR(st.st_mode) ? MOVE(whole) : NULL;
}

/* As endorsed.yaml names one: the folder says what a certificate is. */
struct source {
	char *roots, *intermediates, *crls;
};

static void source_free(struct source *source)
{
	free(source->roots);
	free(source->intermediates);
	free(source->crls);
}

static bool is_source(const char *path)
{
	AUTO(mem_free) char *roots = folder_of(path, "roots");

	return roots != NULL;
}

/* Verdicts have little room for a source. */
static const char *last_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL || slash[1] == '\0' ? path : slash + 1;
}

static void make_source(const char *path, struct source *folders, struct trust_source *out)
{
	*folders = (struct source){folder_of(path, "roots"), folder_of(path, "intermediates"),
		folder_of(path, "crls")};
	*out = (struct trust_source){.name = last_of(path),
		.class = TRUST_OPERATOR_IMPORT,
		.roots = folders->roots,
		.intermediates = folders->intermediates,
		.crls = folders->crls};
}

static enum err load_sources(struct truststore *store, const char *const *paths, size_t n)
{
	struct trust_source sources[SOURCES_MAX];
	struct source folders[SOURCES_MAX] = {0};
	size_t used = 0;
	enum err err = OK;

	for (size_t i = 0; i < n && used < SOURCES_MAX; i++)
		if (is_tree(paths[i]))
			sources[used++] = (struct trust_source){.name = "vendors",
				.class = TRUST_MANUFACTURER,
				.vendors = paths[i]};
		else if (is_source(paths[i])) {
			make_source(paths[i], &folders[used], &sources[used]);
			used++;
		}
	if (used > 0)
		err = trust_load(sources, used, note, store, &store->trust);
	for (size_t i = 0; i < SOURCES_MAX; i++)
		source_free(&folders[i]);
	return err;
}

/* What tells whom an imported root may vouch for; without it only the roots that say so are taken. */
static void load_vendors(const char *const *paths, size_t n, struct vendors **out)
{
	const char *tree = BUNDLE_DIR;
	struct problems problems;

	for (size_t i = 0; i < n; i++)
		if (is_tree(paths[i]))
			tree = paths[i];
	problems_init(&problems);
	/* Whatever is wrong with it is told when it is loaded as a tree; nothing is believed by it. */
	(void)!vendors_load(tree, &problems, out);
	problems_free(&problems);
}

/* Are any to be judged as an import judges? */
static bool has_others(const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_tree(paths[i]) && !is_source(paths[i]))
			return true;
	return false;
}

enum err truststore_load(const char *const *paths, size_t n, int64_t now, struct truststore *out)
{
	static const char *const installed[] = {BUNDLE_DIR};
	AUTO(vendors_free) struct vendors *vendors = NULL;

	if (n == 0) {
		paths = installed;
		n = 1;
		if (!is_tree(BUNDLE_DIR))
			return fail(ERR_INTERNAL, "trust-empty",
				"%s: the bundle of manufacturers is not there; say whom to trust "
				"(--trust)",
				BUNDLE_DIR);
	}
	load_vendors(paths, n, &vendors);
	if (vendors == NULL && has_others(paths, n))
		buf_fmt(&out->notes,
			"%s: no vendors are installed there by which roots would be known: say "
			"where they are (--trust DIR)\n",
			BUNDLE_DIR);
	TRY(load_sources(out, paths, n));
	for (size_t i = 0; i < n; i++)
		if (!is_tree(paths[i]) && !is_source(paths[i]))
			TRY(add_path(out, paths[i], now, vendors));
	if (out->left_out > NOTED_MAX)
		buf_fmt(&out->notes,
			"... and %zu more; endorsectl vendors import --dry-run tells of all\n",
			out->left_out - NOTED_MAX);
	TRY(trust_each(out->trust, count, out));
	if (out->roots == 0)
		return fail(ERR_INTERNAL, "trust-empty", "no root that may be trusted in %s%s",
			paths[0], n > 1 ? " and the others" : "");
	return OK;
}
