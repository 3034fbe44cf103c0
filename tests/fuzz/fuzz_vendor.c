/* fuzz_vendor.c - vendor.yaml of a manufacturer, from a file without a name. */
#include "tests/fuzz/target.h"

#include "enroll/trust/vendor.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(fd_close) int fd = memfd_create("vendor", MFD_CLOEXEC);
	AUTO(vendor_free) struct vendor *vendor = NULL;
	AUTO(problems_free) struct problems problems;
	char path[64];

	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	problems_init(&problems);
	if ((vendor_load(path, &problems, &vendor) == OK) != (problems.n == 0))
		abort();
	if (vendor != NULL && vendor_vouches_for(vendor, "root.pem", ""))
		abort();
	if (vendor != NULL)
		(void)vendor_firmware_find(vendor, "id:0005003d");
	return 0;
}
