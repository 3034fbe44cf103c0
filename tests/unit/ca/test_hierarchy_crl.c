#include "ca/hierarchy_crl.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/crl.h"
#include "ca/hierarchy.h"
#include "tests/unit/ca/program.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

/* A hierarchy, and where its root's CRL goes. */
struct made {
	char *dir, *root, *issuing, *edge, *kept, *crl;
};

static void made_make(struct made *out)
{
	out->dir = scratch_make();
	assert_ok(hierarchy_make(out->dir, "Unit tests", KEY_TYPE_P256));
	out->root = path_join(out->dir, "root.pem");
	out->issuing = path_join(out->dir, "issuing.pem");
	out->edge = path_join(out->dir, "edge-ca.pem");
	out->kept = path_join(out->dir, "offline/root.crl");
	out->crl = path_join(out->dir, "out.crl");
}

static void made_free(struct made *made)
{
	free(made->root);
	free(made->issuing);
	free(made->edge);
	free(made->kept);
	free(made->crl);
	scratch_remove(&made->dir);
}

static void make(const struct made *made, const char *revoke, struct hierarchy_crl *out)
{
	assert_ok(hierarchy_crl_make(made->dir, revoke, REVOKED_CA_COMPROMISE, 7, made->crl, out));
}

/* `openssl verify -crl_check_all` of a CA below the root. */
static int verify(const struct made *made, const char *ca, struct buf *said)
{
	buf_free(said);
	return PROGRAM_RUN(said, "openssl", "verify", "-x509_strict", "-crl_check_all", "-CRLfile",
		made->crl, "-CAfile", made->root, ca);
}

static void a_ca_that_is_taken_back_is_refused_and_the_other_is_not(void **state)
{
	AUTO(buf_free) struct buf said = BUF(1 << 16);
	AUTO(made_free) struct made made;
	struct hierarchy_crl told;

	(void)state;
	made_make(&made);
	make(&made, NULL, &told);
	assert_int_equal(0, verify(&made, made.issuing, &said));
	assert_int_equal(0, verify(&made, made.edge, &said));
	assert_int_equal(0, told.n);
	make(&made, made.edge, &told);
	assert_int_equal(1, told.n);
	assert_int_equal(0, verify(&made, made.issuing, &said));
	assert_int_not_equal(0, verify(&made, made.edge, &said));
	assert_non_null(strstr(buf_text(&said), "certificate revoked"));
	buf_free(&said);
	assert_int_equal(0, PROGRAM_RUN(&said, "certtool", "--verify-crl", "--infile", made.crl,
				    "--load-ca-certificate", made.root));
	assert_non_null(strstr(buf_text(&said), "Revoked certificates (1):"));
}

/* When and why it was taken back stays as it was, whatever the next one is made for. */
static void what_was_taken_back_stays_so_and_numbers_go_up(void **state)
{
	AUTO(made_free) struct made made;
	AUTO(buf_free) struct buf first = BUF(1 << 16), last = BUF(1 << 16);
	struct hierarchy_crl told;
	const char *entry, *end;

	(void)state;
	made_make(&made);
	make(&made, made.edge, &told);
	assert_int_equal(1, told.number);
	assert_int_equal(
		0, PROGRAM_RUN(&first, "openssl", "crl", "-in", made.crl, "-noout", "-text"));
	assert_ok(hierarchy_crl_make(
		made.dir, made.issuing, REVOKED_SUPERSEDED, 30, made.crl, &told));
	make(&made, NULL, &told);
	assert_int_equal(3, told.number);
	assert_int_equal(2, told.n);
	assert_int_equal(
		0, PROGRAM_RUN(&last, "openssl", "crl", "-in", made.crl, "-noout", "-text"));
	assert_non_null(strstr(buf_text(&last), "X509v3 CRL Number: \n                3\n"));
	assert_non_null(strstr(buf_text(&last), "Superseded"));
	entry = strstr(buf_text(&first), "    Serial Number: ");
	end = strstr(entry, "CA Compromise");
	assert_non_null(memmem(last.p, last.n, entry, (size_t)(end - entry) + 13));
}

static void it_is_good_for_as_long_as_asked_and_the_kept_one_is_the_same(void **state)
{
	AUTO(buf_free) struct buf bytes = BUF(1 << 16), kept = BUF(1 << 16);
	AUTO(crl_free) X509_CRL *crl = NULL;
	AUTO(made_free) struct made made;
	struct hierarchy_crl told;
	struct stat st;
	int days, seconds;

	(void)state;
	made_make(&made);
	make(&made, NULL, &told);
	assert_ok(file_read(made.crl, &bytes));
	assert_ok(file_read(made.kept, &kept));
	assert_view_equal(buf_view(&bytes), buf_view(&kept));
	crl = crl_from_bytes(buf_view(&bytes));
	assert_int_equal(1, ASN1_TIME_diff(&days, &seconds, X509_CRL_get0_lastUpdate(crl),
				    X509_CRL_get0_nextUpdate(crl)));
	assert_int_equal(7, days);
	assert_int_equal(
		0, ASN1_TIME_cmp_time_t(X509_CRL_get0_nextUpdate(crl), (time_t)told.next_update));
	assert_int_equal(0, stat(made.crl, &st));
	assert_int_equal(0644, st.st_mode & 07777);
}

static enum err take_back(const struct made *made, const char *path)
{
	struct hierarchy_crl told;

	return hierarchy_crl_make(made->dir, path, REVOKED_KEY_COMPROMISE, 7, made->crl, &told);
}

/* Nothing is written then, and no number is used up. */
static void what_the_root_did_not_issue_or_took_back_before_is_refused(void **state)
{
	AUTO(made_free) struct made made, other;
	AUTO(mem_free) char *missing = NULL;
	struct hierarchy_crl told;

	(void)state;
	made_make(&made);
	made_make(&other);
	missing = path_join(made.dir, "missing.pem");
	assert_refused(take_back(&made, other.issuing), ERR_REJECTED, "crl-not-issued");
	assert_refused(take_back(&made, made.root), ERR_REJECTED, "crl-not-issued");
	assert_refused(take_back(&made, missing), ERR_NOT_FOUND, "file-missing");
	assert_int_equal(-1, access(made.kept, F_OK));
	make(&made, made.issuing, &told);
	assert_int_equal(1, told.number);
	assert_refused(take_back(&made, made.issuing), ERR_CONFLICT, "crl-listed");
	make(&made, NULL, &told);
	assert_int_equal(2, told.number);
}

/* Or somebody could have the root forget what it took back. */
static void what_is_kept_must_be_what_this_root_signed(void **state)
{
	AUTO(made_free) struct made made, other;
	AUTO(buf_free) struct buf kept = BUF(1 << 16);
	struct hierarchy_crl told;

	(void)state;
	made_make(&made);
	made_make(&other);
	make(&other, NULL, &told);
	assert_ok(file_read(other.kept, &kept));
	assert_ok(file_replace(made.kept, 0600, buf_view(&kept)));
	assert_refused(take_back(&made, made.edge), ERR_INTERNAL, "ca-crl");
	assert_ok(file_replace(made.kept, 0600, view_str("")));
	assert_refused(take_back(&made, made.edge), ERR_INTERNAL, "ca-crl");
	assert_int_equal(-1, access(made.crl, F_OK));
	assert_int_equal(0, unlink(made.kept));
	assert_ok(take_back(&made, made.edge));
}

static void without_the_offline_key_there_is_none(void **state)
{
	AUTO(made_free) struct made made;
	AUTO(mem_free) char *key = NULL;

	(void)state;
	made_make(&made);
	key = path_join(made.dir, "offline/root.key");
	assert_int_equal(0, unlink(key));
	assert_refused(take_back(&made, made.edge), ERR_NOT_FOUND, "file-missing");
	assert_int_equal(-1, access(made.crl, F_OK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ca_that_is_taken_back_is_refused_and_the_other_is_not),
		cmocka_unit_test(what_was_taken_back_stays_so_and_numbers_go_up),
		cmocka_unit_test(it_is_good_for_as_long_as_asked_and_the_kept_one_is_the_same),
		cmocka_unit_test(what_the_root_did_not_issue_or_took_back_before_is_refused),
		cmocka_unit_test(what_is_kept_must_be_what_this_root_signed),
		cmocka_unit_test(without_the_offline_key_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
