/* replay.c - runs a fuzzer over its corpus and over simple mutations of it, without libFuzzer. */
#include "tests/fuzz/target.h"

#include "ca/base/buf.h"
#include "ca/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So that all fuzzers together stay within seconds, also under sanitizers. */
#define FILE_MAX (256 * 1024)
#define MUTATIONS_A_FILE 600
#define BYTES_A_FILE (8 * 1024 * 1024)

/* A copy of its own in exact size, so that a sanitizer sees a byte read beyond it. */
static void run(struct view input)
{
	uint8_t *copy = malloc(input.n > 0 ? input.n : 1);

	if (copy == NULL)
		abort();
	if (input.n > 0)
		memcpy(copy, input.p, input.n);
	LLVMFuzzerTestOneInput(copy, input.n);
	free(copy);
}

/* The file, each truncation, and each byte altered in several ways; of long files a regular sample. */
static unsigned long mutate(struct buf *file)
{
	static const uint8_t flips[] = {0x01, 0x80, 0xff, 0x20};
	unsigned long n = 1, budget = MUTATIONS_A_FILE;
	size_t step;

	if (file->n > 0 && budget > BYTES_A_FILE / file->n)
		budget = BYTES_A_FILE / file->n;
	step = file->n * (1 + sizeof(flips)) / (budget + 1) + 1;
	run(buf_view(file));
	for (size_t at = 0; at < file->n; at += step, n++)
		run((struct view){file->p, at});
	for (size_t at = 0; at < file->n; at += step)
		for (size_t i = 0; i < sizeof(flips); i++, n++) {
			file->p[at] ^= flips[i];
			run(buf_view(file));
			file->p[at] ^= flips[i];
		}
	return n;
}

static bool replay(const char *dir, const char *name, unsigned long *runs)
{
	AUTO(mem_free) char *path = path_join(dir, name);
	AUTO(buf_free) struct buf file = BUF(FILE_MAX);

	if (path == NULL || file_read(path, &file) != OK) {
		fprintf(stderr, "%s\n", why()->sentence);
		return false;
	}
	*runs += mutate(&file);
	return true;
}

int main(int argc, char **argv)
{
	const char *corpus = argc > 1 ? argv[1] : getenv("ENDORSE_CORPUS");
	DIR *dir = corpus == NULL ? NULL : opendir(corpus);
	unsigned long files = 0, runs = 0;
	struct dirent *entry;

	if (dir == NULL) {
		fprintf(stderr, "%s: %s\n", corpus == NULL ? "usage: replay DIR" : corpus,
			strerror(errno));
		return 1;
	}
	for (; (entry = readdir(dir)) != NULL; files++)
		if (entry->d_name[0] == '.')
			files--;
		else if (!replay(corpus, entry->d_name, &runs))
			return 1;
	closedir(dir);
	printf("%lu files, %lu runs\n", files, runs);
	if (files == 0)
		fprintf(stderr, "%s: an empty corpus tests nothing\n", corpus);
	return files == 0;
}
