#include "enroll/flow/traffic.h"

#include "enroll/flow/exposition.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_says(struct traffic *traffic, const char *line)
{
	AUTO(buf_free) struct buf out = BUF(1 << 20);

	traffic_write(traffic, &out);
	assert_int_equal(OK, buf_ok(&out));
	if (strstr(buf_text(&out), line) == NULL)
		fail_msg("wanted %s in\n%s", line, buf_text(&out));
}

static size_t lines_with(struct traffic *traffic, const char *start)
{
	AUTO(buf_free) struct buf out = BUF(1 << 20);
	size_t n = 0;

	traffic_write(traffic, &out);
	for (const char *at = buf_text(&out); (at = strstr(at, start)) != NULL; at++)
		n += at == buf_text(&out) || at[-1] == '\n';
	return n;
}

static void each_answer_is_counted_by_route_outcome_and_reason(void **state)
{
	static const struct traffic_answer answers[] = {
		{"POST", "/v1/ticket", true, OK, "challenged", "", 10},
		{"POST", "/v1/enroll", true, OK, "issued", "", 10},
		{"POST", "/v1/enroll", true, OK, "", "", 10},
		{"POST", "/v1/enroll", true, ERR_PENDING, "held", "pending-approval", 10},
		{"POST", "/v1/enroll", true, ERR_DENIED, "", "name-not-allowed", 10},
		{"POST", "/v1/enroll", true, ERR_UNPROVEN, "", "ticket-expired", 10},
		{"POST", "/v1/enroll", true, ERR_BUSY, "", "database-busy", 10},
		{"GET", "/metrics", false, OK, "", "", 10},
	};
	static const char *const wanted[] = {
		"{route=\"/v1/ticket\",outcome=\"challenged\",reason=\"\"} 1\n",
		"{route=\"/v1/enroll\",outcome=\"issued\",reason=\"\"} 1\n",
		"{route=\"/v1/enroll\",outcome=\"done\",reason=\"\"} 1\n",
		"{route=\"/v1/enroll\",outcome=\"held\",reason=\"pending-approval\"} 1\n",
		"{route=\"/v1/enroll\",outcome=\"refused\",reason=\"name-not-allowed\"} 1\n",
		"{route=\"/v1/enroll\",outcome=\"failed\",reason=\"database-busy\"} 1\n",
		"endorse_tickets_refused_total{route=\"/v1/enroll\",reason=\"ticket-expired\"} 1\n",
		"_total{method=\"POST\",route=\"/v1/enroll\",status=\"200\"} 2\n",
		"_total{method=\"POST\",route=\"/v1/enroll\",status=\"202\"} 1\n",
		"_total{method=\"GET\",route=\"/metrics\",status=\"200\"} 1\n",
		"_count{method=\"POST\",route=\"/v1/enroll\"} 6\n",
	};
	AUTO(traffic_free) struct traffic *traffic = NULL;

	(void)state;
	assert_int_equal(OK, traffic_make(&traffic));
	for (size_t i = 0; i < COUNT(answers); i++)
		traffic_add(traffic, &answers[i]);
	for (size_t i = 0; i < COUNT(wanted); i++)
		assert_says(traffic, wanted[i]);
	assert_int_equal(7, lines_with(traffic, "endorse_enrollments_total{"));
	assert_int_equal(1, lines_with(traffic, "endorse_tickets_refused_total{"));
}

static void what_strangers_make_up_is_in_no_label(void **state)
{
	AUTO(traffic_free) struct traffic *traffic = NULL;
	char method[32];

	(void)state;
	assert_int_equal(OK, traffic_make(&traffic));
	for (int i = 0; i < 1000; i++) {
		snprintf(method, sizeof(method), "M%d", i);
		traffic_add(traffic, &(struct traffic_answer){.method = method,
					     .err = ERR_NOT_FOUND,
					     .outcome = "",
					     .reason = "route-unknown"});
	}
	assert_says(traffic,
		"endorse_http_requests_total{method=\"any\",route=\"none\",status=\"404\"} 1000\n");
	assert_int_equal(1, lines_with(traffic, "endorse_http_requests_total{"));
}

/* More than there is room for: nothing is lost, and nothing grows. */
static void what_is_beyond_the_room_is_counted_together(void **state)
{
	static char routes[300][16];
	AUTO(traffic_free) struct traffic *traffic = NULL;
	char reason[32];

	(void)state;
	assert_int_equal(OK, traffic_make(&traffic));
	for (int i = 0; i < 300; i++)
		snprintf(routes[i], sizeof(routes[i]), "/r%d", i);
	for (int i = 0; i < 3000; i++) {
		snprintf(reason, sizeof(reason), "r%d", i);
		traffic_add(traffic, &(struct traffic_answer){"GET", routes[i % 300], true,
					     ERR_DENIED, "", reason, 1});
	}
	assert_int_equal(512, lines_with(traffic, "endorse_enrollments_total{"));
	assert_int_equal(160, lines_with(traffic, "endorse_http_requests_total{"));
	assert_says(traffic, "{route=\"other\",outcome=\"other\",reason=\"other\"} 2489\n");
	assert_says(traffic, "{method=\"other\",route=\"other\",status=\"403\"} 1410\n");
}

static void a_label_cannot_end_its_line(void **state)
{
	AUTO(buf_free) struct buf out = BUF(256);

	(void)state;
	exposition_escape(&out, "CN=\"a\\b\"\n\xc3\xa4");
	assert_string_equal("CN=\\\"a\\\\b\\\"???", buf_text(&out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer_is_counted_by_route_outcome_and_reason),
		cmocka_unit_test(what_strangers_make_up_is_in_no_label),
		cmocka_unit_test(what_is_beyond_the_room_is_counted_together),
		cmocka_unit_test(a_label_cannot_end_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
