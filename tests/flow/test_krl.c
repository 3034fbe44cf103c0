/* test_krl.c - what is revoked is refused by sshd and ssh, by the list that `endorse krl-sync` keeps. */
#include "ca/base/file.h"
#include "ca/krl.h"
#include "ca/sshsig.h"
#include "enroll/proto/problem.h"
#include "tests/flow/agent.h"
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/twohosts.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* From a revocation on. PROTOCOL.md says two seconds; here other tests may run beside this one. */
#define SEEN_MS 6000

static void sync_krl(struct output *output)
{
	ENDORSE(output, NULL, "krl-sync", "--out", two.krl, "--state", two.host, "--timeout", "0");
}

static void assert_syncs(const char *told)
{
	AUTO(output_free) struct output output;

	sync_krl(&output);
	assert_code(&output, 0);
	assert_tells(&output.out, told);
}

/* It fails so, and the list that is there stays. */
static void assert_stays(int code, const char *told)
{
	AUTO(output_free) struct output output;
	AUTO(buf_free) struct buf before = BUF(KRL_MAX), after = BUF(KRL_MAX);

	must(file_read(two.krl, &before) == OK, "%s", why()->sentence);
	sync_krl(&output);
	assert_code(&output, code);
	assert_tells(&output.err, told);
	must(file_read(two.krl, &after) == OK, "%s", why()->sentence);
	assert_true(view_equal(buf_view(&before), buf_view(&after)));
}

static bool is_published(void *arg)
{
	(void)arg;
	return sql_number(two.world.conninfo,
		       "SELECT count(*) FROM krl WHERE changed = published") == 1;
}

/* What an admin's act does to the records, and the list that follows it within its time. */
static void take_back(const char *sql)
{
	int64_t since = now_ms();

	free(sql_text(two.world.conninfo, "%s", sql));
	if (!wait_until(is_published, NULL, SEEN_MS))
		fail_msg("no list after %d ms", SEEN_MS);
	printf("published after %lld ms\n", (long long)(now_ms() - since));
}

static void assert_inside(void)
{
	AUTO(output_free) struct output output;

	two_hosts_visit(&output);
	assert_code(&output, 0);
	assert_string_equal("inside\n", buf_text(&output.out));
}

static void assert_outside(const char *told)
{
	AUTO(output_free) struct output output;

	two_hosts_visit(&output);
	assert_code(&output, 255);
	assert_tells(&output.err, told);
}

static bool keygen_revokes(const char *certificate)
{
	AUTO(output_free) struct output output;

	process_run(&(struct program){.argv = (const char *const[]){"ssh-keygen", "-Q", "-f",
					      two.krl, certificate, NULL}},
		&output);
	must(strstr(buf_text(&output.out), output.code == 0 ? ": ok" : ": REVOKED") != NULL, "%s%s",
		buf_text(&output.out), buf_text(&output.err));
	return output.code != 0;
}

/* What follows `start` in a line that `endorse ssh-config` printed; for free(). */
static char *line_after(const struct output *output, const char *start)
{
	const char *line = strstr(buf_text(&output->out), start);

	must(line != NULL, "no \"%s\" in: %s", start, buf_text(&output->out));
	line += strlen(start);
	return text("%.*s\n", (int)strcspn(line, "\n"), line);
}

static void configure(struct output *output)
{
	ENDORSE(output, NULL, "ssh-config", "--trust-users", "--krl", two.krl, "--state", two.host);
	assert_code(output, 0);
}

/* sshd without the list would not start to let people in: so the line is there once the list is. */
static void a_host_has_the_list_before_its_sshd_is_told_of_it(void **state)
{
	AUTO(output_free) struct output before, after;
	AUTO(mem_free) char *known = NULL;
	struct stat st;

	(void)state;
	must(wait_until(is_published, NULL, 10000), "no list after the start");
	configure(&before);
	assert_int_equal(0, lines_of(&before, "RevokedKeys "));
	assert_tells(&before.out, "# RevokedKeys ");
	assert_syncs(": replaced, version ");
	assert_int_equal(0, stat(two.krl, &st));
	assert_int_equal(0644, st.st_mode & 07777);
	configure(&after);
	assert_int_equal(1, lines_of(&after, "RevokedKeys "));
	known = line_after(&after, "# known_hosts: ");
	write_file(two.known_hosts, 0644, view_str(known));
	sshd_start(two.world.dir,
		&(struct sshd_plan){.lines = buf_text(&after.out), .principals = two.principals},
		&two.sshd);
	assert_inside();
}

static void a_list_that_is_current_is_not_written_again(void **state)
{
	struct stat before, after;

	(void)state;
	assert_int_equal(0, stat(two.krl, &before));
	assert_syncs(": current, version ");
	assert_int_equal(0, stat(two.krl, &after));
	assert_int_equal(before.st_ino, after.st_ino);
	/* ssh reads it as whoever runs it. */
	assert_int_equal(0, chmod(two.krl, 0600));
	assert_syncs(": current, version ");
	assert_int_equal(0, stat(two.krl, &after));
	assert_int_equal(0644, after.st_mode & 07777);
}

/* The running sshd, which nobody told. */
static void a_revoked_user_is_not_let_in(void **state)
{
	(void)state;
	take_back("UPDATE certificate SET revoked_at = now(), revocation_reason = 'keyCompromise'"
		  " WHERE kind = 'ssh-user' RETURNING 1");
	assert_syncs(": 1 certificates, 0 devices, 0 CAs");
	assert_outside("Permission denied (publickey)");
	must(wait_for_text(two.sshd.log, "revoked by file", 2000), "%s", two.sshd.log);
	assert_true(keygen_revokes(two.user_cert));
	assert_false(keygen_revokes(two.host_cert));
}

static void one_that_is_released_is_let_in_again(void **state)
{
	(void)state;
	take_back("UPDATE certificate SET revoked_at = NULL, revocation_reason = NULL"
		  " WHERE kind = 'ssh-user' RETURNING 1");
	assert_syncs(": 0 certificates, 0 devices, 0 CAs");
	assert_inside();
}

/* The device's name alone, as of a certificate that the list does not know the number of. */
static void all_certificates_of_a_revoked_device_are_refused(void **state)
{
	(void)state;
	take_back("WITH gone AS (UPDATE device SET state = 'revoked' WHERE device_id ="
		  " (SELECT device_id FROM host WHERE name = '" JOBS "'))"
		  " UPDATE krl SET changed = changed + 1 RETURNING 1");
	assert_syncs(": 0 certificates, 1 devices, 0 CAs");
	assert_true(keygen_revokes(two.user_cert));
	assert_outside("Permission denied (publickey)");
	take_back("UPDATE device SET state = 'active' RETURNING 1");
	assert_syncs(": 0 certificates, 0 devices, 0 CAs");
}

static void ssh_does_not_talk_to_a_revoked_host(void **state)
{
	(void)state;
	take_back("UPDATE certificate SET revoked_at = now(), revocation_reason = 'superseded'"
		  " WHERE kind = 'ssh-host' RETURNING 1");
	assert_syncs(": 1 certificates, 0 devices, 0 CAs");
	assert_outside("revoked");
	assert_true(keygen_revokes(two.host_cert));
	assert_false(keygen_revokes(two.user_cert));
	take_back("UPDATE certificate SET revoked_at = NULL, revocation_reason = NULL"
		  " WHERE kind = 'ssh-host' RETURNING 1");
	assert_syncs(": 0 certificates, 0 devices, 0 CAs");
}

static bool has_followed(void *arg)
{
	(void)arg;
	return sql_number(two.world.conninfo,
		       "SELECT count(*) FROM certificate"
		       " WHERE kind = 'ssh-user' AND revoked_at IS NULL") == 0;
}

/* The CA for users signs lists; while that one is revoked, the CA for hosts does. What it signed is
 * revoked behind it, row by row, and would stay so. */
static void a_revoked_ca_takes_all_that_it_signed_along(void **state)
{
	(void)state;
	take_back("UPDATE issuer SET revoked_at = now(), revocation_reason = 'cACompromise'"
		  " WHERE kind = 'ssh-user' RETURNING 1");
	assert_syncs(": 0 certificates, 0 devices, 1 CAs");
	assert_outside("Permission denied (publickey)");
	assert_true(keygen_revokes(two.user_cert));
	assert_false(keygen_revokes(two.host_cert));
	must(wait_until(has_followed, NULL, SEEN_MS), "certificates of a revoked CA stand");
	take_back("WITH good AS (UPDATE issuer SET revoked_at = NULL, revocation_reason = NULL)"
		  " UPDATE certificate SET revoked_at = NULL, revocation_reason = NULL,"
		  " revoked_with = NULL WHERE revoked_with = 'ca-key' RETURNING 1");
	assert_syncs(": 0 certificates, 0 devices, 0 CAs");
}

/* Each of these is the only thing that is wrong with what the service serves; then all is as it was. */
static void a_list_that_is_not_the_service_s_next_one_is_refused(void **state)
{
	static const struct {
		const char *sql, *told;
		int code;
	} rows[] = {
		{"signature = (SELECT signature FROM old)", "cannot be believed", 6},
		{"signature = 'no signature'", "cannot be believed", 6},
		{"(bytes, signature) = (SELECT bytes, signature FROM old)",
			"the service's list has version", 5},
		{"bytes = NULL, signature = NULL", "this service has no KRL", 5},
	};

	(void)state;
	free(sql_text(two.world.conninfo, "CREATE TABLE old AS SELECT * FROM krl"));
	take_back("UPDATE certificate SET revoked_at = NULL, revocation_reason = NULL RETURNING 1");
	assert_syncs(": replaced, version ");
	free(sql_text(two.world.conninfo, "CREATE TABLE good AS SELECT * FROM krl"));
	for (size_t i = 0; i < COUNT(rows); i++) {
		free(sql_text(two.world.conninfo, "UPDATE krl SET %s RETURNING 1", rows[i].sql));
		assert_stays(rows[i].code, rows[i].told);
		free(sql_text(two.world.conninfo,
			"UPDATE krl SET (bytes, signature) ="
			" (SELECT bytes, signature FROM good) RETURNING 1"));
	}
	assert_syncs(": current, version ");
}

/* Of a machine that did not enroll, which believes another CA. */
static void only_the_ca_that_is_believed_may_sign(void **state)
{
	AUTO(mem_free)
	char *other = two_hosts_file("other"), *pub = two_hosts_file("other.pub"),
	     *out = two_hosts_file("krl-of-other");
	AUTO(mem_free) char *ca = text("%s/ssh-user-ca.pub", two.world.ca);
	AUTO(output_free) struct output refused, taken;

	(void)state;
	MUST_RUN("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other);
	ENDORSE(&refused, NULL, "krl-sync", "--out", out, "--server", two.world.name, "--ca",
		two.world.roots, "--ssh-ca", pub, "--timeout", "0");
	assert_code(&refused, 6);
	assert_tells(&refused.err, "another key than those that are trusted");
	assert_int_equal(-1, access(out, F_OK));
	ENDORSE(&taken, NULL, "krl-sync", "--out", out, "--server", two.world.name, "--ca",
		two.world.roots, "--ssh-ca", ca, "--timeout", "0");
	assert_code(&taken, 0);
	assert_int_equal(0, access(out, F_OK));
}

/* sshd would let nobody in by either of the first two; the third is an admin's own. */
static void what_is_damaged_is_replaced_and_what_is_not_ours_stays(void **state)
{
	AUTO(buf_free) struct buf good = BUF(KRL_MAX);

	(void)state;
	must(file_read(two.krl, &good) == OK, "%s", why()->sentence);
	write_file(two.krl, 0644, (struct view){good.p, good.n - 4});
	assert_syncs(": replaced, version ");
	write_file(two.krl, 0644, view_str(""));
	assert_syncs(": replaced, version ");
	write_file(two.krl, 0644, view_str("ssh-ed25519 AAAA revoked by hand\n"));
	assert_stays(1, "this is no KRL but somebody's own file");
	write_file(two.krl, 0644, buf_view(&good));
	assert_syncs(": current, version ");
}

/* Hosts that ask nobody: an admin brings the list, and anybody can see whose it is. */
static void an_admin_exports_the_list_with_its_signature(void **state)
{
	AUTO(mem_free)
	char *out = two_hosts_file("exported"), *sig = two_hosts_file("exported.sig");
	AUTO(mem_free) char *url = text("http://127.0.0.1:%d", two.world.services[0].admin_port);
	AUTO(mem_free)
	char *token = two_hosts_file("admin.token"), *allowed = two_hosts_file("allowed"),
	     *line = NULL;
	AUTO(mem_free) char *ca = text("%s/ssh-user-ca.pub", two.world.ca), *key = content(ca);
	AUTO(output_free) struct output output, verified;
	AUTO(buf_free) struct buf list = BUF(KRL_MAX), here = BUF(KRL_MAX);

	(void)state;
	write_file(token, 0600, view_str(two.world.token));
	world_run(&two.world, &output, "endorsectl", "krl", "export", out, "--admin", url,
		"--token-file", token, NULL);
	assert_code(&output, 0);
	assert_tells(&output.out, ": version ");
	must(file_read(out, &list) == OK && file_read(two.krl, &here) == OK, "%s", why()->sentence);
	assert_true(view_equal(buf_view(&list), buf_view(&here)));
	line = text("ca %s", key);
	write_file(allowed, 0644, view_str(line));
	process_run(
		&(struct program){.argv = (const char *const[]){"sh", "-c",
					  "exec ssh-keygen -Y verify -f \"$1\" -I ca -n " SSHSIG_KRL
					  " -s \"$2\" <\"$3\"",
					  "sh", allowed, sig, out, NULL}},
		&verified);
	assert_code(&verified, 0);
}

static void a_service_without_a_list_says_so(void **state)
{
	static const char *const paths[] = {"/krl", "/krl.sig"};
	AUTO(httpc_answer_free) struct httpc_answer good = {0};
	AUTO(mem_free) char *cached = NULL;

	(void)state;
	httpc_get(&two.world.front, "/krl", &good);
	assert_int_equal(200, good.status);
	cached = httpc_header(&good, "Cache-Control");
	assert_string_equal("public, max-age=60", cached);
	free(sql_text(
		two.world.conninfo, "UPDATE krl SET bytes = NULL, signature = NULL RETURNING 1"));
	for (size_t i = 0; i < COUNT(paths); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer = {0};
		struct problem problem;

		httpc_get(&two.world.front, paths[i], &answer);
		assert_int_equal(404, answer.status);
		assert_int_equal(OK, problem_parse(buf_view(&answer.body), &problem));
		assert_string_equal("krl-missing", problem.code);
	}
	/* The next one has a higher version, and nothing to do with what was lost. */
	take_back("UPDATE krl SET changed = changed + 1 RETURNING 1");
	assert_syncs(": replaced, version ");
}

static bool is_past(void *arg)
{
	(void)arg;
	return sql_number(two.world.conninfo, "SELECT count(*) FROM krl WHERE this_update < "
					      "date_trunc('second', now())") == 1;
}

/* A database that came back from a backup has numbers again that were given before. */
static void a_service_that_was_restored_goes_on_above_what_hosts_have(void **state)
{
	(void)state;
	must(wait_until(is_past, NULL, 2000), "the list is of the future");
	take_back("UPDATE krl SET number = 1, changed = changed + 1 RETURNING 1");
	assert_syncs(": replaced, version ");
}

static void admin(const char *command, const char *reason)
{
	AUTO(mem_free) char *url = text("http://127.0.0.1:%d", two.world.services[0].admin_port);
	AUTO(mem_free) char *token = two_hosts_file("admin.token");
	AUTO(output_free) struct output output;

	write_file(token, 0600, view_str(two.world.token));
	world_run(&two.world, &output, "endorsectl", command, "device", "--host", JOBS, "--why",
		"stolen from line 4", "--admin", url, "--token-file", token,
		reason == NULL ? NULL : "--reason", reason, NULL);
	assert_code(&output, 0);
	must(wait_until(is_published, NULL, SEEN_MS), "no list");
}

/* What an admin types; and the device has the same key ID in all that it is given later. */
static void a_machine_that_was_cut_off_comes_back_with_new_certificates(void **state)
{
	AUTO(mem_free)
	char *again = two_hosts_file("jobs-again"), *of_user = text("ssh-job=%s.pub", two.user_key);

	(void)state;
	assert_inside();
	admin("revoke", "keyCompromise");
	assert_syncs(": 1 certificates, 1 devices, 0 CAs");
	assert_outside("Permission denied (publickey)");
	admin("reinstate", NULL);
	assert_syncs(": 1 certificates, 0 devices, 0 CAs");
	assert_outside("Permission denied (publickey)");
	two_hosts_enroll(1, JOBS, again, of_user);
	assert_inside();
}

static void a_service_that_is_away_changes_nothing(void **state)
{
	AUTO(mem_free) char *nobody = text("https://localhost:%d", free_port());
	AUTO(mem_free) char *before = content(two.krl), *after = NULL;
	AUTO(output_free) struct output output;

	(void)state;
	ENDORSE(&output, NULL, "krl-sync", "--out", two.krl, "--state", two.host, "--server",
		nobody, "--timeout", "0");
	assert_code(&output, 4);
	after = content(two.krl);
	assert_string_equal(before, after);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_host_has_the_list_before_its_sshd_is_told_of_it),
		cmocka_unit_test(a_list_that_is_current_is_not_written_again),
		cmocka_unit_test(a_revoked_user_is_not_let_in),
		cmocka_unit_test(one_that_is_released_is_let_in_again),
		cmocka_unit_test(all_certificates_of_a_revoked_device_are_refused),
		cmocka_unit_test(ssh_does_not_talk_to_a_revoked_host),
		cmocka_unit_test(a_revoked_ca_takes_all_that_it_signed_along),
		cmocka_unit_test(a_list_that_is_not_the_service_s_next_one_is_refused),
		cmocka_unit_test(only_the_ca_that_is_believed_may_sign),
		cmocka_unit_test(what_is_damaged_is_replaced_and_what_is_not_ours_stays),
		cmocka_unit_test(an_admin_exports_the_list_with_its_signature),
		cmocka_unit_test(a_service_without_a_list_says_so),
		cmocka_unit_test(a_service_that_was_restored_goes_on_above_what_hosts_have),
		cmocka_unit_test(a_machine_that_was_cut_off_comes_back_with_new_certificates),
		cmocka_unit_test(a_service_that_is_away_changes_nothing),
	};

	return cmocka_run_group_tests(all, two_hosts_make, two_hosts_free);
}

int main(void)
{
	return supervise(tests);
}
