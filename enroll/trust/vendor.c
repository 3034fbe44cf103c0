#include "enroll/trust/vendor.h"

#include "ca/base/encode.h"
#include "ca/base/file.h"

#include <libgen.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define ID "id:"

static const struct yaml_key firmware_keys[] = {
	{"from", YAML_TEXT, offsetof(struct vendor_firmware, from), NULL, 1, 16, NULL, NULL},
	{"to", YAML_TEXT, offsetof(struct vendor_firmware, to), NULL, 1, 16, NULL, NULL},
	{"reference", YAML_TEXT, offsetof(struct vendor_firmware, reference), NULL, 1, 64, NULL,
		NULL},
	{"note", YAML_TEXT, offsetof(struct vendor_firmware, note), "", 1, 256, NULL, NULL},
	{0},
};
static const struct yaml_schema firmware_schema = {
	sizeof(struct vendor_firmware), firmware_keys, offsetof(struct vendor_firmware, mark)};

static const struct yaml_key anchor_keys[] = {
	{"file", YAML_TEXT, offsetof(struct vendor_anchor, file), NULL, 1, 255, NULL, NULL},
	{"manufacturers", YAML_LIST, offsetof(struct vendor_anchor, manufacturers), NULL, 1, 32,
		NULL, NULL},
	{"note", YAML_TEXT, offsetof(struct vendor_anchor, note), "", 1, 1024, NULL, NULL},
	{0},
};
static const struct yaml_schema anchor_schema = {
	sizeof(struct vendor_anchor), anchor_keys, offsetof(struct vendor_anchor, mark)};

static const char *const uses[] = {"ek", NULL};

static const struct yaml_key vendor_keys[] = {
	{"name", YAML_TEXT, offsetof(struct vendor, name), NULL, 1, 64, NULL, NULL},
	{"manufacturers", YAML_LIST, offsetof(struct vendor, manufacturers), NULL, 1, 32, NULL,
		NULL},
	{"use", YAML_LIST, offsetof(struct vendor, use), NULL, 1, 1, NULL, uses},
	{"names", YAML_LIST, offsetof(struct vendor, names), "", 0, 32, NULL, NULL},
	{"firmware", YAML_LIST, offsetof(struct vendor, firmware), "", 0, 64, &firmware_schema,
		NULL},
	{"notes", YAML_LIST, offsetof(struct vendor, notes), "", 0, 32, NULL, NULL},
	{"anchors", YAML_LIST, offsetof(struct vendor, anchors), "", 0, 64, &anchor_schema, NULL},
	{0},
};
static const struct yaml_schema vendor_schema = {
	sizeof(struct vendor), vendor_keys, offsetof(struct vendor, mark)};

/* "id:" and eight hexadecimal digits: the four bytes that the TCG gave the manufacturer. */
static bool is_manufacturer(const char *text)
{
	uint8_t id[4];

	return strncmp(text, ID, strlen(ID)) == 0 &&
	       hex_read(view_str(text + strlen(ID)), id, sizeof(id)) == OK;
}

/* Both halves as one number, so that versions compare as numbers do. */
static bool read_version(const char *text, uint32_t *out)
{
	const char *digits = text + strlen(ID);
	uint8_t half[4] = {0};

	if (strncmp(text, ID, strlen(ID)) != 0)
		return false;
	if (strlen(digits) == 4) {
		uint8_t byte[2];

		if (hex_read(view_str(digits), byte, sizeof(byte)) != OK)
			return false;
		half[1] = byte[0];
		half[3] = byte[1];
	} else if (hex_read(view_str(digits), half, sizeof(half)) != OK) {
		return false;
	}
	*out = (uint32_t)half[0] << 24 | (uint32_t)half[1] << 16 | (uint32_t)half[2] << 8 | half[3];
	return true;
}

/* What is judged beyond the schema. */
struct judging {
	const char *file;
	struct problems *problems;
};

static void judge_manufacturers(
	const struct judging *judging, const struct yaml_list *list, struct yaml_mark mark)
{
	char *const *id = list->item;

	for (size_t i = 0; i < list->n; i++) {
		if (!is_manufacturer(id[i]))
			problem_add(judging->problems, judging->file, mark,
				"the manufacturer is \"%.40s\": wanted \"id:\" and eight "
				"hexadecimal "
				"digits",
				id[i]);
		for (size_t k = 0; k < i; k++)
			if (strcasecmp(id[i], id[k]) == 0)
				problem_add(judging->problems, judging->file, mark,
					"the manufacturer \"%.40s\" is there twice", id[i]);
	}
}

static void judge_firmware(const struct judging *judging, const struct vendor_firmware *firmware)
{
	const char *const texts[] = {firmware->from, firmware->to};
	uint32_t version[COUNT(texts)];
	bool good = true;

	for (size_t i = 0; i < COUNT(texts); i++) {
		if (read_version(texts[i], &version[i]))
			continue;
		problem_add(judging->problems, judging->file, firmware->mark,
			"the version is \"%s\": wanted \"id:\" and four or eight hexadecimal "
			"digits",
			texts[i]);
		good = false;
	}
	if (good && version[0] > version[1])
		problem_add(judging->problems, judging->file, firmware->mark,
			"from \"%s\" is after to \"%s\"", texts[0], texts[1]);
}

static bool lies_beside(const char *path, const char *name)
{
	AUTO(mem_free) char *copy = strdup(path);
	AUTO(mem_free) char *file = copy == NULL ? NULL : path_join(dirname(copy), name);
	struct stat st;

	return file != NULL && stat(file, &st) == 0 && S_ISREG(st.st_mode);
}

static void judge_anchor(const struct judging *judging, const struct vendor_anchor *anchor)
{
	judge_manufacturers(judging, &anchor->manufacturers, anchor->mark);
	if (strchr(anchor->file, '/') != NULL)
		problem_add(judging->problems, judging->file, anchor->mark,
			"the anchor is \"%s\": wanted the name of a file in this directory",
			anchor->file);
	else if (!lies_beside(judging->file, anchor->file))
		problem_add(judging->problems, judging->file, anchor->mark,
			"there is no anchor \"%s\" in this directory", anchor->file);
}

static enum err judge(const struct judging *judging, const struct vendor *vendor)
{
	const struct vendor_firmware *firmware = vendor->firmware.item;
	const struct vendor_anchor *anchor = vendor->anchors.item;
	size_t before = judging->problems->n;

	judge_manufacturers(judging, &vendor->manufacturers, vendor->mark);
	for (size_t i = 0; i < vendor->firmware.n; i++)
		judge_firmware(judging, &firmware[i]);
	for (size_t i = 0; i < vendor->anchors.n; i++) {
		judge_anchor(judging, &anchor[i]);
		for (size_t k = 0; k < i; k++)
			if (strcmp(anchor[i].file, anchor[k].file) == 0)
				problem_add(judging->problems, judging->file, anchor[i].mark,
					"a second anchor \"%s\"", anchor[i].file);
	}
	if (judging->problems->n != before)
		return fail(ERR_MALFORMED, "yaml", "%s: %zu problem(s)", judging->file,
			judging->problems->n - before);
	return OK;
}

enum err vendor_load(const char *path, struct problems *problems, struct vendor **out)
{
	AUTO(vendor_free) struct vendor *vendor = calloc(1, sizeof(*vendor));
	const struct judging judging = {path, problems};

	if (vendor == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "vendor_load");
	TRY(yaml_read_file(path, &vendor_schema, vendor, problems));
	TRY(judge(&judging, vendor));
	*out = MOVE(vendor);
	return OK;
}

void vendor_free(struct vendor **vendor)
{
	if (*vendor != NULL)
		yaml_release(&vendor_schema, *vendor);
	free(*vendor);
	*vendor = NULL;
}

const struct vendor_firmware *vendor_firmware_find(const struct vendor *vendor, const char *version)
{
	const struct vendor_firmware *firmware = vendor->firmware.item;
	uint32_t wanted, from, to;

	if (version == NULL || !read_version(version, &wanted))
		return NULL;
	for (size_t i = 0; i < vendor->firmware.n; i++)
		if (read_version(firmware[i].from, &from) && read_version(firmware[i].to, &to) &&
			from <= wanted && wanted <= to)
			return &firmware[i];
	return NULL;
}

static bool lists(const struct yaml_list *list, const char *word)
{
	char *const *item = list->item;

	for (size_t i = 0; i < list->n; i++)
		if (strcasecmp(item[i], word) == 0)
			return true;
	return false;
}

const struct yaml_list *vendor_manufacturers(const struct vendor *vendor, const char *anchor_file)
{
	const struct vendor_anchor *anchor = vendor->anchors.item;
	const char *slash = anchor_file == NULL ? NULL : strrchr(anchor_file, '/');
	const char *name = slash == NULL ? anchor_file : slash + 1;

	for (size_t i = 0; name != NULL && i < vendor->anchors.n; i++)
		if (strcmp(anchor[i].file, name) == 0)
			return &anchor[i].manufacturers;
	return &vendor->manufacturers;
}

bool vendor_vouches_for(
	const struct vendor *vendor, const char *anchor_file, const char *manufacturer)
{
	return lists(vendor_manufacturers(vendor, anchor_file), manufacturer);
}

bool vendor_has_name(const struct vendor *vendor, const char *organization_or_cn)
{
	return lists(&vendor->names, organization_or_cn);
}
