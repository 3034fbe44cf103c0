/* ca.c - a CA is revoked: everything that it signed has to be reached. */
#include "enroll/proto/revocation.h"
#include "tests/bench/revocation/bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void look(struct revocation_status *status)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;

	httpc_get(&bed.world.services[0].admin, "/v1/admin/revocation", &answer);
	must(answer.status == 200, "%d %s", answer.status, buf_text(&answer.body));
	must(revocation_status_parse(buf_view(&answer.body), status) == OK, "%s", why()->sentence);
}

/* A line each five seconds; when the last certificate was reached, and when the last CRL was made. */
static void watch_progress(double begin, char *ca)
{
	static struct revocation_status status;
	double told = begin, reached = 0, asked, longest = 0;
	int64_t remaining = 1;

	for (bool is_done = false; !is_done;) {
		usleep(200000);
		asked = now();
		look(&status);
		longest = now() - asked > longest ? now() - asked : longest;
		remaining = 0;
		for (size_t i = 0; i < status.issuers_n; i++)
			if (strcmp(status.issuers[i].id, ca) == 0)
				remaining = status.issuers[i].remaining;
		is_done = remaining == 0 && status.crls_behind == 0;
		if (remaining == 0 && reached == 0)
			reached = now();
		if (now() - told < 5000 && !is_done)
			continue;
		told = now();
		printf("  after %5.1f s: %lld certificates to go, %lld of %lld CRLs behind\n",
			(told - begin) / 1e3, (long long)remaining, (long long)status.crls_behind,
			(long long)status.crls);
	}
	printf("  all recorded after %.1f s, published after %.1f s; asking how far it is took "
	       "%.0f ms at most\n",
		(reached - begin) / 1e3, (now() - begin) / 1e3, longest);
}

void bench_ca(void)
{
	AUTO(mem_free)
	char *ca = sql_text(bed.world.conninfo,
		"SELECT encode(issuer_id, 'hex') FROM issuer WHERE kind = 'x509'");
	AUTO(mem_free)
	char *json = text("{\"issuer\":\"%s\",\"reason\":\"keyCompromise\",\"why\":\"bench\"}", ca);
	AUTO(httpc_answer_free) struct httpc_answer answer;
	const char *serial = cell(ACTS + 2, SERIAL);
	struct httpc httpc;
	double begin, acted;

	must(httpc_open(&httpc, &bed.world.services[0].peer, 5000), "no connection");
	begin = now();
	post("/v1/admin/ca/revoke", json, &answer);
	acted = now();
	while (!says_revoked(&httpc, serial))
		must(now() - begin < 60000, "not heard of");
	printf("revoking the CA: answered in %.0f ms, OCSP says so after %.0f ms\n", acted - begin,
		now() - begin);
	httpc_close(&httpc);
	watch_progress(begin, ca);
	tell_shards("with all that they may ever hold", now() - begin);
}
