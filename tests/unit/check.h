/* check.h - what the unit tests share: cmocka, and how a refusal is asserted. */
#pragma once

/* In front of cmocka.h, whose fail() stands in for err.h's from there on. */
#include "ca/base/buf.h"
#include "ca/base/err.h"
#include "ca/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The call succeeds; why it did not is shown. */
#define assert_ok(call)                                                                            \
	do {                                                                                       \
		if ((call) != OK)                                                                  \
			fail_msg("%s: %s: %s", #call, why()->code, why()->sentence);               \
	} while (0)

/* The call returns `wanted`, and why() gives `wanted_code`. */
#define assert_refused(call, wanted, wanted_code)                                                  \
	assert_refused_in(#call, (call), (wanted), (wanted_code))

/* The same for a row of a table; `name` leads the message. For OK the code is not looked at. */
#define assert_refused_in(name, call, wanted, wanted_code)                                         \
	do {                                                                                       \
		const enum err got_ = (call), wanted_ = (wanted);                                  \
		const char *code_ = got_ == OK ? "" : why()->code;                                 \
                                                                                                   \
		if (got_ != wanted_ || (got_ != OK && strcmp(code_, (wanted_code)) != 0))          \
			fail_msg("%s: wanted %d \"%s\", got %d \"%s\": %s", (name), (int)wanted_,  \
				(wanted_code), (int)got_, code_,                                   \
				got_ == OK ? "" : why()->sentence);                                \
	} while (0)

/* The same bytes, of the same number. */
#define assert_view_equal(a, b)                                                                    \
	do {                                                                                       \
		const struct view a_ = (a), b_ = (b);                                              \
                                                                                                   \
		assert_int_equal(a_.n, b_.n);                                                      \
		if (a_.n > 0)                                                                      \
			assert_memory_equal(a_.p, b_.p, a_.n);                                     \
	} while (0)

/* Appends the bytes that hexadecimal digits stand for. */
static inline void add_hex(struct buf *out, const char *hex)
{
	for (; *hex != '\0'; hex += 2) {
		const char pair[3] = {hex[0], hex[1], '\0'};
		char *end;

		buf_u8(out, (uint8_t)strtoul(pair, &end, 16));
		assert_true(end == pair + 2);
	}
}
