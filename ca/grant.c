#include "ca/grant.h"

/* Each part is led by its length, so that no two different grants run together to the same bytes. */
static void add(struct buf *all, struct view part)
{
	buf_be64(all, part.n);
	buf_add(all, part);
}

enum err grant_digest(const struct grant *grant, uint8_t out[static SHA256_SIZE])
{
	AUTO(buf_free) struct buf all = BUF(1 << 14);
	const struct view none = {0};

	add(&all, view_str(grant->template));
	buf_be64(&all, grant->template_version);
	add(&all, view_str(grant->key.curve));
	add(&all, grant->key.bits);
	add(&all, view_str(grant->host));
	add(&all, view_str(grant->device_id));
	add(&all, view_str(grant->trust_class));
	add(&all, view_str(grant->tpm_manufacturer));
	add(&all, view_str(grant->tpm_model));
	add(&all, view_str(grant->tpm_version));
	add(&all, view_str(grant->organization));
	add(&all, (struct view){grant->ek_digest, grant->ek_digest == NULL ? 0 : SHA256_SIZE});
	add(&all, view_str(grant->ek_serial));
	for (size_t i = 0; i < grant->labels_n; i++) {
		add(&all, view_str(grant->labels[i].name));
		add(&all, view_str(grant->labels[i].value));
	}
	add(&all, grant->evidence == NULL ? none : grant->evidence->name);
	TRY(buf_ok(&all));
	return SHA256_OF(out, buf_view(&all));
}
