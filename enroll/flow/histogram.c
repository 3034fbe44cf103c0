#include "enroll/flow/histogram.h"

#include "ca/base/mem.h"

/* From a cached answer to a device that waits for the slowest TPM of a database. */
static const struct {
	int64_t us;
	const char *seconds;
} steps[] = {{500, "0.0005"}, {1000, "0.001"}, {2500, "0.0025"}, {5000, "0.005"}, {10000, "0.01"},
	{25000, "0.025"}, {50000, "0.05"}, {100000, "0.1"}, {250000, "0.25"}, {500000, "0.5"},
	{1000000, "1"}, {2500000, "2.5"}, {10000000, "10"}};
_Static_assert(COUNT(steps) == HISTOGRAM_STEPS, "a place for each step");

void histogram_add(struct histogram *histogram, int64_t us)
{
	size_t i = 0;

	while (i < HISTOGRAM_STEPS && us > steps[i].us)
		i++;
	histogram->count[i]++;
	histogram->sum_us += us > 0 ? (uint64_t)us : 0;
}

void histogram_write(
	const struct histogram *histogram, const char *name, const char *labels, struct buf *out)
{
	const char *comma = labels[0] == '\0' ? "" : ",";
	uint64_t n = 0;

	for (size_t i = 0; i < HISTOGRAM_STEPS; i++) {
		n += histogram->count[i];
		buf_fmt(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", name, labels, comma,
			steps[i].seconds, (unsigned long long)n);
	}
	n += histogram->count[HISTOGRAM_STEPS];
	buf_fmt(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma,
		(unsigned long long)n);
	buf_fmt(out, "%s_sum{%s} %.6f\n%s_count{%s} %llu\n", name, labels,
		(double)histogram->sum_us / 1e6, name, labels, (unsigned long long)n);
}
