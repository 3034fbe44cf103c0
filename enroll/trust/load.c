#include "enroll/trust/load.h"

#include "ca/base/cert.h"
#include "ca/base/file.h"
#include "ca/base/folder.h"
#include "enroll/trust/certfile.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CERTIFICATES_MAX (1 << 20) /* bytes of a file */
#define CRLS_MAX (16 << 20)

/* What a directory is being loaded into, and as what. */
struct loading {
	struct trust *trust;
	const struct trust_teller *teller;
	struct trust_item what; /* without the DER */
	const struct vendor *vendor; /* of the anchors that are being loaded */
	const char *path; /* of the file that is being read */
	size_t n; /* what had a place in the set, also one that was there */
};

enum err trust_takes(enum trust_role role, X509 *cert)
{
	char name[256];

	if (X509_check_ca(cert) == 1)
		return OK;
	if (role == TRUST_INTERMEDIATE && (X509_get_extension_flags(cert) & EXFLAG_KUSAGE) != 0 &&
		(X509_get_key_usage(cert) & KU_CRL_SIGN) != 0)
		return OK;
	name_text(X509_get_subject_name(cert), name, sizeof(name));
	return fail(ERR_INTERNAL, "trust-role", "\"%.200s\" is no CA certificate: it can be no %s",
		name, role == TRUST_ROOT ? "root" : "intermediate");
}

/* certificate_each() calls this for every certificate of a file. */
static enum err add_certificate(void *ctx, X509 *cert)
{
	struct loading *loading = ctx;

	if (trust_takes(loading->what.role, cert) != OK) {
		trust_tell(loading->teller, loading->path, "%s", why()->sentence);
		return OK;
	}
	TRY(trust_keep(loading->trust, &loading->what, cert, NULL));
	loading->n++;
	return OK;
}

static enum err add_crl(void *ctx, X509_CRL *crl)
{
	struct loading *loading = ctx;
	struct trust_item what = loading->what;

	/* Of a CRL the file matters: it is what an operator replaces. */
	what.source = loading->path;
	return trust_keep(loading->trust, &what, NULL, crl);
}

static enum err load_file(struct loading *loading, const char *path)
{
	bool is_crl = loading->what.role == TRUST_CRL;
	AUTO(buf_free) struct buf bytes = BUF(is_crl ? CRLS_MAX : CERTIFICATES_MAX);
	enum err err = file_read(path, &bytes);

	loading->path = path;
	if (err == OK)
		err = is_crl ? crl_each(buf_view(&bytes), add_crl, loading)
			     : certificate_each(buf_view(&bytes), add_certificate, loading);
	if (err == ERR_INTERNAL && strcmp(why()->code, "file-read") != 0)
		return err;
	if (err != OK)
		trust_tell(loading->teller, path, "%s", why()->sentence);
	return OK;
}

/* Calls `each` with each entry, in order. */
static enum err each_entry(const char *dir,
	enum err (*each)(struct loading *loading, const struct folder_entry *entry),
	struct loading *loading)
{
	AUTO(folder_free) struct folder folder;

	if (folder_read(dir, &folder) != OK)
		return fail(ERR_INTERNAL, "trust-directory", "%s", why()->sentence);
	for (size_t i = 0; i < folder.n; i++)
		TRY(each(loading, &folder.entry[i]));
	return OK;
}

static enum err load_entry(struct loading *loading, const struct folder_entry *entry)
{
	return load_file(loading, entry->path);
}

/* "id:49465800,id:53544D20", as struct trust_item has them. */
static enum err join(const struct yaml_list *list, struct buf *out)
{
	char *const *id = list->item;

	for (size_t i = 0; i < list->n; i++)
		buf_fmt(out, "%s%s", i > 0 ? "," : "", id[i]);
	return buf_ok(out);
}

/* Each by its file, for one anchor may vouch for others than its vendor's other anchors do. */
static enum err load_anchor(struct loading *loading, const struct folder_entry *entry)
{
	const char *dot = strrchr(entry->name, '.');
	AUTO(buf_free) struct buf manufacturers = BUF(1024);
	const char *before = loading->what.manufacturers;
	enum err err;

	if (dot == NULL || strcmp(dot, ".pem") != 0)
		return OK;
	TRY(join(vendor_manufacturers(loading->vendor, entry->name), &manufacturers));
	loading->what.manufacturers = buf_text(&manufacturers);
	err = load_file(loading, entry->path);
	loading->what.manufacturers = before;
	return err;
}

static enum err load_anchors(struct loading *loading, const struct folder_entry *folder)
{
	const char *before = loading->what.source;
	char source[64];
	enum err err;

	snprintf(source, sizeof(source), "%.32s, vendors %.20s", folder->name,
		vendors_version(loading->trust->vendors));
	loading->what.source = source;
	err = each_entry(folder->path, load_anchor, loading);
	loading->what.source = before;
	return err;
}

/* Without its constraints a vendor's roots would vouch for anybody: it is all of it or nothing. */
static enum err load_vendor(struct loading *loading, const struct folder_entry *folder)
{
	const char *dir = folder->path;
	AUTO(mem_free) char *path = path_join(dir, "vendor.yaml");
	AUTO(problems_free) struct problems problems;
	AUTO(vendor_free) struct vendor *vendor = NULL;
	struct stat st;

	problems_init(&problems);
	if (path == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "trust_load");
	if (stat(dir, &st) == 0 && !S_ISDIR(st.st_mode))
		return OK; /* VERSION, SOURCES */
	if (vendor_load(path, &problems, &vendor) != OK) {
		trust_tell(loading->teller, dir, "none of this vendor's roots is taken: %s",
			problems.n > 0 ? buf_text(&problems.text) : why()->sentence);
		return OK;
	}
	loading->vendor = vendor;
	TRY(load_anchors(loading, folder));
	return vendors_add(loading->trust->vendors, folder->name, &vendor);
}

static void read_version(struct loading *loading, const char *dir)
{
	AUTO(mem_free) char *path = path_join(dir, "VERSION");
	AUTO(buf_free) struct buf text = BUF(VENDORS_VERSION_SIZE);
	bool is_read = path != NULL && file_read(path, &text) == OK && text.n > 0;

	if (!is_read)
		trust_tell(loading->teller, dir, "these vendors have no VERSION that can be read");
	else
		text.p[strcspn((const char *)text.p, " \r\n")] = '\0';
	vendors_set_version(loading->trust->vendors, is_read ? (const char *)text.p : "unknown");
}

static enum err load_vendors(struct loading *loading, const char *dir)
{
	if (loading->trust->vendors == NULL && (loading->trust->vendors = vendors_make()) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "trust_load");
	read_version(loading, dir);
	return each_entry(dir, load_vendor, loading);
}

static enum err load_as(struct loading *loading, enum trust_role role, const char *dir)
{
	loading->what.role = role;
	return dir == NULL ? OK : each_entry(dir, load_entry, loading);
}

enum err trust_load_source(
	struct trust *trust, const struct trust_source *source, const struct trust_teller *teller)
{
	struct loading loading = {.trust = trust,
		.teller = teller,
		.what = {.class = source->class,
			.manufacturers = source->manufacturers,
			.source = source->name}};

	if (source->vendors != NULL)
		TRY(load_vendors(&loading, source->vendors));
	TRY(load_as(&loading, TRUST_ROOT, source->roots));
	if (loading.n == 0)
		return fail(ERR_INTERNAL, "trust-empty",
			"trust source \"%s\": %s holds no root certificate", source->name,
			source->vendors != NULL ? source->vendors : source->roots);
	TRY(load_as(&loading, TRUST_INTERMEDIATE, source->intermediates));
	return load_as(&loading, TRUST_CRL, source->crls);
}
