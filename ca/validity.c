#include "ca/validity.h"

#include "ca/base/clock.h"

#include <time.h>

enum err validity_set(X509 *cert, int64_t not_before, int64_t not_after)
{
	/* OpenSSL would write a year of five digits, which no GeneralizedTime has. */
	if (not_before > CLOCK_LAST || not_after > CLOCK_LAST ||
		ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)not_before) == NULL ||
		ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)not_after) == NULL)
		return fail(ERR_INTERNAL, "crypto", "cannot write a validity period");
	return OK;
}

static enum err read_time(const ASN1_TIME *time, int64_t *out)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return fail(ERR_INTERNAL, "ca-certificate", "a certificate without readable dates");
	*out = timegm(&tm);
	return OK;
}

enum err validity_begin(const X509 *cert, int64_t *out)
{
	return read_time(X509_get0_notBefore(cert), out);
}

enum err validity_end(const X509 *cert, int64_t *out)
{
	return read_time(X509_get0_notAfter(cert), out);
}
