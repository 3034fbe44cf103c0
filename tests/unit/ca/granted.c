#include "tests/unit/ca/granted.h"

#include "ca/key.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"

/* Bytes that stand for what a TPM said: the CA puts them in as they are. */
static const uint8_t granted_bytes[] = {0xff, 'T', 'C', 'G', 0x80, 0x17};
static const struct grant_evidence granted_evidence = {.name = VIEW(granted_bytes),
	.public = VIEW(granted_bytes),
	.attest = VIEW(granted_bytes),
	.signature = VIEW(granted_bytes),
	.ak_location = "https://ca.example.org/v1/certificates/00"};
static const struct grant_label granted_labels[] = {
	{"floor", "-12"}, {"note", "k\xc3\xbchl, trocken"}, {"rack", "7"}};
static const uint8_t granted_ek_digest[32] = {0xfb, 0xff, 0xfe};

void granted_make_by(const char *templates, const char *name, EVP_PKEY *key, struct granted *out)
{
	AUTO(problems_free) struct problems problems;
	AUTO(mem_free) char *dir = source_path(templates);

	*out = (struct granted){.bits = BUF(1024)};
	problems_init(&problems);
	if (templates_load(dir, &problems, &out->templates) != OK)
		fail_msg("%s", buf_text(&problems.text));
	out->tmpl = template_named(out->templates, name);
	assert_non_null(out->tmpl);
	out->grant = (struct grant){.template = name,
		.template_version = (unsigned)out->tmpl->version,
		.host = "web-01.example.org",
		.device_id = "0123456789abcdef0123456789abcdef",
		.trust_class = "manufacturer",
		.tpm_manufacturer = "id:00001014",
		.tpm_model = "swtpm",
		.tpm_version = "id:20191023",
		.organization = "Example",
		.ek_digest = granted_ek_digest,
		.ek_serial = "00c0ffee",
		.labels = granted_labels,
		.labels_n = COUNT(granted_labels)};
	assert_ok(key_public(key, &out->bits, &out->grant.key));
}

void granted_make(EVP_PKEY *key, struct granted *out)
{
	granted_make_by("templates", "ak", key, out);
}

void granted_make_everything(EVP_PKEY *key, struct granted *out)
{
	granted_make_by("tests/data/templates", "everything", key, out);
	out->grant.evidence = &granted_evidence;
}

void granted_free(struct granted *granted)
{
	templates_free(&granted->templates);
	buf_free(&granted->bits);
}
