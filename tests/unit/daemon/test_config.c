#include "enroll/daemon/config.h"

#include "ca/base/file.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16

/* Everything that has no default. */
static const char good[] = "service: https://ca.example.org\n"
			   "edge_secret_file: edge.secret\n"
			   "admin_token_file: admin.token\n"
			   "ticket_key_file: ticket.key\n"
			   "database: dbname=endorse\n"
			   "ca: { certificate: ca.pem, key: ca.key, passphrase_file: ca.pass }\n"
			   "templates: templates\n"
			   "policy: policy.yaml\n"
			   "vendors: vendors\n";

static enum err load(const char *line, struct problems *problems, struct config *out)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(mem_free) char *path = path_join(dir, "endorsed.yaml");
	AUTO(buf_free) struct buf text = BUF(8192);

	buf_fmt(&text, "%s%s\n", good, line);
	scratch_put(dir, "endorsed.yaml", buf_view(&text));
	return config_load(path, problems, out);
}

static void an_organization_is_what_a_certificate_can_state(void **state)
{
	static const struct {
		const char *line;
		const char *says; /* NULL: nothing is wrong */
	} rows[] = {
		{"", NULL},
		{"organization: Example Ltd", NULL},
		{"organization: \"S\xc3\xb6hne, K\xc3\xb6ln\"", NULL},
		{"organization: " X64, NULL},
		{"organization: " X64 "x", "1 to 64"},
		{"organization: \"\"", "1 to 64"},
		{"organization: \"a\\nb\"", "goes into certificates"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(problems_free) struct problems problems;
		struct config config;

		problems_init(&problems);
		assert_refused_in(rows[i].line, load(rows[i].line, &problems, &config),
			rows[i].says == NULL ? OK : ERR_MALFORMED, "yaml");
		if (rows[i].says != NULL) {
			assert_int_equal(1, problems.n);
			assert_non_null(strstr(buf_text(&problems.text), rows[i].says));
			continue;
		}
		assert_int_equal(i == 0, config.organization == NULL);
		config_free(&config);
	}
}

static void what_has_just_ended_is_not_deleted(void **state)
{
	static const struct {
		const char *line;
		const char *says; /* NULL: nothing is wrong */
		int64_t kept;
	} rows[] = {
		{"", NULL, 0},
		{"retention: {}", NULL, 0},
		{"retention: {certificates: 30d}", NULL, 2592000},
		{"retention: {certificates: 36500d}", NULL, 3153600000},
		{"retention: {certificates: 29d}", "certificates", 0},
		{"retention: {certificates: 0d}", "certificates", 0},
		{"retention: {certificates: 400}", "certificates", 0},
		{"retention: {audit: 400d}", "unknown key", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(problems_free) struct problems problems;
		struct config config;
		bool is_good = rows[i].says == NULL;

		problems_init(&problems);
		assert_refused_in(rows[i].line, load(rows[i].line, &problems, &config),
			is_good ? OK : ERR_MALFORMED, "yaml");
		if (!is_good) {
			assert_int_equal(1, problems.n);
			assert_non_null(strstr(buf_text(&problems.text), rows[i].says));
			continue;
		}
		assert_true(config.retention.certificates == rows[i].kept);
		config_free(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_just_ended_is_not_deleted),
		cmocka_unit_test(an_organization_is_what_a_certificate_can_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
