#include "tests/flow/tpmtool.h"

#include <cmocka.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS 40

/* The program gets its directory from a shell, which then becomes the program. */
static void run(
	struct output *output, const char *tcti, const char *dir, const char *program, va_list ap)
{
	AUTO(mem_free) char *tools = text("TPM2TOOLS_TCTI=%s", tcti);
	AUTO(mem_free) char *openssl = text("TPM2OPENSSL_TCTI=%s", tcti);
	const char *argv[ARGUMENTS] = {"sh", "-c", "cd \"$0\" && exec \"$@\"", dir, program};
	size_t n = 5;

	while (n < ARGUMENTS - 1 && (argv[n] = va_arg(ap, const char *)) != NULL)
		n++;
	argv[n] = NULL;
	process_run(&(struct program){.argv = argv, .env = (const char *[]){tools, openssl, NULL}},
		output);
}

void tpmtool(struct output *output, const char *tcti, const char *dir, const char *program, ...)
{
	va_list ap;

	va_start(ap, program);
	run(output, tcti, dir, program, ap);
	va_end(ap);
}

char *tpmtool_must(const char *tcti, const char *dir, const char *program, ...)
{
	AUTO(output_free) struct output output;
	va_list ap;

	va_start(ap, program);
	run(&output, tcti, dir, program, ap);
	va_end(ap);
	must(output.code == 0, "%s: %d: %s%s", program, output.code, buf_text(&output.out),
		buf_text(&output.err));
	return strdup(buf_text(&output.out));
}

void tpmtool_flush(const char *tcti, const char *dir)
{
	free(tpmtool_must(tcti, dir, "tpm2_flushcontext", "-t", NULL));
}

void assert_nothing_left(const char *tcti)
{
	static const char *const kinds[] = {
		"handles-transient", "handles-loaded-session", "handles-saved-session"};

	for (size_t i = 0; i < COUNT(kinds); i++) {
		AUTO(output_free) struct output output;

		process_run(&(struct program){.argv = (const char *const[]){"tpm2_getcap", "-T",
						      tcti, kinds[i], NULL}},
			&output);
		assert_int_equal(output.code, 0);
		assert_string_equal(buf_text(&output.out), "");
	}
}

char *line_value(const char *content, const char *key)
{
	const char *at = strstr(content, key);

	must(at != NULL, "no \"%s\" in:\n%s", key, content);
	at += strlen(key);
	at += strspn(at, " ");
	return strndup(at, strcspn(at, "\n"));
}
