/* fuzz_template.c - a certificate template, alone in its directory, and what it makes of a device. */
#include "tests/fuzz/target.h"

#include "ca/base/ossl.h"
#include "ca/extra.h"
#include "ca/san.h"
#include "ca/subject.h"
#include "ca/template.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[] = "/tmp/endorse-fuzz.XXXXXX";
static char path[sizeof(dir) + 16];

static void clean(void)
{
	unlink(path);
	rmdir(dir);
}

static const uint8_t digest[32] = {0xfb, 0xff};
static const struct grant_label labels[] = {{"a", "1"}, {"b", "x, CN=y"}, {"c", "\xc3\xa4"}};
static const struct grant grant = {.template = "it",
	.host = "web-01.example.org",
	.device_id = "0123456789abcdef0123456789abcdef",
	.trust_class = "manufacturer",
	.tpm_manufacturer = "id:49465800",
	.tpm_model = "SLB 9670",
	.tpm_version = "id:00010002",
	.organization = "S\xc3\xb6hne",
	.ek_digest = digest,
	.ek_serial = "00c0ffee",
	.labels = labels,
	.labels_n = COUNT(labels)};

/* Whatever stands in the template, what is built can be written, and has no more names than it. */
static void build(const struct template *tmpl)
{
	const struct template_extension *extension = tmpl->extensions.item;
	AUTO(san_free) GENERAL_NAMES *names = NULL;
	AUTO(x509_free) X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);

	if (subject_build(&tmpl->subject, false, &grant, subject) == OK &&
		(X509_NAME_entry_count(subject) != (int)tmpl->subject.n ||
			i2d_X509_NAME(subject, NULL) <= 0))
		abort();
	if (san_build(&tmpl->san, &grant, &names) == OK &&
		(sk_GENERAL_NAME_num(names) > (int)tmpl->san.names.n ||
			i2d_GENERAL_NAMES(names, NULL) <= 0))
		abort();
	for (size_t i = 0; i < tmpl->extensions.n; i++) {
		const int before = X509_get_ext_count(cert);

		if (extra_add(cert, &extension[i], &grant) == OK &&
			X509_get_ext_count(cert) != before + 1)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(templates_free) struct templates *templates = NULL;
	AUTO(problems_free) struct problems problems;
	AUTO(fd_close) int fd = -1;

	if (path[0] == '\0') {
		if (mkdtemp(dir) == NULL || atexit(clean) != 0)
			abort();
		snprintf(path, sizeof(path), "%s/it.yaml", dir);
	}
	/* Another file each time: some file systems wait for the disk when one is written anew. */
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	problems_init(&problems);
	if ((templates_load(dir, &problems, &templates) == OK) != (problems.n == 0))
		abort();
	if (problems.n == 0 && template_kind(template_at(templates, 0)) == TEMPLATE_X509)
		build(template_at(templates, 0));
	return 0;
}
