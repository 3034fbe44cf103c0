#include "ca/base/mem.h"
#include "tests/bench/endorse-bench/floor.h"

static const struct {
	const char *name, *what;
} parts[FLOOR_PARTS] = {
	[FLOOR_HANDSHAKE] = {"handshake", "server's side of one TLS 1.3 handshake"},
	[FLOOR_EK] = {"ek", "EK certificate read and verified"},
	[FLOOR_CREDENTIAL] = {"credential", "MakeCredential for an RSA-2048 EK"},
	[FLOOR_TICKET] = {"ticket", "AK, ticket, proof and seal"},
	[FLOOR_CERTIFICATE] = {"certificate", "one certificate built and signed by P-256"},
	[FLOOR_DATABASE] = {"database", "PostgreSQL's backend, reads and inserts"},
};

const char *floor_part_name(enum floor_part part)
{
	return parts[part].name;
}

static bool is_told(const struct floor_figures *figures, size_t part)
{
	return part != FLOOR_DATABASE || figures->has_database;
}

static void value_json(const struct floor_value *value, const char *name, struct json *json)
{
	member_object(json, name);
	member_real(json, "us", value->us);
	member_real(json, "low_us", value->low_us);
	member_real(json, "high_us", value->high_us);
	member_object_end(json);
}

void floor_json(const struct floor_figures *figures, const char *name, struct json *json)
{
	member_object(json, name);
	for (size_t i = 0; i < FLOOR_PARTS; i++) {
		if (is_told(figures, i))
			value_json(&figures->parts[i], parts[i].name, json);
	}
	if (figures->has_bare_database)
		value_json(&figures->bare_database, "bare_database", json);
	value_json(&figures->in_turns, "in_turns", json);
	value_json(&figures->cold, "cold", json);
	member_real(json, "sum_us", figures->sum_us);
	member_whole(json, "rounds", figures->rounds);
	member_real(json, "p256_signs_per_second", figures->p256_signs);
	member_real(json, "rsa2048_signs_per_second", figures->rsa2048_signs);
	member_object_end(json);
}

static void print(const char *what, const struct floor_value *value, FILE *out)
{
	fprintf(out, "  %-47s %8.1f  (%.1f to %.1f)\n", what, value->us, value->low_us,
		value->high_us);
}

void floor_print(const struct floor_figures *figures, FILE *out)
{
	fprintf(out,
		"The floor of an enrollment, us of CPU time: medians of %u rounds (quartiles)\n",
		figures->rounds);
	for (size_t i = 0; i < FLOOR_PARTS; i++)
		if (is_told(figures, i))
			print(parts[i].what, &figures->parts[i], out);
	fprintf(out, "  %-47s %8.1f\n",
		figures->has_database ? "in all" : "in all, without PostgreSQL's", figures->sum_us);
	if (figures->has_bare_database)
		print("not in it: PostgreSQL's, tables with keys alone", &figures->bare_database,
			out);
	fprintf(out, "Without PostgreSQL's, %.1f so; and the same parts once each, then again:\n",
		figures->sum_us - figures->parts[FLOOR_DATABASE].us);
	print("in turns, with what is left in the caches", &figures->in_turns, out);
	print("in turns, with nothing in the caches", &figures->cold, out);
	fprintf(out, "Beside it, one core: %.0f signatures a second by P-256, %.0f by RSA-2048\n",
		figures->p256_signs, figures->rsa2048_signs);
}
