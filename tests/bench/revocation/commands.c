/* commands.c - endorsectl among very many certificates: time and memory. */
#include "tests/bench/revocation/bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void bench_command(const char *what, const char *const *words)
{
	AUTO(mem_free) char *program = text("%s/endorsectl", ENDORSE_BIN_DIR);
	AUTO(mem_free) char *admin = text("http://127.0.0.1:%d", bed.world.services[0].admin_port);
	AUTO(mem_free) char *token = text("%s/admin.token", bed.world.dir);
	AUTO(mem_free) char *log = text("%s/command.log", bed.world.dir);
	const char *argv[16] = {program};
	double begin = now();
	struct rusage usage;
	int n = 1, status;
	pid_t pid;

	while (*words != NULL)
		argv[n++] = *words++;
	argv[n++] = "--admin";
	argv[n++] = admin;
	argv[n++] = "--token-file";
	argv[n++] = token;
	pid = process_start(&(struct program){.argv = argv, .log = log});
	must(wait4(pid, &status, 0, &usage) == pid && status == 0, "%s: see %s", what, log);
	printf("endorsectl %s: %.2f s, %.2f s of CPU, %.0f MB\n", what, (now() - begin) / 1e3,
		(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
		(double)usage.ru_maxrss / 1024);
}

void bench_commands(void)
{
	AUTO(mem_free) char *csv = text("%s/certificates.csv", bed.world.dir);
	AUTO(mem_free) char *jsonl = text("%s/certificates.jsonl", bed.world.dir);
	AUTO(mem_free) char *devices = text("%s/devices.csv", bed.world.dir);
	AUTO(mem_free) char *crls = text("%s/crls", bed.world.dir);
	double begin;

#define COMMAND(what, ...) bench_command(what, (const char *const[]){__VA_ARGS__, NULL})
	COMMAND("status", "status");
	COMMAND("revoke device --wait", "revoke", "device", "--host", cell(ACTS + 1, HOST),
		"--reason", "keyCompromise", "--why", "bench", "--wait");
	MUST_RUN("mkdir", crls);
	COMMAND("crl export", "crl", "export", crls);
	COMMAND("export certificates, CSV", "export", "certificates", "--out", csv);
	tell_memory("after an export");
	COMMAND("export certificates, JSON lines", "export", "certificates", "--format", "jsonl",
		"--out", jsonl);
	COMMAND("export devices, CSV", "export", "devices", "--out", devices);
	begin = now();
	free(sql_text(bed.world.conninfo,
		"COPY (SELECT encode(serial, 'hex'), kind, template, template_version, host, "
		"device_id,"
		" issued_at, not_before, not_after, revoked_at, revocation_reason, "
		"encode(issuer, 'hex'), shard FROM certificate ORDER BY issued_at DESC, serial "
		"DESC) TO '/dev/null'"));
	printf("the same certificates by COPY at the database alone: %.2f s\n",
		(now() - begin) / 1e3);
}
