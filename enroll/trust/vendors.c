#include "enroll/trust/vendors.h"

#include "ca/base/file.h"
#include "ca/base/folder.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct known {
	char *folder;
	struct vendor *vendor;
};

struct vendors {
	atomic_uint references;
	struct known *at;
	size_t n;
	char version[VENDORS_VERSION_SIZE];
};

struct vendors *vendors_make(void)
{
	struct vendors *vendors = calloc(1, sizeof(*vendors));

	if (vendors != NULL)
		atomic_init(&vendors->references, 1);
	return vendors;
}

struct vendors *vendors_share(struct vendors *vendors)
{
	atomic_fetch_add(&vendors->references, 1);
	return vendors;
}

void vendors_free(struct vendors **vendors)
{
	struct vendors *gone = *vendors;

	*vendors = NULL;
	if (gone == NULL || atomic_fetch_sub(&gone->references, 1) > 1)
		return;
	for (size_t i = 0; i < gone->n; i++) {
		free(gone->at[i].folder);
		vendor_free(&gone->at[i].vendor);
	}
	free(gone->at);
	free(gone);
}

enum err vendors_add(struct vendors *vendors, const char *folder, struct vendor **vendor)
{
	struct known *grown = realloc(vendors->at, (vendors->n + 1) * sizeof(*grown));
	char *copy = strdup(folder);

	if (grown != NULL)
		vendors->at = grown;
	if (grown == NULL || copy == NULL) {
		free(copy);
		return fail(ERR_INTERNAL, "out-of-memory", "vendors_add");
	}
	vendors->at[vendors->n++] = (struct known){copy, MOVE(*vendor)};
	return OK;
}

/* Not every entry of the tree is a vendor; what is wrong with one is among the problems. */
static enum err load_one(
	struct vendors *vendors, const struct folder_entry *folder, struct problems *problems)
{
	AUTO(mem_free) char *path = path_join(folder->path, "vendor.yaml");
	AUTO(vendor_free) struct vendor *vendor = NULL;

	if (path == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "vendors_load");
	if (access(path, F_OK) != 0 || vendor_load(path, problems, &vendor) != OK)
		return OK;
	return vendors_add(vendors, folder->name, &vendor);
}

enum err vendors_load(const char *dir, struct problems *problems, struct vendors **out)
{
	AUTO(vendors_free) struct vendors *vendors = vendors_make();
	AUTO(folder_free) struct folder folder = {NULL, 0};

	if (vendors == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "vendors_load");
	if (folder_read(dir, &folder) != OK)
		return fail(ERR_INTERNAL, "vendors-directory", "%s", why()->sentence);
	for (size_t i = 0; i < folder.n; i++)
		TRY(load_one(vendors, &folder.entry[i], problems));
	*out = MOVE(vendors);
	return OK;
}

size_t vendors_count(const struct vendors *vendors)
{
	return vendors->n;
}

const struct vendor *vendors_at(const struct vendors *vendors, size_t i)
{
	return vendors->at[i].vendor;
}

const char *vendors_folder(const struct vendors *vendors, size_t i)
{
	return vendors->at[i].folder;
}

const char *vendors_version(const struct vendors *vendors)
{
	return vendors->version;
}

void vendors_set_version(struct vendors *vendors, const char *version)
{
	snprintf(vendors->version, sizeof(vendors->version), "%s", version);
}

const struct vendor_firmware *vendors_firmware_find(
	const struct vendors *vendors, const char *manufacturer, const char *version)
{
	for (size_t i = 0; i < vendors->n; i++) {
		const struct vendor_firmware *found;

		if (vendor_vouches_for(vendors->at[i].vendor, NULL, manufacturer) &&
			(found = vendor_firmware_find(vendors->at[i].vendor, version)) != NULL)
			return found;
	}
	return NULL;
}

/* Each text with its NUL, so that none runs into the next. */
static void add_text(struct buf *out, const char *text)
{
	buf_add(out, (struct view){(const uint8_t *)text, strlen(text) + 1});
}

static enum err digest_one(const struct vendor *vendor, uint8_t out[static SHA256_SIZE])
{
	AUTO(buf_free) struct buf all = BUF(1 << 18);
	const struct vendor_firmware *firmware = vendor->firmware.item;
	char *const *id = vendor->manufacturers.item;

	buf_be64(&all, vendor->manufacturers.n);
	for (size_t i = 0; i < vendor->manufacturers.n; i++)
		add_text(&all, id[i]);
	for (size_t i = 0; i < vendor->firmware.n; i++) {
		add_text(&all, firmware[i].from);
		add_text(&all, firmware[i].to);
		add_text(&all, firmware[i].reference);
	}
	TRY(buf_ok(&all));
	return SHA256_OF(out, buf_view(&all));
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_SIZE);
}

/* Independent of their order; two that say the same are not as none. */
enum err vendors_digest(const struct vendors *vendors, uint8_t out[static SHA256_SIZE])
{
	AUTO(mem_free) uint8_t(*digests)[SHA256_SIZE] = calloc(vendors->n + 1, SHA256_SIZE);
	size_t n = 0;

	memset(out, 0, SHA256_SIZE);
	if (digests == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "vendors_digest");
	for (size_t i = 0; i < vendors->n; i++)
		if (vendors->at[i].vendor->firmware.n > 0)
			TRY(digest_one(vendors->at[i].vendor, digests[n++]));
	if (n == 0)
		return OK;
	qsort(digests, n, SHA256_SIZE, compare);
	return SHA256_OF(out, ((struct view){digests[0], n * SHA256_SIZE}));
}
