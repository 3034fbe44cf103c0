#include "tests/unit/tpm/scratch.h"

#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "tests/unit/check.h"

#include <ftw.h>
#include <openssl/pem.h>
#include <unistd.h>

char *scratch_make(void)
{
	const char *base = getenv("TMPDIR");
	char *dir = NULL;

	assert_true(asprintf(&dir, "%s/endorse-unit-XXXXXX", base == NULL ? "/tmp" : base) > 0);
	assert_non_null(mkdtemp(dir));
	return dir;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void scratch_remove(char **dir)
{
	if (*dir != NULL)
		nftw(*dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(*dir);
	*dir = NULL;
}

void scratch_put(const char *dir, const char *name, struct view bytes)
{
	AUTO(mem_free) char *path = path_join(dir, name);

	assert_ok(file_replace(path, 0644, bytes));
}

void scratch_pem(const char *dir, const char *name, STACK_OF(X509) *certificates)
{
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	uint8_t *pem = NULL;
	long n;

	for (int i = 0; i < sk_X509_num(certificates); i++)
		assert_int_equal(1, PEM_write_bio_X509(bio, sk_X509_value(certificates, i)));
	n = BIO_get_mem_data(bio, &pem);
	scratch_put(dir, name, (struct view){pem, (size_t)n});
}
