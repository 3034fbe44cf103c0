#include "enroll/admin/progress.h"

#include "ca/base/clock.h"

#include <stdio.h>
#include <unistd.h>

#define EVERY_MS 200

void progress_begin(struct progress *progress, const char *what)
{
	*progress = (struct progress){
		.what = what, .is_shown = isatty(STDERR_FILENO) == 1, .begun = clock_ms()};
}

void progress_step(struct progress *progress)
{
	int64_t now;

	progress->n++;
	if (!progress->is_shown || progress->n % 100 != 0)
		return;
	now = clock_ms();
	if (now - progress->told < EVERY_MS)
		return;
	progress->told = now;
	fprintf(stderr, "\r%zu %s, %lld a second ", progress->n, progress->what,
		(long long)progress->n * 1000 / (long long)(now - progress->begun + 1));
}

void progress_end(struct progress *progress)
{
	if (progress->is_shown && progress->told != 0)
		fputs("\r\033[K", stderr);
}
