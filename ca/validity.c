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

enum err validity_end(const X509 *cert, int64_t *out)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return fail(ERR_INTERNAL, "ca-certificate", "a certificate without a readable end");
	*out = timegm(&tm);
	return OK;
}
