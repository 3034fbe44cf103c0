#include "ca/edwards.h"

#include "ca/base/ossl.h"

#include <openssl/err.h>
#include <string.h>

/* RFC 8032 5.1: p = 2^255 - 19, and the d of -x^2 + y^2 = 1 + d x^2 y^2. */
#define PRIME "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"
#define CURVE_D "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3"

/* The field, and what a key's y gives in it. */
struct field {
	BN_CTX *ctx;
	BIGNUM *p, *d, *y, *yy, *u, *v;
};

/* u = y^2 - 1 and v = d y^2 + 1: x^2 is u / v. */
static bool fill(struct field *f)
{
	return BN_mod_sqr(f->yy, f->y, f->p, f->ctx) == 1 &&
	       BN_mod_sub(f->u, f->yy, BN_value_one(), f->p, f->ctx) == 1 &&
	       BN_mod_mul(f->v, f->yy, f->d, f->p, f->ctx) == 1 &&
	       BN_mod_add(f->v, f->v, BN_value_one(), f->p, f->ctx) == 1;
}

/* Is there an x, so is u / v, or u v, a square? Where it is 0, so is x, and the order 1 or 2. */
static bool has_x(struct field *f, BIGNUM *uv)
{
	return BN_mod_mul(uv, f->u, f->v, f->p, f->ctx) == 1 && BN_kronecker(uv, f->p, f->ctx) == 1;
}

/* Of order 8 is what doubled has y = 0, which is of order 4: d y^4 + 2 y^2 - 1 = v y^2 + u = 0. */
static bool is_small(struct field *f, BIGNUM *sum)
{
	return BN_is_zero(f->y) || BN_mod_mul(sum, f->v, f->yy, f->p, f->ctx) != 1 ||
	       BN_mod_add(sum, sum, f->u, f->p, f->ctx) != 1 || BN_is_zero(sum);
}

static bool judge(struct field *f, const uint8_t y[static EDWARDS_SIZE])
{
	BIGNUM *spare = BN_CTX_get(f->ctx);

	f->p = BN_CTX_get(f->ctx);
	f->d = BN_CTX_get(f->ctx);
	f->y = BN_CTX_get(f->ctx);
	f->yy = BN_CTX_get(f->ctx);
	f->u = BN_CTX_get(f->ctx);
	f->v = BN_CTX_get(f->ctx);
	return f->v != NULL && BN_hex2bn(&f->p, PRIME) != 0 && BN_hex2bn(&f->d, CURVE_D) != 0 &&
	       BN_lebin2bn(y, EDWARDS_SIZE, f->y) != NULL && BN_cmp(f->y, f->p) < 0 && fill(f) &&
	       has_x(f, spare) && !is_small(f, spare);
}

bool edwards_is_key(struct view key)
{
	struct field f = {.ctx = BN_CTX_new()};
	uint8_t y[EDWARDS_SIZE];
	bool is;

	if (f.ctx == NULL || key.n != sizeof(y)) {
		BN_CTX_free(f.ctx);
		return false;
	}
	memcpy(y, key.p, sizeof(y));
	y[EDWARDS_SIZE - 1] &= 0x7f; /* the highest bit is x's */
	BN_CTX_start(f.ctx);
	is = judge(&f, y);
	BN_CTX_end(f.ctx);
	BN_CTX_free(f.ctx);
	ERR_clear_error();
	return is;
}
