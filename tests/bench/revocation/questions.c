/* questions.c - what admins look for, at the admin API. */
#include "tests/bench/revocation/bed.h"

#include <stdio.h>
#include <string.h>

/* %s in a path is the cell of that column; PAGES: goes on from page to page. */
enum { PAGES = -1, SAME = -2 };
static const struct {
	const char *what, *path;
	int column;
	size_t times;
} questions[] = {
	{"certificates, page after page", "/v1/admin/certificates?limit=50%s", PAGES, MOST},
	{"certificates, revoked, page after page",
		"/v1/admin/certificates?limit=50&state=revoked%s", PAGES, MOST},
	{"certificates, revoked, pages of 1000",
		"/v1/admin/certificates?limit=1000&state=revoked%s", PAGES, 90},
	{"certificates, valid, page after page", "/v1/admin/certificates?limit=50&state=valid%s",
		PAGES, MOST},
	{"certificates, expired (there are none)",
		"/v1/admin/certificates?limit=50&state=expired%s", PAGES, 40},
	{"certificates, of a template", "/v1/admin/certificates?limit=50&template=tls-server%s",
		PAGES, MOST},
	{"certificates, of a shard", "/v1/admin/certificates?limit=50&shard=%s", SHARD, MOST},
	{"certificates, revoked of a shard",
		"/v1/admin/certificates?limit=50&state=revoked&shard=%s", SHARD, MOST},
	{"certificates, of a name", "/v1/admin/certificates?host=%s", HOST, MOST},
	{"certificates, of a device", "/v1/admin/certificates?device=%s", DEVICE, MOST},
	{"certificates, of a site: *.site-7.example.org",
		"/v1/admin/certificates?limit=50&host=*.site-7.example.org%s", PAGES, MOST},
	{"certificates, node-12*", "/v1/admin/certificates?limit=50&host=node-12*%s", PAGES, MOST},
	{"certificate, shown whole", "/v1/admin/certificate?serial=%s", SERIAL, MOST},
	{"devices, page after page", "/v1/admin/devices?limit=50%s", PAGES, MOST},
	{"devices, by a certificate's serial", "/v1/admin/devices?serial=%s", SERIAL, MOST},
	{"devices, of a name", "/v1/admin/devices?host=%s", HOST, MOST},
	{"devices, *.site-7.example.org", "/v1/admin/devices?limit=50&host=*.site-7.example.org%s",
		PAGES, MOST},
	{"devices, of a label", "/v1/admin/devices?limit=50&label=site=s7%s", PAGES, MOST},
	{"devices, of a maker", "/v1/admin/devices?limit=50&manufacturer=id:4E544300%s", PAGES,
		MOST},
	{"devices, revoked", "/v1/admin/devices?limit=50&state=revoked%s", PAGES, MOST},
	{"device, shown whole", "/v1/admin/device?id=%s", DEVICE, MOST},
	{"hosts, page after page", "/v1/admin/hosts?limit=50%s", PAGES, MOST},
	{"audit, what people did", "/v1/admin/audit?limit=50&acts=yes%s", PAGES, MOST},
	{"what is to be published, of a device", "/v1/admin/revocation?device=%s", DEVICE, MOST},
	{"what is to be published, of all", "/v1/admin/revocation", SAME, MOST},
	{"statistics", "/v1/admin/statistics", SAME, MOST},
	{"/metrics", "/metrics", SAME, MOST},
	{"status", "/v1/admin/status", SAME, MOST},
	{"doctor", "/v1/admin/doctor", SAME, 20},
};

/* "" at the end. */
static void read_next(const struct httpc_answer *answer, char *out, size_t room)
{
	const char *at = strstr(buf_text(&answer->body), "\"next\"");

	out[0] = '\0';
	if (at == NULL || (at = strchr(at + 6, '"')) == NULL)
		return;
	snprintf(out, room, "&after=%.*s", (int)strcspn(at + 1, "\""), at + 1);
}

static void bench_question(size_t which)
{
	static double times[MOST];
	const int column = questions[which].column;
	const size_t n = questions[which].times;
	char after[512] = "";
	double middle;

	for (size_t i = 0; i < n; i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;
		AUTO(buf_free) struct buf path = BUF(1024);
		const char *before = strstr(questions[which].path, "%s"),
			   *with = column == PAGES  ? after
				   : column == SAME ? ""
						    : cell(ACTS + (long)i * 17, column);
		double begin;

		buf_fmt(&path, "%.*s%s",
			(int)(before == NULL ? strlen(questions[which].path)
					     : (size_t)(before - questions[which].path)),
			questions[which].path, with);
		begin = now();
		httpc_get(&bed.world.services[0].admin, buf_text(&path), &answer);
		times[i] = now() - begin;
		must(answer.status == 200, "%s: %d %s", buf_text(&path), answer.status,
			buf_text(&answer.body));
		read_next(&answer, after, sizeof(after));
	}
	middle = percentile(times, n, 50);
	printf("  %-46s %7.2f %7.2f   %.0f\n", questions[which].what, middle,
		percentile(times, n, 99), middle / bed.bare_read);
}

void bench_questions(void)
{
	printf("admin API, a connection for each: ms, p50 and p99, and p50 per row by its key\n");
	for (size_t i = 0; i < COUNT(questions); i++)
		bench_question(i);
}
