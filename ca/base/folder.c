#include "ca/base/folder.h"

#include "ca/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static enum err keep(struct folder *folder, const char *dir, const char *name)
{
	struct folder_entry *entry = &folder->entry[folder->n++];

	*entry = (struct folder_entry){strdup(name), path_join(dir, name)};
	return entry->name == NULL || entry->path == NULL
		       ? fail(ERR_INTERNAL, "out-of-memory", "folder_read")
		       : OK;
}

enum err folder_read(const char *dir, struct folder *out)
{
	struct dirent **found = NULL;
	int n = scandir(dir, &found, is_visible, alphasort);
	enum err err = OK;

	*out = (struct folder){NULL, 0};
	if (n < 0)
		return fail(ERR_INTERNAL, "file-read", "%s: %s", dir, strerror(errno));
	if ((out->entry = calloc((size_t)n + 1, sizeof(*out->entry))) == NULL)
		err = fail(ERR_INTERNAL, "out-of-memory", "folder_read");
	for (int i = 0; i < n; i++) {
		if (err == OK)
			err = keep(out, dir, found[i]->d_name);
		free(found[i]);
	}
	free(found);
	return err;
}

void folder_free(struct folder *folder)
{
	for (size_t i = 0; i < folder->n; i++) {
		free(folder->entry[i].name);
		free(folder->entry[i].path);
	}
	free(folder->entry);
	*folder = (struct folder){NULL, 0};
}
