#include "enroll/agent/akfind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One search; all of it is borrowed but for what it finds. */
struct search {
	struct tpm *tpm;
	const struct ak_wish *wish;
	const char *service;
	const struct device_ek *ek;
	struct ak_found *found;
};

bool ak_handle_read(const char *text, TPM2_HANDLE *out)
{
	char *end = NULL;
	unsigned long handle;

	errno = 0;
	handle = strtoul(text, &end, 16);
	if (strncmp(text, "0x", 2) != 0 || *end != '\0' || errno != 0 || handle < AK_HANDLE_FIRST ||
		handle > AK_HANDLE_LAST)
		return false;
	*out = (TPM2_HANDLE)handle;
	return true;
}

static enum err pass_over(const char *path, const char *because)
{
	fprintf(stderr, "endorse: the AK in %s is not used: %s\n", path, because);
	return OK;
}

static bool is_wished_kind(const struct ak_wish *wish, const struct device_ak *ak)
{
	return wish->recipe == NULL || ak_recipe_of(ak->judged) == wish->recipe;
}

static bool is_wished_place(const struct ak_wish *wish, const struct device_ak *ak)
{
	return !wish->has_hierarchy ||
	       strcmp(device_ak_place(ak), ak_hierarchy_text(wish->hierarchy)) == 0;
}

/* Leaves found->ak empty when the file has no AK that will do. */
static enum err find_in_file(const struct search *s, const char *path)
{
	AUTO(device_ak_free) struct device_ak *ak = NULL;
	AUTO(loaded_flush) struct loaded loaded = LOADED(s->tpm);
	enum err err;

	if (s->found->ak != NULL)
		return OK;
	err = device_ak_read(path, s->service, &ak);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err != OK)
		return pass_over(path, why()->sentence);
	if (!is_wished_kind(s->wish, ak))
		return pass_over(path, "another kind was asked for");
	if (!is_wished_place(s->wish, ak))
		return pass_over(path, "another hierarchy was asked for");
	err = device_ak_load(s->tpm, ak, s->ek, &loaded);
	if (err == ERR_REJECTED)
		return pass_over(path, why()->sentence);
	if (err == OK)
		s->found->ak = MOVE(ak);
	return err;
}

static enum err make(const struct search *s, const struct enrollment *before)
{
	const struct ak_recipe *recipe = s->wish->recipe;
	enum ak_hierarchy hierarchy = s->wish->hierarchy;

	if (recipe == NULL)
		recipe = ak_recipe_find(before->ak_kind);
	if (recipe == NULL)
		recipe = ak_recipe_default;
	if (!s->wish->has_hierarchy && !ak_hierarchy_read(before->ak_hierarchy, &hierarchy))
		hierarchy = AK_BELOW_OWNER;
	s->found->is_new = true;
	return device_ak_create(s->tpm, recipe, hierarchy, s->ek, s->service, &s->found->ak);
}

/* The key file of the same AK says how it is wrapped, should it ever leave its handle. */
static void adopt_file(struct device_ak *ak, const char *path, const char *service)
{
	AUTO(device_ak_free) struct device_ak *file = NULL;
	struct buf private = ak->private;

	if (ak->parent != 0 || device_ak_read(path, service, &file) != OK ||
		!view_equal(buf_view(&file->public), buf_view(&ak->public)))
		return;
	ak->private = file->private;
	file->private = private;
	ak->parent = file->parent;
}

static enum err not_this(TPM2_HANDLE handle, const char *because)
{
	return fail(ERR_CONFLICT, "tpm-key",
		"the key at 0x%08x cannot be used: %s. Give another handle with --ak-handle, or "
		"free this one yourself (tpm2_evictcontrol -c 0x%08x): endorse evicts no key",
		handle, because, handle);
}

/* Leaves found->ak empty when the handle is free. */
static enum err find_at_handle(const struct search *s, struct state *state, TPM2_HANDLE handle)
{
	AUTO(device_ak_free) struct device_ak *ak = NULL;
	enum err err = device_ak_at(s->tpm, handle, s->service, &ak);

	if (err == ERR_NOT_FOUND) {
		s->found->persist_at = handle;
		return OK;
	}
	if (err == ERR_INTERNAL)
		return err;
	if (err != OK)
		return not_this(handle, why()->sentence);
	if (state != NULL) {
		adopt_file(ak, state_path(state, STATE_AK_KEY_NEW), s->service);
		adopt_file(ak, state_path(state, STATE_AK_KEY), s->service);
	}
	if (!is_wished_kind(s->wish, ak))
		return not_this(handle, "it is an AK of another kind than was asked for");
	if (!is_wished_place(s->wish, ak))
		return not_this(
			handle, "it is not known to be in the hierarchy that was asked for");
	s->found->ak = MOVE(ak);
	return OK;
}

enum err ak_find(struct tpm *tpm, const struct ak_wish *wish, const char *service,
	struct state *state, const struct enrollment *before, const struct device_ek *ek,
	struct ak_found *out)
{
	const struct search search = {tpm, wish, service, ek, out};
	TPM2_HANDLE handle = wish->handle;

	if (handle == 0)
		(void)ak_handle_read(before->ak_handle, &handle);
	if (handle != 0)
		TRY(find_at_handle(&search, state, handle));
	if (state != NULL) {
		TRY(find_in_file(&search, state_path(state, STATE_AK_KEY_NEW)));
		TRY(find_in_file(&search, state_path(state, STATE_AK_KEY)));
	}
	return out->ak != NULL ? OK : make(&search, before);
}
