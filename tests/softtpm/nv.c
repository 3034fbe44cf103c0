#include "tests/softtpm/nv.h"

#define INDEX_MAX (1 << 16)
#define PADDING 64

void soft_nv_free(struct soft_nv *nv)
{
	for (size_t i = 0; i < nv->n; i++)
		buf_free(&nv->indices[i].content);
	*nv = (struct soft_nv){0};
}

static struct buf *content_of(struct soft_nv *nv, TPM2_HANDLE index)
{
	for (size_t i = 0; i < nv->n; i++)
		if (nv->indices[i].index == index)
			return &nv->indices[i].content;
	if (nv->n == SOFT_NV_INDICES)
		return NULL;
	nv->indices[nv->n].index = index;
	nv->indices[nv->n].content = BUF(INDEX_MAX);
	return &nv->indices[nv->n++].content;
}

bool soft_nv_write(struct soft_nv *nv, TPM2_HANDLE index, struct view bytes)
{
	struct buf *content = content_of(nv, index);

	if (content == NULL)
		return false;
	buf_free(content);
	buf_add(content, bytes);
	return !content->failed;
}

bool soft_nv_read(const struct soft_nv *nv, TPM2_HANDLE index, struct view *out)
{
	for (size_t i = 0; i < nv->n; i++)
		if (nv->indices[i].index == index) {
			*out = buf_view(&nv->indices[i].content);
			return true;
		}
	return false;
}

/* TCG_PCCLIENT_STORED_CERT: tag 1001, type 00, length, TCG_FULL_CERT 1002. */
static void add_header(struct buf *content, size_t n)
{
	static const uint8_t tag[] = {0x10, 0x01, 0x00}, full[] = {0x10, 0x02};

	buf_add(content, VIEW(tag));
	buf_u8(content, (uint8_t)((n + sizeof(full)) >> 8));
	buf_u8(content, (uint8_t)(n + sizeof(full)));
	buf_add(content, VIEW(full));
}

bool soft_nv_certificate(
	struct soft_nv *nv, enum soft_ek ek, struct view der, enum soft_padding padding)
{
	static const uint8_t bytes[] = {
		[SOFT_PADDED_FF] = 0xff, [SOFT_PADDED_00] = 0x00, [SOFT_PADDED_11] = 0x11};
	AUTO(buf_free) struct buf content = BUF(INDEX_MAX);

	if (padding == SOFT_HEADER)
		add_header(&content, der.n);
	buf_add(&content, der);
	for (size_t i = 0; i < PADDING && padding != SOFT_EXACT && padding != SOFT_HEADER; i++)
		buf_u8(&content, bytes[padding]);
	return !content.failed && soft_nv_write(nv, soft_ek_index(ek), buf_view(&content));
}

bool soft_nv_chain(struct soft_nv *nv, const struct view *ders, size_t n, size_t size)
{
	AUTO(buf_free) struct buf joined = BUF(1 << 20);
	TPM2_HANDLE index = SOFT_NV_CHAIN;

	for (size_t i = 0; i < n; i++)
		buf_add(&joined, ders[i]);
	for (size_t at = 0; at < joined.n; at += size, index++) {
		size_t left = joined.n - at;

		if (!soft_nv_write(
			    nv, index, (struct view){joined.p + at, left < size ? left : size}))
			return false;
	}
	return !joined.failed;
}
