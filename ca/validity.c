#include "ca/validity.h"

#include "ca/base/clock.h"

enum err validity_set(X509 *cert, int64_t not_before, int64_t not_after)
{
	/* OpenSSL would write a year of five digits, which no GeneralizedTime has. */
	if (not_before > CLOCK_LAST || not_after > CLOCK_LAST ||
		ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)not_before) == NULL ||
		ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)not_after) == NULL)
		return fail(ERR_INTERNAL, "crypto", "cannot write a validity period");
	return OK;
}

bool validity_is_due(int64_t not_before, int64_t not_after, int64_t now)
{
	return not_after - now <= (not_after - not_before) / 3;
}
