/* vendors.h - what is known of manufacturers, for as long as anybody speaks of them. */
#pragma once

#include "ca/base/crypt.h"
#include "enroll/trust/vendor.h"

struct vendors; /* counted references; once filled it never changes */

/* None at all, of no version; NULL when there is no memory. */
struct vendors *vendors_make(void);
/* One reference more; for vendors_free(). */
struct vendors *vendors_share(struct vendors *vendors);
void vendors_free(struct vendors **vendors);

/* Takes the vendor over, of the folder of this name. ERR_INTERNAL "out-of-memory": it is still the caller's. */
CHECKED enum err vendors_add(struct vendors *vendors, const char *folder, struct vendor **vendor);

/*
 * Loads every vendor.yaml of a tree, DIR/VENDOR/vendor.yaml; one that is wrong is a problem and left out.
 * `*out` is the caller's, for vendors_free(). ERR_INTERNAL "vendors-directory" when there is no such tree.
 */
CHECKED enum err vendors_load(const char *dir, struct problems *problems, struct vendors **out);

/* Each of them, and the name of the folder that it was in; borrowed. */
size_t vendors_count(const struct vendors *vendors);
const struct vendor *vendors_at(const struct vendors *vendors, size_t i);
const char *vendors_folder(const struct vendors *vendors, size_t i);

#define VENDORS_VERSION_SIZE 32
/* The bundle's version, "" when there is no bundle. */
const char *vendors_version(const struct vendors *vendors);
void vendors_set_version(struct vendors *vendors, const char *version);

/* What is known against this manufacturer's firmware of this version; NULL: nothing. */
const struct vendor_firmware *vendors_firmware_find(
	const struct vendors *vendors, const char *manufacturer, const char *version);

/* SHA-256 over what is known against firmware, whatever the order of vendors. */
CHECKED enum err vendors_digest(const struct vendors *vendors, uint8_t out[static SHA256_SIZE]);
