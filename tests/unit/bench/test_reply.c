#include "tests/bench/endorse-bench/reply.h"
#include "tests/unit/check.h"

static enum reply_state read_all(const char *text, struct reply *reply)
{
	*reply = (struct reply){.status = 0};
	return reply_read(reply, view_str(text), 1000);
}

static void an_answer_is_whole_with_its_last_byte(void **state)
{
	static const char text[] = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
	struct reply reply = {.status = 0};

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++)
		assert_int_equal(REPLY_PART,
			reply_read(&reply, (struct view){(const uint8_t *)text, n}, 1000));
	assert_int_equal(REPLY_WHOLE, reply_read(&reply, view_str(text), 1000));
	assert_int_equal(200, reply.status);
	assert_int_equal(5, reply.body_n);
	assert_string_equal("hello", text + reply.head_n);
	assert_int_equal(-1, reply.retry_after_s);
	assert_false(reply.closes);
}

static void what_a_client_must_heed_is_read(void **state)
{
	struct reply reply;

	(void)state;
	assert_int_equal(
		REPLY_WHOLE, read_all("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\n"
				      "Connection: close\r\nContent-Length: 0\r\n\r\n",
				     &reply));
	assert_int_equal(503, reply.status);
	assert_int_equal(7, reply.retry_after_s);
	assert_true(reply.closes);
	assert_int_equal(REPLY_WHOLE,
		read_all("HTTP/1.1 503 x\r\nRetry-After: Fri, 01 Jan 2027 00:00:00 GMT\r\n"
			 "Content-Length: 0\r\n\r\n",
			&reply));
	assert_int_equal(-1, reply.retry_after_s);
	assert_int_equal(REPLY_WHOLE, read_all("HTTP/1.1 304 Not Modified\r\n\r\n", &reply));
}

static void what_cannot_be_read_is_bad(void **state)
{
	static const char *const bad[] = {"SSH-2.0-x\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n",
		"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "\r\n\r\n"};
	struct reply reply;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (read_all(bad[i], &reply) != REPLY_BAD)
			fail_msg("taken: %s", bad[i]);
}

static void a_head_has_an_end(void **state)
{
	AUTO(buf_free) struct buf text = BUF(1 << 20);
	struct reply reply;

	(void)state;
	buf_str(&text, "HTTP/1.1 200 OK\r\n");
	for (size_t i = 0; i < 2000; i++)
		buf_str(&text, "X-Padding: 1\r\n");
	assert_int_equal(REPLY_BAD, read_all(buf_text(&text), &reply));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_whole_with_its_last_byte),
		cmocka_unit_test(what_a_client_must_heed_is_read),
		cmocka_unit_test(what_cannot_be_read_is_bad),
		cmocka_unit_test(a_head_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
