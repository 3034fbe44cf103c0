/* vendor.h - a TPM manufacturer of the bundle: whom its anchors may vouch for, what is known of it. */
#pragma once

#include "ca/base/yaml.h"

/*
 * Versions are what EK certificates say of the TPM, "id:" and hexadecimal digits (EK Credential
 * Profile 3.1.2): four of each half, or two as older certificates have them. "id:053E" and
 * "id:0005003e" are both 5.62. An EK certificate keeps the version of the day it was made.
 */
struct vendor_firmware {
	char *from, *to; /* both inclusive */
	char *reference; /* "CVE-2017-15361" */
	char *note; /* NULL: none; short, so that no remark of it is cut (struct trust_verdict) */
	struct yaml_mark mark;
};

/* An anchor that may vouch for others than its vendor's other anchors do. */
struct vendor_anchor {
	char *file; /* a name in the vendor's directory */
	struct yaml_list manufacturers; /* of char * */
	char *note; /* NULL: none */
	struct yaml_mark mark;
};

struct vendor {
	char *name; /* for people */
	struct yaml_list manufacturers; /* of char *: "id:49465800", as in EK certificates */
	struct yaml_list use; /* of char *: "ek" */
	struct yaml_list names; /* of char *: O or CN by which an imported root is known as its */
	struct yaml_list firmware; /* of struct vendor_firmware */
	struct yaml_list notes; /* of char * */
	struct yaml_list anchors; /* of struct vendor_anchor */
	struct yaml_mark mark;
};

/*
 * Loads one vendor.yaml; what is wrong is added to `problems`. An anchor that it names must lie
 * beside it. `*out` is the caller's, for vendor_free(). ERR_MALFORMED "yaml" with any problem, or
 * the error of file_read().
 */
CHECKED enum err vendor_load(const char *path, struct problems *problems, struct vendor **out);
void vendor_free(struct vendor **vendor);

/*
 * The first entry that has the version; NULL when nothing is known against it, also when it is not
 * written as versions are, or NULL.
 */
const struct vendor_firmware *vendor_firmware_find(
	const struct vendor *vendor, const char *version);

/*
 * Whom the anchor in this file may vouch for: a list of char *. The file goes by its name, whatever
 * directory is in front; NULL: the vendor's anchors in general.
 */
const struct yaml_list *vendor_manufacturers(const struct vendor *vendor, const char *anchor_file);

/* Is `manufacturer`, the EK certificate's, one of these? Letters of either case are the same. */
bool vendor_vouches_for(
	const struct vendor *vendor, const char *anchor_file, const char *manufacturer);

/* Is a root with this O or CN the vendor's? Letters of either case are the same. */
bool vendor_has_name(const struct vendor *vendor, const char *organization_or_cn);
