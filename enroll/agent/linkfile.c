#include "enroll/agent/linkfile.h"

#include "ca/base/cert.h"
#include "ca/base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum err read_bytes(const char *dir, const char *name, struct buf *out)
{
	AUTO(mem_free) char *path = path_join(dir, name);

	return path == NULL ? fail(ERR_INTERNAL, "out-of-memory", "a path") : file_read(path, out);
}

/* The first certificate of a PEM file, as DER. */
static enum err read_certificate(const char *dir, const char *name, struct buf *out)
{
	AUTO(mem_free) char *path = path_join(dir, name);
	AUTO(x509_free) X509 *certificate = NULL;

	if (path == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "a path");
	TRY(cert_read(path, "pem-file", &certificate));
	return cert_der_add(certificate, out);
}

static enum err read_chain(const char *dir, struct linkage *out)
{
	AUTO(buf_free) struct buf pem = BUF(CERTS_MAX);
	AUTO(x509_stack_free) STACK_OF(X509) *read = NULL;
	size_t broken = 0;
	enum err err = read_bytes(dir, LINKFILE_CHAIN, &pem);

	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	TRY(certs_from_pem(buf_view(&pem), &read, &broken));
	if (broken > 0 || sk_X509_num(read) > LIMIT_INTERMEDIATES)
		return fail(ERR_INTERNAL, "pem-file",
			"%s/" LINKFILE_CHAIN ": a certificate that cannot be read, or more than %d",
			dir, LIMIT_INTERMEDIATES);
	for (int i = 0; i < sk_X509_num(read); i++)
		TRY(cert_der_add(
			sk_X509_value(read, i), &out->intermediates[out->intermediates_n++]));
	return OK;
}

static enum err read_directory(const char *dir, struct linkage *out)
{
	TRY(read_bytes(dir, LINKFILE_ATTEST, &out->attest));
	TRY(read_bytes(dir, LINKFILE_SIGNATURE, &out->signature));
	TRY(read_bytes(dir, LINKFILE_LOG, &out->log));
	TRY(read_certificate(dir, LINKFILE_AK, &out->ak_certificate));
	TRY(read_certificate(dir, LINKFILE_PROPERTY, &out->platform_property));
	return read_chain(dir, out);
}

enum err linkfile_read(const char *path, struct linkage *out)
{
	AUTO(buf_free) struct buf json = BUF(LINKAGE_MAX);

	linkage_init(out);
	if (is_directory(path))
		return read_directory(path, out);
	TRY(file_read(path, &json));
	return linkage_parse(buf_view(&json), out);
}

static enum err write_bytes(const char *dir, const char *name, struct view bytes)
{
	AUTO(mem_free) char *path = path_join(dir, name);

	if (path == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "a path");
	return file_replace(path, 0644, bytes);
}

static enum err write_certificates(
	const char *dir, const char *name, const struct buf *ders, size_t n)
{
	AUTO(buf_free) struct buf pem = BUF(CERTS_MAX);

	for (size_t i = 0; i < n; i++) {
		AUTO(x509_free) X509 *certificate = cert_from_der(buf_view(&ders[i]));

		if (certificate == NULL)
			return fail(ERR_INTERNAL, "pem-file", "a certificate cannot be read");
		TRY(cert_pem_add(certificate, &pem));
	}
	return write_bytes(dir, name, buf_view(&pem));
}

static enum err write_directory(const struct linkage *linkage, const char *dir)
{
	TRY(write_bytes(dir, LINKFILE_ATTEST, buf_view(&linkage->attest)));
	TRY(write_bytes(dir, LINKFILE_SIGNATURE, buf_view(&linkage->signature)));
	TRY(write_bytes(dir, LINKFILE_LOG, buf_view(&linkage->log)));
	TRY(write_certificates(dir, LINKFILE_AK, &linkage->ak_certificate, 1));
	TRY(write_certificates(dir, LINKFILE_PROPERTY, &linkage->platform_property, 1));
	return write_certificates(
		dir, LINKFILE_CHAIN, linkage->intermediates, linkage->intermediates_n);
}

enum err linkfile_write(const struct linkage *linkage, const char *path)
{
	AUTO(buf_free) struct buf json = BUF(LINKAGE_MAX);

	if (is_directory(path))
		return write_directory(linkage, path);
	TRY(linkage_encode(linkage, &json));
	buf_str(&json, "\n");
	TRY(buf_ok(&json));
	if (strcmp(path, "-") != 0)
		return file_replace(path, 0644, buf_view(&json));
	if (fputs(buf_text(&json), stdout) == EOF || fflush(stdout) != 0)
		return fail(ERR_INTERNAL, "file-write", "standard output: %s", strerror(errno));
	return OK;
}

static enum err read_one(const struct buf *der, X509 **out)
{
	*out = cert_from_der(buf_view(der));
	if (*out == NULL)
		return fail(ERR_MALFORMED, "linkage", "a certificate of it cannot be read");
	return OK;
}

void linkage_certificates_free(struct linkage_certificates *certificates)
{
	x509_free(&certificates->ak);
	x509_free(&certificates->property);
	x509_stack_free(&certificates->intermediates);
}

enum err linkage_certificates_read(const struct linkage *linkage, struct linkage_certificates *out)
{
	*out = (struct linkage_certificates){.intermediates = sk_X509_new_null()};
	if (out->intermediates == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "certificates");
	TRY(read_one(&linkage->ak_certificate, &out->ak));
	TRY(read_one(&linkage->platform_property, &out->property));
	for (size_t i = 0; i < linkage->intermediates_n; i++) {
		AUTO(x509_free) X509 *certificate = NULL;

		TRY(read_one(&linkage->intermediates[i], &certificate));
		if (sk_X509_push(out->intermediates, certificate) <= 0)
			return fail(ERR_INTERNAL, "out-of-memory", "certificates");
		certificate = NULL;
	}
	return OK;
}
