/* mem.h - who owns what: scopes that free, pointers that move, bytes that are only lent. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Frees at the end of the scope: `AUTO(csr_free) struct csr *csr = NULL;` */
#define AUTO(free_fn) __attribute__((cleanup(free_fn)))

/* Hands a pointer over and leaves NULL behind, so that AUTO has nothing to free. */
#define MOVE(p)                                                                                    \
	({                                                                                         \
		__typeof__(p) *from_ = &(p);                                                       \
		__typeof__(p) moved_ = *from_;                                                     \
		*from_ = NULL;                                                                     \
		moved_;                                                                            \
	})

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes that belong to somebody else and outlive the call they are given to. */
struct view {
	const uint8_t *p;
	size_t n;
};

#define VIEW(array) ((struct view){(const uint8_t *)(array), sizeof(array)})

/* A view of a C string's bytes, without its NUL; of NULL: the empty view. */
struct view view_str(const char *s);
/* Not in constant time, see secret_equal(). */
bool view_equal(struct view a, struct view b);

/* For secrets: takes as long whatever is equal. */
bool secret_equal(const uint8_t *a, const uint8_t *b, size_t n);
/* Overwrites a secret, also where the compiler sees that nobody will read it. */
void secret_wipe(void *p, size_t n);

/* For AUTO on anything that came from malloc(): `AUTO(mem_free) char *s`. Leaves NULL behind. */
void mem_free(void *address_of_pointer);

/* For AUTO on a file descriptor: closes it unless it is negative. Leaves -1 behind. */
void fd_close(int *fd);
