#include "enroll/trust/vouching.h"

#include "ca/base/encode.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "id:"
#define ID_SIZE 12 /* "id:49465800" and a NUL */
#define FOLDER_MAX 64
#define FOLDER_MIN 3 /* letters by which a vendor is known */

static enum err unknown(const char *text)
{
	return refuse(ERR_REJECTED, "ca-manufacturers", "EK Credential Profile 3.1.2",
		"\"%.64s\" is no list of manufacturers: wanted \"any\", or id:XXXXXXXX with eight "
		"hexadecimal digits each, and commas between them",
		text);
}

static bool has_id(const struct buf *list, const char *id)
{
	return strstr(buf_text(list), id) != NULL;
}

static void add_id(struct buf *out, const uint8_t bytes[static 4])
{
	char id[ID_SIZE];

	snprintf(id, sizeof(id), ID "%02X%02X%02X%02X", bytes[0], bytes[1], bytes[2], bytes[3]);
	if (!has_id(out, id))
		buf_fmt(out, "%s%s", out->n == 0 ? "" : ",", id);
}

static enum err add_text(const char *text, size_t n, const char *whole, struct buf *out)
{
	struct view digits = {(const uint8_t *)text + strlen(ID), n - strlen(ID)};
	uint8_t bytes[4];

	if (n != ID_SIZE - 1 || strncasecmp(text, ID, strlen(ID)) != 0 ||
		hex_read(digits, bytes, sizeof(bytes)) != OK)
		return unknown(whole);
	add_id(out, bytes);
	return OK;
}

enum err vouching_read(const char *text, struct buf *out)
{
	AUTO(buf_free) struct buf list = BUF(VOUCHING_MAX);

	if (strcmp(text, "any") == 0)
		return OK;
	for (const char *at = text;; at++) {
		size_t n = strcspn(at, ",");

		TRY(add_text(at, n, text, &list));
		at += n;
		if (*at == '\0')
			break;
	}
	if (list.failed)
		return unknown(text);
	buf_add(out, buf_view(&list));
	return buf_ok(out);
}

/* The registry fills up to four bytes with NULs for some and with spaces for others. */
enum err vouching_of_letters(const char *letters, struct buf *out)
{
	size_t n = strlen(letters);
	uint8_t with_nul[4] = {0}, with_space[4] = {' ', ' ', ' ', ' '};

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)letters[i]))
			n = 0;
	if (n < 2 || n > 4)
		return refuse(ERR_REJECTED, "ca-manufacturers", "TCG Vendor ID Registry",
			"\"%.32s\" is no manufacturer: wanted two to four letters", letters);
	for (size_t i = 0; i < n; i++)
		with_nul[i] = with_space[i] = (uint8_t)toupper((unsigned char)letters[i]);
	add_id(out, with_nul);
	add_id(out, with_space);
	return buf_ok(out);
}

static enum err add_all(const struct vendor *vendor, struct buf *out)
{
	for (size_t i = 0; i < vendor->manufacturers.n; i++) {
		const char *id = ((char **)vendor->manufacturers.item)[i];

		TRY(add_text(id, strlen(id), id, out));
	}
	return buf_ok(out);
}

static const struct vendor *by_name(const struct vendors *vendors, const char *name)
{
	for (size_t i = 0; vendors != NULL && name[0] != '\0' && i < vendors_count(vendors); i++)
		if (vendor_has_name(vendors_at(vendors, i), name))
			return vendors_at(vendors, i);
	return NULL;
}

/* The common name says more than the organization, which may have roots of several kinds. */
static const struct vendor *by_subject(
	const struct vendors *vendors, const struct candidate *candidate)
{
	const struct vendor *vendor = by_name(vendors, candidate->common_name);

	return vendor != NULL ? vendor : by_name(vendors, candidate->organization);
}

static bool is_id_of(const struct vendor *vendor, const char *letters)
{
	AUTO(buf_free) struct buf ids = BUF(64);
	char *id, *rest = NULL;

	if (vouching_of_letters(letters, &ids) != OK)
		return false;
	for (id = strtok_r((char *)ids.p, ",", &rest); id != NULL; id = strtok_r(NULL, ",", &rest))
		if (vendor_vouches_for(vendor, NULL, id))
			return true;
	return false;
}

/* "Infineon", "STMicro" or "NTC" as archives call their folders. */
static bool is_called(const struct vendors *vendors, size_t i, const char *folder)
{
	const struct vendor *vendor = vendors_at(vendors, i);
	size_t n = strlen(folder);

	return strcasecmp(vendors_folder(vendors, i), folder) == 0 || is_id_of(vendor, folder) ||
	       (n >= FOLDER_MIN && strncasecmp(vendor->name, folder, n) == 0);
}

static const struct vendor *by_folder(const struct vendors *vendors, const char *path)
{
	size_t end = strlen(path);

	while (end > 0) {
		size_t from = end;
		char folder[FOLDER_MAX];

		while (from > 0 && path[from - 1] != '/')
			from--;
		snprintf(folder, sizeof(folder), "%.*s", (int)(end - from), path + from);
		for (size_t i = 0; path[end] == '/' && i < vendors_count(vendors); i++)
			if (is_called(vendors, i, folder))
				return vendors_at(vendors, i);
		end = from > 0 ? from - 1 : 0;
	}
	return NULL;
}

/* A vendor's root may vouch for more than its owner's own TPMs: Microsoft's does. */
static enum err by_owner(const struct vendor *vendor, const char *owner, struct buf *out)
{
	return vendor != NULL && is_id_of(vendor, owner) ? add_all(vendor, out)
							 : vouching_of_letters(owner, out);
}

enum err vouching_find(
	const struct candidate *candidate, const struct vouching_hints *hints, struct buf *out)
{
	const struct vendor *vendor = by_subject(hints->vendors, candidate);

	if (hints->given != NULL)
		return vouching_read(hints->given, out);
	if (hints->manufacturers != NULL)
		return vouching_read(hints->manufacturers, out);
	if (hints->owner != NULL)
		return by_owner(vendor, hints->owner, out);
	if (vendor == NULL && hints->vendors != NULL && hints->path != NULL)
		vendor = by_folder(hints->vendors, hints->path);
	if (vendor != NULL)
		return add_all(vendor, out);
	return refuse(ERR_REJECTED, "ca-manufacturers", "EK Credential Profile 3.1.2",
		"nothing tells whom this root may vouch for; say --manufacturer id:XXXXXXXX, or "
		"any: "
		"%s",
		candidate->subject);
}
