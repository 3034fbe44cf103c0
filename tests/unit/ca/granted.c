#include "tests/unit/ca/granted.h"

#include "ca/key.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"

void granted_make(EVP_PKEY *key, struct granted *out)
{
	AUTO(problems_free) struct problems problems;
	AUTO(mem_free) char *dir = source_path("templates");

	*out = (struct granted){.bits = BUF(1024)};
	problems_init(&problems);
	assert_ok(templates_load(dir, &problems, &out->templates));
	out->tmpl = template_named(out->templates, "ak");
	out->grant = (struct grant){.template = "ak",
		.template_version = (unsigned)out->tmpl->version,
		.host = "web-01.example.org",
		.device_id = "0123456789abcdef0123456789abcdef",
		.trust_class = "manufacturer",
		.tpm_manufacturer = "id:00001014",
		.tpm_model = "swtpm",
		.tpm_version = "id:20191023"};
	assert_ok(key_public(key, &out->bits, &out->grant.key));
}

void granted_free(struct granted *granted)
{
	templates_free(&granted->templates);
	buf_free(&granted->bits);
}
