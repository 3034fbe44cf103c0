#include "tests/flow/verified.h"

#include "ca/base/file.h"

#include <stdio.h>

static bool runs(const char *const argv[])
{
	AUTO(output_free) struct output output;

	process_run(&(struct program){.argv = argv}, &output);
	if (output.code != 0)
		fprintf(stderr, "%s: %s%s\n", argv[0], buf_text(&output.out),
			buf_text(&output.err));
	return output.code == 0;
}

bool is_verified(const struct world *world, const char *leaf, const char *issuing)
{
	AUTO(mem_free) char *both = text("%s/both.pem", world->dir);
	AUTO(buf_free) struct buf pem = BUF(1 << 16);

	must(file_read(leaf, &pem) == OK && file_read(issuing, &pem) == OK, "%s", why()->sentence);
	write_file(both, 0644, buf_view(&pem));
	return runs((const char *const[]){"openssl", "verify", "-x509_strict", "-purpose", "any",
		       "-CAfile", world->roots, "-untrusted", issuing, leaf, NULL}) &&
	       runs((const char *const[]){"certtool", "--verify", "--load-ca-certificate",
		       world->roots, "--infile", both, NULL});
}
