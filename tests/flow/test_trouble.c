/* test_trouble.c - TPMs that cannot or may not: each time one sentence says what it is, where, and what to do. */
#include "tests/flow/cluster.h"
#include "tests/flow/device.h"
#include "tests/flow/supervise.h"
#include "tests/flow/tpmtool.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_TPM 3

static struct world world;
static const char *tcti;
static unsigned number;

static int make(void **state)
{
	(void)state;
	world_make(
		&(struct world_plan){
			.chips = 2, .services = 1, .edge = true, .policy = world_any_name},
		&world);
	tcti = world.chips[0].tcti;
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

/* Each test begins with a TPM that was just started. */
static int restart(void **state)
{
	(void)state;
	chip_stop(&world.chips[0]);
	chip_start(&world.chips[0]);
	tcti = world.chips[0].tcti;
	return 0;
}

static void tpm2(const char *program, const char *a, const char *b, const char *c, const char *d)
{
	free(tpmtool_must(tcti, world.dir, program, a, b, c, d, NULL));
}

/* `endorse enroll` as a new host in a new state directory, with options up to NULL. */
static void enroll_at(struct output *output, const char *where, const char *const *options)
{
	AUTO(mem_free) char *host = text("t%u.example.test", ++number);
	AUTO(mem_free) char *dir = text("%s/t%u", world.dir, number);
	const char *o[8] = {NULL};

	for (size_t i = 0; i < COUNT(o) && options[i] != NULL; i++)
		o[i] = options[i];
	world_run(&world, output, "endorse", "enroll", "--server", world.name, "--ca", world.roots,
		"--host", host, "--state", dir, "--timeout", "20", "--tcti", where, o[0], o[1],
		o[2], o[3], o[4], o[5], o[6], o[7], NULL);
}
#define ENROLL(output, ...)                                                                        \
	enroll_at(output, tcti,                                                                    \
		(const char *const[]){                                                             \
			__VA_ARGS__, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL})

static void assert_enrolls(const char *a, const char *b, const char *c, const char *d)
{
	AUTO(output_free) struct output output;

	ENROLL(&output, a, b, c, d);
	if (output.code != 0)
		fail_msg("%s", buf_text(&output.err));
}

/* It fails because of the TPM, with exactly one line that names the TPM and has these words. */
static void assert_told(const struct output *output, const char *const *words, size_t n)
{
	AUTO(mem_free) char *start = text("endorse: the TPM at %s: ", tcti);
	const char *said = buf_text(&output->err);

	if (output->code != EXIT_TPM || strncmp(said, start, strlen(start)) != 0 ||
		strchr(said, '\n') != said + strlen(said) - 1)
		fail_msg("%d, \"%s\"", output->code, said);
	for (size_t i = 0; i < n; i++)
		if (strstr(said, words[i]) == NULL)
			fail_msg("no \"%s\" in: %s", words[i], said);
}
#define ASSERT_TOLD(output, ...)                                                                   \
	assert_told(output, (const char *const[]){__VA_ARGS__},                                    \
		COUNT(((const char *const[]){__VA_ARGS__})))

static char *secret_file(const char *name, const char *content)
{
	char *path = text("%s/%s", world.dir, name);

	write_file(path, 0600, view_str(content));
	return path;
}

static void a_hierarchy_with_an_auth_value_wants_it(
	const char *name, const char *option, const char *option_words)
{
	AUTO(mem_free) char *credential = text("endorse.%s-auth", name);
	AUTO(mem_free) char *wrong = secret_file("wrong", "Tr0ub4dor\n");
	AUTO(mem_free) char *right = secret_file("right", "correct horse\n");
	AUTO(mem_free) char *systemd = secret_file(credential, "hex:636f727265637420686f727365\n");
	AUTO(output_free) struct output without, refused, taken;

	tpm2("tpm2_changeauth", "-c", name, "correct horse", NULL);
	ENROLL(&without, "--hierarchy", name);
	ASSERT_TOLD(&without, name, "hierarchy has an auth value", option_words, credential);
	ENROLL(&refused, "--hierarchy", name, option, wrong);
	ASSERT_TOLD(&refused, name, "refuses the auth value in", wrong, option_words);
	assert_null(strstr(buf_text(&refused.err), "Tr0ub4dor"));
	ENROLL(&taken, "--hierarchy", name, option, right);
	if (taken.code != 0)
		fail_msg("%s", buf_text(&taken.err));
	assert_null(strstr(buf_text(&taken.out), "correct"));
	assert_null(strstr(buf_text(&taken.err), "correct"));
	setenv("CREDENTIALS_DIRECTORY", world.dir, 1);
	assert_enrolls("--hierarchy", name, NULL, NULL);
	unsetenv("CREDENTIALS_DIRECTORY");
	unlink(systemd);
	free(tpmtool_must(
		tcti, world.dir, "tpm2_changeauth", "-c", name, "-p", "correct horse", NULL));
}

/* Tried once each, and counted by nobody. */
static void assert_no_wrong_password_was_counted(void)
{
	AUTO(mem_free)
	char *properties =
		tpmtool_must(tcti, world.dir, "tpm2_getcap", "properties-variable", NULL);
	AUTO(mem_free) char *counter = line_value(properties, "TPM2_PT_LOCKOUT_COUNTER:");

	assert_string_equal(counter, "0x0");
}

static void an_owner_with_an_auth_value_is_asked_for(void **state)
{
	(void)state;
	a_hierarchy_with_an_auth_value_wants_it("owner", "--owner-auth", "--owner-auth FILE");
	assert_no_wrong_password_was_counted();
}

static void an_endorsement_hierarchy_with_an_auth_value_is_asked_for(void **state)
{
	(void)state;
	a_hierarchy_with_an_auth_value_wants_it(
		"endorsement", "--endorsement-auth", "--endorsement-auth FILE");
	assert_no_wrong_password_was_counted();
}

/* Also where only the EK needs it: its policy names the endorsement hierarchy. */
static void the_ek_wants_the_endorsement_auth_too(void **state)
{
	AUTO(mem_free) char *auth = secret_file("endorsement", "apple\n");
	AUTO(output_free) struct output output;

	(void)state;
	tpm2("tpm2_changeauth", "-c", "e", "apple", NULL);
	ENROLL(&output, "--ek", "rsa2048");
	ASSERT_TOLD(&output, "TPM2_PolicySecret", "endorsement hierarchy has an auth value");
	assert_enrolls("--ek", "rsa2048", "--endorsement-auth", auth);
	assert_enrolls("--hierarchy", "ek", "--endorsement-auth", auth);
	free(tpmtool_must(tcti, world.dir, "tpm2_changeauth", "-c", "e", "-p", "apple", NULL));
}

static void a_secret_that_others_can_read_is_not_used(void **state)
{
	AUTO(mem_free) char *auth = secret_file("open", "apple\n");
	AUTO(output_free) struct output output;

	(void)state;
	assert_int_equal(chmod(auth, 0644), 0);
	ENROLL(&output, "--owner-auth", auth);
	assert_int_equal(output.code, 1);
	assert_non_null(strstr(buf_text(&output.err), "chmod 0600"));
}

static void a_handle_is_given_by_the_owners_authority(void **state)
{
	AUTO(mem_free) char *auth = secret_file("owner", "apple\n");
	AUTO(output_free) struct output output, readpublic;

	(void)state;
	tpm2("tpm2_changeauth", "-c", "o", "apple", NULL);
	ENROLL(&output, "--hierarchy", "endorsement", "--ak-handle", "0x81000100");
	ASSERT_TOLD(&output, "TPM2_EvictControl", "owner hierarchy has an auth value");
	tpmtool(&readpublic, tcti, world.dir, "tpm2_readpublic", "-c", "0x81000100", NULL);
	assert_int_not_equal(readpublic.code, 0);
	assert_enrolls("--owner-auth", auth, "--ak-handle", "0x81000100");
	free(tpmtool_must(tcti, world.dir, "tpm2_changeauth", "-c", "o", "-p", "apple", NULL));
}

/* One wrong password for a key that counts them. */
static void lock_out(void)
{
	AUTO(output_free) struct output wrong;

	free(tpmtool_must(tcti, world.dir, "tpm2_dictionarylockout", "-s", "-n", "1", "-t", "3600",
		"-l", "3600", NULL));
	free(tpmtool_must(tcti, world.dir, "tpm2_createprimary", "-C", "o", "-p", "right", "-c",
		"counting.ctx", NULL));
	tpmtool_flush(tcti, world.dir);
	tpmtool(&wrong, tcti, world.dir, "tpm2_create", "-C", "counting.ctx", "-P", "wrong", "-u",
		"u", "-r", "r", NULL);
	assert_int_not_equal(wrong.code, 0);
	tpmtool_flush(tcti, world.dir);
}

/* An EK with a policy is no password's business, and neither is an AK of ours (noDA). */
static void in_lockout_only_the_ek_with_an_auth_value_of_its_own_is_closed(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	lock_out();
	ENROLL(&output, "--ek", "p384");
	ASSERT_TOLD(&output, "locked out", "tpm2_dictionarylockout -c", "--ek rsa2048");
	assert_enrolls("--ek", "rsa2048", NULL, NULL);
	free(tpmtool_must(tcti, world.dir, "tpm2_dictionarylockout", "-c", NULL));
	assert_enrolls("--ek", "p384", NULL, NULL);
}

static void undefine(const char *index)
{
	free(tpmtool_must(tcti, world.dir, "tpm2_nvundefine", "-C", "p", index, NULL));
}

/* It is the service that says so, and the device what its operator has to know. */
static void assert_refused_without_a_certificate(const struct output *output)
{
	static const char *const words[] = {
		"ek-certificate-missing", "sha256", "endorsectl ek allow add"};

	assert_int_equal(output->code, 5);
	for (size_t i = 0; i < COUNT(words); i++)
		if (strstr(buf_text(&output->err), words[i]) == NULL)
			fail_msg("no \"%s\" in: %s", words[i], buf_text(&output->err));
	assert_nothing_left(tcti);
}

/* Chip 1 loses one certificate after the other. */
static void without_a_certificate_the_next_ek_is_taken_until_there_is_none(void **state)
{
	AUTO(output_free) struct output named, none, sent;

	(void)state;
	tcti = world.chips[1].tcti;
	undefine("0x01c00002");
	assert_enrolls(NULL, NULL, NULL, NULL);
	ENROLL(&named, "--ek", "rsa2048");
	ASSERT_TOLD(&named, "no certificate that can be used for an EK of the kind rsa2048",
		"try --ek auto");
	/* Asked for in words, the EK comes without one; here no rule takes that. */
	ENROLL(&sent, "--ek-certificate", "none");
	assert_refused_without_a_certificate(&sent);
	undefine("0x01c00016");
	ENROLL(&none, NULL, NULL);
	assert_refused_without_a_certificate(&none);
}

/* A key that anybody may make. */
static const TPM2B_PUBLIC some_key = {
	.publicArea = {.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
				    TPMA_OBJECT_SIGN_ENCRYPT,
		.parameters.eccDetail = {.symmetric = {.algorithm = TPM2_ALG_NULL},
			.scheme = {.scheme = TPM2_ALG_NULL},
			.curveID = TPM2_ECC_NIST_P256,
			.kdf = {.scheme = TPM2_ALG_NULL}}}};

/* What other programs leave in a TPM that has no resource manager: three keys. */
static void a_tpm_full_of_keys_says_who_could_share_it(void **state)
{
	AUTO(output_free) struct output output;
	struct device_key keys[3];
	struct device device;

	(void)state;
	device_open(&device, tcti);
	for (size_t i = 0; i < COUNT(keys); i++)
		device_primary(&device, ESYS_TR_RH_OWNER, &some_key, &keys[i]);
	ENROLL(&output, NULL, NULL);
	ASSERT_TOLD(&output, "other programs' keys fill the TPM", "device:/dev/tpmrm0",
		"tpm2_flushcontext -t");
	for (size_t i = 0; i < COUNT(keys); i++)
		device_key_free(&device, &keys[i]);
	device_close(&device);
	assert_enrolls(NULL, NULL, NULL, NULL);
}

static void a_tpm_full_of_sessions_says_who_could_share_it(void **state)
{
	const TPMT_SYM_DEF none = {.algorithm = TPM2_ALG_NULL};
	AUTO(output_free) struct output output;
	struct device device;
	ESYS_TR sessions[3];

	(void)state;
	device_open(&device, tcti);
	for (size_t i = 0; i < COUNT(sessions); i++)
		assert_int_equal(Esys_StartAuthSession(device.esys, ESYS_TR_NONE, ESYS_TR_NONE,
					 ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL,
					 TPM2_SE_POLICY, &none, TPM2_ALG_SHA256, &sessions[i]),
			0);
	ENROLL(&output, NULL, NULL);
	ASSERT_TOLD(&output, "other programs' sessions fill the TPM", "device:/dev/tpmrm0",
		"tpm2_flushcontext -l");
	for (size_t i = 0; i < COUNT(sessions); i++)
		Esys_FlushContext(device.esys, sessions[i]);
	device_close(&device);
	assert_enrolls(NULL, NULL, NULL, NULL);
}

#define FILLED_FIRST 0x81000400u
#define FILLED_MAX 400

static TSS2_RC evict(struct device *device, ESYS_TR key, TPM2_HANDLE handle)
{
	ESYS_TR persistent = ESYS_TR_NONE;

	return Esys_EvictControl(device->esys, ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD,
		ESYS_TR_NONE, ESYS_TR_NONE, handle, &persistent);
}

/* Copies of a key at one handle after the other, as long as there is room; how many. */
static TPM2_HANDLE fill(struct device *device)
{
	struct device_key key;
	TPM2_HANDLE n = 0;
	TSS2_RC rc = 0;

	device_primary(device, ESYS_TR_RH_OWNER, &some_key, &key);
	while (n < FILLED_MAX && (rc = evict(device, key.handle, FILLED_FIRST + n)) == 0)
		n++;
	must(rc == TPM2_RC_NV_SPACE, "%u keys, 0x%x", n, rc);
	device_key_free(device, &key);
	return n;
}

static void empty(struct device *device, TPM2_HANDLE n)
{
	for (TPM2_HANDLE i = 0; i < n; i++) {
		ESYS_TR key = ESYS_TR_NONE;

		must(Esys_TR_FromTPMPublic(device->esys, FILLED_FIRST + i, ESYS_TR_NONE,
			     ESYS_TR_NONE, ESYS_TR_NONE, &key) == 0 &&
				evict(device, key, FILLED_FIRST + i) == 0,
			"handle 0x%x", FILLED_FIRST + i);
	}
}

static void a_tpm_whose_memory_is_full_takes_no_handle(void **state)
{
	AUTO(output_free) struct output output;
	struct device device;
	TPM2_HANDLE n;

	(void)state;
	device_open(&device, tcti);
	n = fill(&device);
	ENROLL(&output, "--ak-handle", "0x81000300");
	ASSERT_TOLD(&output, "permanent memory is full", "without --ak-handle");
	empty(&device, n);
	device_close(&device);
	assert_enrolls("--ak-handle", "0x81000300", NULL, NULL);
}

static void a_disabled_owner_hierarchy_leaves_the_other(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	tpm2("tpm2_hierarchycontrol", "-C", "p", "shEnable", "clear");
	ENROLL(&output, NULL, NULL);
	ASSERT_TOLD(&output, "the owner hierarchy is disabled", "--hierarchy endorsement");
	assert_enrolls("--hierarchy", "endorsement", NULL, NULL);
}

static void without_the_endorsement_hierarchy_nothing_can_be_proven(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	tpm2("tpm2_hierarchycontrol", "-C", "p", "ehEnable", "clear");
	ENROLL(&output, "--ek", "p384");
	ASSERT_TOLD(&output, "the endorsement hierarchy is disabled", "nothing can be proven");
}

static void a_tpm_that_was_not_started_says_so(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	/* Power off and on again, without TPM2_Startup. */
	AUTO(mem_free) char *control = text("%s.ctrl", world.chips[0].socket);
	MUST_RUN("swtpm_ioctl", "--unix", control, "-i");
	ENROLL(&output, NULL, NULL);
	ASSERT_TOLD(&output, "was not started");
	tpm2("tpm2_startup", "-c", NULL, NULL, NULL);
	assert_enrolls(NULL, NULL, NULL, NULL);
}

/* A TPM that cannot write its own memory any more. */
static void a_tpm_in_failure_mode_says_so(void **state)
{
	AUTO(mem_free) char *elsewhere = text("%s.elsewhere", world.chips[0].state);
	AUTO(output_free) struct output broken, output;

	(void)state;
	assert_int_equal(rename(world.chips[0].state, elsewhere), 0);
	tpmtool(&broken, tcti, world.dir, "tpm2_nvdefine", "0x01500001", "-C", "o", "-s", "8",
		NULL);
	assert_int_equal(rename(elsewhere, world.chips[0].state), 0);
	ENROLL(&output, NULL, NULL);
	ASSERT_TOLD(&output, "failure mode", "restart the machine");
}

static void a_tpm_that_is_not_there_says_so(void **state)
{
	static const char *const nowhere[] = {
		"device:/dev/there-is-no-tpm", "swtpm:path=/nowhere", "no-such-tcti:x"};

	(void)state;
	for (size_t i = 0; i < COUNT(nowhere); i++) {
		AUTO(output_free) struct output output;

		tcti = nowhere[i];
		ENROLL(&output, NULL, NULL);
		ASSERT_TOLD(&output, "cannot be reached", "is --tcti right?");
	}
}

static int tests(void)
{
	struct CMUnitTest all[] = {
		cmocka_unit_test(an_owner_with_an_auth_value_is_asked_for),
		cmocka_unit_test(an_endorsement_hierarchy_with_an_auth_value_is_asked_for),
		cmocka_unit_test(the_ek_wants_the_endorsement_auth_too),
		cmocka_unit_test(a_secret_that_others_can_read_is_not_used),
		cmocka_unit_test(a_handle_is_given_by_the_owners_authority),
		cmocka_unit_test(in_lockout_only_the_ek_with_an_auth_value_of_its_own_is_closed),
		cmocka_unit_test(without_a_certificate_the_next_ek_is_taken_until_there_is_none),
		cmocka_unit_test(a_tpm_full_of_keys_says_who_could_share_it),
		cmocka_unit_test(a_tpm_full_of_sessions_says_who_could_share_it),
		cmocka_unit_test(a_tpm_whose_memory_is_full_takes_no_handle),
		cmocka_unit_test(a_disabled_owner_hierarchy_leaves_the_other),
		cmocka_unit_test(without_the_endorsement_hierarchy_nothing_can_be_proven),
		cmocka_unit_test(a_tpm_that_was_not_started_says_so),
		cmocka_unit_test(a_tpm_in_failure_mode_says_so),
		cmocka_unit_test(a_tpm_that_is_not_there_says_so),
	};

	for (size_t i = 0; i < COUNT(all); i++)
		all[i].setup_func = restart;
	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
