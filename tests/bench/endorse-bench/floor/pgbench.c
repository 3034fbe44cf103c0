#include "tests/bench/endorse-bench/floor/pgbench.h"

#include "ca/base/encode.h"
#include "tests/bench/endorse-bench/floor/cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS "8" /* as many connections as a service has */

struct pgbench {
	pid_t pid; /* -1: it has ended */
	int script, words; /* memory files: what it runs, what it said */
};

/* One number makes a device; pgbench has no bytes of its own. */
#define DIGEST "sha256(int8send(:n::bigint))"
#define DEVICE "md5(:n)::uuid"
#define HOST "'b-' || :n || '.example.test'"
#define AK "'\\x000b' || " DIGEST
#define SERIAL "substr(" DIGEST ", 1, 16)"
#define VERSION "'5f1d6b1c0e4a49c7a87a2f0d3f1f2b9d5f1d6b1c0e4a49c7a87a2f0d3f1f2b9d'"

/*
 * The first trip: are EK, AK, name and ticket known, is the name barred, is the EK registered? The
 * second one: what an enrollment leaves, in the product's tables, in the order of db/enrollment.c.
 */
static const char script[] =
	"\\set n random(1, 4611686018427387904)\n"
	"\\startpipeline\n"
	"SELECT (SELECT device_id FROM ek WHERE ek_digest = " DIGEST "),"
	" (SELECT state FROM ak WHERE name = " AK "),"
	" (SELECT device_id FROM host WHERE name = " HOST "),"
	" (SELECT request_digest FROM ticket WHERE ticket_digest = " DIGEST "),"
	" (SELECT at FROM host_barred WHERE name = " HOST "),"
	" (SELECT host FROM ek_allowed WHERE ek_digest = " DIGEST ");\n"
	"\\endpipeline\n"
	"\\startpipeline\n"
	"INSERT INTO device (device_id, created_at, last_success_at, manufacturer, model, version,"
	" trust_class, trust_source, trust_version) VALUES (" DEVICE ", now(), now(),"
	" 'id:00001014', 'swtpm', 'id:20191023', 'manufacturer', 'fleet', " VERSION ");\n"
	"INSERT INTO ek (ek_digest, device_id, kind, certificate, created_at, public)"
	" VALUES (" DIGEST ", " DEVICE ", 'rsa2048', :certificate::bytea, now(), :ek::bytea);\n"
	"INSERT INTO host (name, device_id, alias, bound_at)"
	" VALUES (" HOST ", " DEVICE ", false, now());\n"
	"INSERT INTO ak (name, device_id, public, kind, created_at, ek_digest, proven_at)"
	" VALUES (" AK ", " DEVICE ", :ak::bytea, 'p256', now(), " DIGEST ", now());\n"
	"INSERT INTO certificate (serial, device_id, host, binding, ak_name, template,"
	" template_version, grant_digest, place, der, not_before, not_after, issued_at,"
	" trust_version, policy_version, kind, key_kind, key_sha256, issuer, shard)"
	" VALUES (" SERIAL ", " DEVICE ", " HOST ", (SELECT binding FROM host WHERE name = " HOST
	"), " AK ", 'ak', 2, " DIGEST ", 0, int8send(:n::bigint) || :der::bytea, now(),"
	" now() + interval '90 days', now(), " VERSION ", " VERSION ", 'x509', 'ak', " DIGEST
	", decode(repeat('ab', 32), 'hex'), nextval('crl_place') / 1000);\n"
	"INSERT INTO ticket (ticket_digest, request_digest, device_id, host, ak_name, serials,"
	" used_at) VALUES (" DIGEST ", " DIGEST ", " DEVICE ", " HOST ", " AK ", ARRAY[" SERIAL
	"], now());\n"
	"INSERT INTO audit (at, event, device_id, ek_digest, host, serials, client_address,"
	" request_id, trust_version, policy_version) VALUES (now(), 'enroll.issued', " DEVICE
	", " DIGEST ", " HOST ", ARRAY[" SERIAL "], '127.0.1.1', '0123456789abcdef', " VERSION
	", " VERSION ");\n"
	"\\endpipeline\n";

/* Bytes as long as they are in an enrollment; random ones, for PostgreSQL compresses others. */
static const struct {
	const char *name;
	size_t n;
} bytes[] = {{"certificate", 1000}, {"ek", 316}, {"ak", 90}, {"der", 740}};

static enum err define(size_t i, struct buf *out)
{
	uint8_t random[1024];

	if (RAND_bytes(random, (int)bytes[i].n) != 1)
		return fail(ERR_INTERNAL, "random", "RAND_bytes");
	buf_fmt(out, "%s=\\x", bytes[i].name);
	hex_add(out, (struct view){random, bytes[i].n});
	return buf_ok(out);
}

static void run(const struct pgbench *pgbench, const char *const *argv, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY);

	/* Nobody else would let it go on, or end it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null < 0)
		_exit(126);
	dup2(null, STDIN_FILENO);
	dup2(pgbench->words, STDOUT_FILENO);
	dup2(pgbench->words, STDERR_FILENO);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static enum err start(struct pgbench *pgbench, const char *program, const char *conninfo)
{
	struct buf values[COUNT(bytes)] = {BUF(4096), BUF(4096), BUF(4096), BUF(4096)};
	char path[32];
	pid_t parent = getpid();
	enum err err = OK;

	snprintf(path, sizeof(path), "/dev/fd/%d", pgbench->script);
	for (size_t i = 0; i < COUNT(bytes) && err == OK; i++)
		err = define(i, &values[i]);
	if (err == OK && (pgbench->pid = fork()) == 0)
		run(pgbench,
			(const char *const[]){program, "-n", "-M", "prepared", "-c", CLIENTS, "-T",
				"1000000", "-f", path, "-D", buf_text(&values[0]), "-D",
				buf_text(&values[1]), "-D", buf_text(&values[2]), "-D",
				buf_text(&values[3]), conninfo, NULL},
			parent);
	for (size_t i = 0; i < COUNT(bytes); i++)
		buf_free(&values[i]);
	if (err == OK && pgbench->pid < 0)
		err = fail(ERR_INTERNAL, "floor-pgbench", "fork: %s", strerror(errno));
	return err;
}

enum err pgbench_start(const char *conninfo, struct pgbench **out)
{
	AUTO(mem_free) char *program = NULL;
	struct pgbench *pgbench = calloc(1, sizeof(*pgbench));

	if (pgbench == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "pgbench_start");
	*out = pgbench;
	pgbench->pid = -1;
	pgbench->script = memfd_create("floor", 0); /* which pgbench inherits */
	pgbench->words = memfd_create("words", MFD_CLOEXEC);
	if (pgbench->script < 0 || pgbench->words < 0 ||
		write(pgbench->script, script, strlen(script)) != (ssize_t)strlen(script) ||
		lseek(pgbench->script, 0, SEEK_SET) != 0)
		return fail(ERR_INTERNAL, "floor-pgbench", "memfd_create: %s", strerror(errno));
	TRY(floor_cluster_program("pgbench", &program));
	return start(pgbench, program, conninfo);
}

void pgbench_free(struct pgbench **pgbench)
{
	if (*pgbench != NULL) {
		if ((*pgbench)->pid > 0) {
			kill((*pgbench)->pid, SIGKILL);
			while (waitpid((*pgbench)->pid, NULL, 0) < 0 && errno == EINTR)
				;
		}
		fd_close(&(*pgbench)->script);
		fd_close(&(*pgbench)->words);
	}
	free(*pgbench);
	*pgbench = NULL;
}

static enum err ended(struct pgbench *pgbench)
{
	char words[400];
	ssize_t n = pread(pgbench->words, words, sizeof(words) - 1, 0);

	pgbench->pid = -1;
	words[n > 0 ? n : 0] = '\0';
	return fail(ERR_INTERNAL, "floor-pgbench", "pgbench has ended: %s", words);
}

static enum err tell(struct pgbench *pgbench, int signal)
{
	if (pgbench->pid < 0 || waitpid(pgbench->pid, NULL, WNOHANG) == pgbench->pid)
		return ended(pgbench);
	kill(pgbench->pid, signal);
	return OK;
}

enum err pgbench_run(struct pgbench *pgbench, unsigned ms)
{
	TRY(tell(pgbench, SIGCONT));
	usleep(ms * 1000);
	return OK;
}

enum err pgbench_stop(struct pgbench *pgbench)
{
	return tell(pgbench, SIGSTOP);
}
