#include "tunnel.h"

#include <string.h>

/* An attack, or an accident: the one thing in which a scene differs from that of an honest host. */
struct fault {
	const char *name;
	void (*make)(struct scene *scene);
	enum link_part broken; /* LINK_PARTS: none */
	const char *code;
};

static void try_faults(const struct fault *faults, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum link_part broken = LINK_PARTS;
		struct scene scene;
		enum err err;

		scene_make(&scene);
		faults[i].make(&scene);
		err = link_judge(&scene.question, &broken);
		if (broken != faults[i].broken || (err == OK) != (broken == LINK_PARTS) ||
			(err != OK && strcmp(why()->code, faults[i].code) != 0))
			fail_msg("%s: part %d, err %d \"%s\": %s", faults[i].name, (int)broken,
				(int)err, err == OK ? "" : why()->code,
				err == OK ? "" : why()->sentence);
		scene_free(&scene);
	}
}
#define TRY_FAULTS(faults) try_faults((faults), COUNT(faults))

static void nothing(struct scene *s)
{
	(void)s;
}

static void an_endpoint_certified_by_the_ca(struct scene *s)
{
	s->question.endpoint = scene_certificate(s, &(struct recipe){.name = "TLS",
							    .key = s->victim.key,
							    .dns = s->victim.name,
							    .usage = "serverAuth,clientAuth"});
}

static void a_name_in_capitals(struct scene *s)
{
	s->question.endpoint = scene_certificate(s,
		&(struct recipe){.name = "TLS", .key = s->victim.key, .dns = "WEB-01.example.org"});
}

static void a_second_endpoint(struct scene *s)
{
	host_measure(&s->victim, ENDPOINT_MEASURED, s->thief.key);
	host_measure(&s->victim, ENDPOINT_INVALID, s->thief.key);
	host_quote(&s->victim, s, 1u << PCR);
	scene_show(s, &s->victim);
}

static void an_honest_host_is_linked(void **state)
{
	static const struct fault faults[] = {
		{"as it is", nothing, LINK_PARTS, ""},
		{"certified by the CA", an_endpoint_certified_by_the_ca, LINK_PARTS, ""},
		{"capitals", a_name_in_capitals, LINK_PARTS, ""},
		{"a second endpoint, taken back", a_second_endpoint, LINK_PARTS, ""},
	};

	(void)state;
	TRY_FAULTS(faults);
}

/* The thief's endpoint under the victim's name; everything else is the victim's, fresh. */
static void a_quote_relayed(struct scene *s)
{
	s->question.endpoint = scene_certificate(s, &(struct recipe){.name = "endpoint",
							    .key = s->thief.key,
							    .dns = s->victim.name,
							    .issuer_key = s->thief.key});
}

static void a_quote_relayed_by_name(struct scene *s)
{
	s->question.endpoint = s->thief.endpoint;
}

/* The thief has the key of the victim's endpoint, measures it himself, and is an enrolled host too. */
static void steal_key(struct scene *s)
{
	host_measure(&s->thief, ENDPOINT_MEASURED, s->victim.key);
	host_quote(&s->thief, s, 1u << PCR);
	scene_show(s, &s->thief);
}

static void a_stolen_key_and_the_victims_certificate(struct scene *s)
{
	steal_key(s);
	s->question.property = s->victim.property;
}

static void a_stolen_key_and_both_of_the_victims_certificates(struct scene *s)
{
	steal_key(s);
	s->question.property = s->victim.property;
	s->question.ak = s->victim.ak_certificate;
}

static void an_endpoint_marked_invalid(struct scene *s)
{
	host_measure(&s->victim, ENDPOINT_INVALID, s->victim.key);
	host_quote(&s->victim, s, 1u << PCR);
	scene_show(s, &s->victim);
}

static void an_endpoint_marked_invalid_and_measured_again(struct scene *s)
{
	host_measure(&s->victim, ENDPOINT_INVALID, s->victim.key);
	host_measure(&s->victim, ENDPOINT_MEASURED, s->victim.key);
	host_quote(&s->victim, s, 1u << PCR);
	scene_show(s, &s->victim);
}

static void the_papers_attacks_break_the_link(void **state)
{
	static const struct fault faults[] = {
		{"quote relayed", a_quote_relayed, LINK_KEY, "endpoint-not-measured"},
		{"quote relayed, by name", a_quote_relayed_by_name, LINK_NAME, "link-name"},
		{"stolen key, thief's certificates", steal_key, LINK_NAME, "link-name"},
		{"stolen key, victim's certificate", a_stolen_key_and_the_victims_certificate,
			LINK_SAME_AK, "link-ak"},
		{"stolen key, victim's both", a_stolen_key_and_both_of_the_victims_certificates,
			LINK_QUOTE, "attest-signature"},
		{"invalid", an_endpoint_marked_invalid, LINK_KEY, "endpoint-invalid"},
		{"invalid and again", an_endpoint_marked_invalid_and_measured_again, LINK_KEY,
			"endpoint-invalid"},
	};

	(void)state;
	TRY_FAULTS(faults);
}

static void a_quote_of_yesterday(struct scene *s)
{
	static const uint8_t today[32] = {9};

	s->question.nonce = VIEW(today);
}

/* The text of the victim's log after it was marked invalid, for a test to write over. */
static char *invalid_log(struct scene *s)
{
	an_endpoint_marked_invalid(s);
	return (char *)s->victim.text.p;
}

static void a_log_shortened(struct scene *s)
{
	char *last = strstr(invalid_log(s), "invalid ");

	s->question.log.n = (size_t)(last - (char *)s->victim.text.p);
}

static void a_log_emptied(struct scene *s)
{
	char *first = strstr(invalid_log(s), "measured ");

	s->question.log.n = (size_t)(first - (char *)s->victim.text.p);
}

static void a_log_altered(struct scene *s)
{
	char *digit = strstr(invalid_log(s), "invalid ") + 8;

	*digit = *digit == '0' ? '1' : '0';
}

static void an_event_of_another_kind(struct scene *s)
{
	endpoint_log_free(&s->victim.log);
	s->victim.log.pcr = PCR;
	memset(&s->victim.pcrs, 0, sizeof(s->victim.pcrs));
	host_measure(&s->victim, ENDPOINT_INVALID, s->victim.key);
	host_quote(&s->victim, s, 1u << PCR);
	s->victim.log.event[0].act = ENDPOINT_MEASURED;
	buf_free(&s->victim.text);
	assert_int_equal(OK, endpoint_log_encode(&s->victim.log, &s->victim.text));
	scene_show(s, &s->victim);
}

static void a_log_reordered(struct scene *s)
{
	struct endpoint_event first;

	host_measure(&s->victim, ENDPOINT_MEASURED, s->thief.key);
	host_quote(&s->victim, s, 1u << PCR);
	first = s->victim.log.event[0];
	s->victim.log.event[0] = s->victim.log.event[1];
	s->victim.log.event[1] = first;
	buf_free(&s->victim.text);
	assert_int_equal(OK, endpoint_log_encode(&s->victim.log, &s->victim.text));
	scene_show(s, &s->victim);
}

static void a_log_lengthened(struct scene *s)
{
	a_quote_relayed(s);
	host_measure(&s->victim, ENDPOINT_MEASURED, s->thief.key);
	buf_free(&s->victim.text);
	assert_int_equal(OK, endpoint_log_encode(&s->victim.log, &s->victim.text));
	s->question.log = buf_view(&s->victim.text);
}

static void a_log_of_the_thief(struct scene *s)
{
	steal_key(s);
	scene_show(s, &s->victim);
	s->question.log = buf_view(&s->thief.text);
}

static void a_log_that_is_none(struct scene *s)
{
	s->question.log = view_str("log\n");
}

/* Everybody can reset it, and replay into it what he likes. */
static void pcr_16(struct scene *s)
{
	memcpy(strstr((char *)s->victim.text.p, "13\n"), "16\n", 3);
}

static void a_log_of_another_pcr(struct scene *s)
{
	memcpy(strstr((char *)s->victim.text.p, "13\n"), "12\n", 3);
}

/* Marked invalid in one PCR, and measured anew where nothing was yet, which the host can do at any time. */
static void an_endpoint_marked_invalid_and_measured_elsewhere(struct scene *s)
{
	struct endpoint_event event = {.act = ENDPOINT_MEASURED};
	uint8_t digest[32];

	an_endpoint_marked_invalid(s);
	endpoint_log_free(&s->victim.log);
	s->victim.log.pcr = 12;
	assert_int_equal(OK, endpoint_key_sha256(s->victim.key, event.spki_sha256));
	assert_int_equal(OK, endpoint_log_add(&s->victim.log, &event));
	assert_int_equal(OK, endpoint_event_digest(&event, digest));
	assert_true(soft_pcr_extend(&s->victim.pcrs, 12, digest));
	host_quote(&s->victim, s, 1u << 12);
	scene_show(s, &s->victim);
}

static void a_log_in_the_pcr_that_is_wanted(struct scene *s)
{
	an_endpoint_marked_invalid_and_measured_elsewhere(s);
	s->question.pcr = 12;
}

static void a_log_belongs_to_the_pcr_that_the_relying_party_wants(void **state)
{
	static const struct fault faults[] = {
		{"measured elsewhere", an_endpoint_marked_invalid_and_measured_elsewhere, LINK_LOG,
			"link-pcr"},
		{"in the one wanted", a_log_in_the_pcr_that_is_wanted, LINK_PARTS, ""},
	};

	(void)state;
	TRY_FAULTS(faults);
}

static void a_quote_over_another_pcr(struct scene *s)
{
	memcpy(s->victim.pcrs.value[12], s->victim.pcrs.value[PCR], 32);
	host_quote(&s->victim, s, 1u << 12);
	scene_show(s, &s->victim);
}

static void a_quote_over_no_pcr(struct scene *s)
{
	host_quote(&s->victim, s, 0);
	scene_show(s, &s->victim);
}

static void a_quote_over_more(struct scene *s)
{
	host_quote(&s->victim, s, 1u << PCR | 1);
	scene_show(s, &s->victim);
}

static void no_quote(struct scene *s)
{
	s->question.attest = (struct view){NULL, 0};
}

static void nothing_but_the_log_as_it_was_can_be_quoted(void **state)
{
	static const struct fault faults[] = {
		{"nonce of another day", a_quote_of_yesterday, LINK_QUOTE,
			"attest-qualifying-data"},
		{"log shortened", a_log_shortened, LINK_QUOTE, "quote-digest"},
		{"log emptied", a_log_emptied, LINK_QUOTE, "quote-digest"},
		{"log altered", a_log_altered, LINK_QUOTE, "quote-digest"},
		{"event of another kind", an_event_of_another_kind, LINK_QUOTE, "quote-digest"},
		{"log reordered", a_log_reordered, LINK_QUOTE, "quote-digest"},
		{"log lengthened", a_log_lengthened, LINK_QUOTE, "quote-digest"},
		{"the thief's log", a_log_of_the_thief, LINK_QUOTE, "quote-digest"},
		{"no log", a_log_that_is_none, LINK_LOG, "endpoint-log"},
		{"PCR 16", pcr_16, LINK_LOG, "endpoint-log"},
		{"log of another PCR", a_log_of_another_pcr, LINK_LOG, "link-pcr"},
		{"quote over another PCR", a_quote_over_another_pcr, LINK_QUOTE, "quote-selection"},
		{"quote over no PCR", a_quote_over_no_pcr, LINK_QUOTE, "quote-selection"},
		{"quote over more", a_quote_over_more, LINK_QUOTE, "quote-selection"},
		{"no quote", no_quote, LINK_QUOTE, "attest"},
	};

	(void)state;
	TRY_FAULTS(faults);
}

/* The endpoint signs for itself under other names. */
static void name_endpoint(struct scene *s, const char *dns)
{
	s->question.endpoint = scene_certificate(s, &(struct recipe){.name = "endpoint",
							    .key = s->victim.key,
							    .dns = dns,
							    .issuer_key = s->victim.key});
}

static void name_property(struct scene *s, const char *dns)
{
	s->question.property = scene_certificate(s, &(struct recipe){.name = "AK",
							    .key = s->victim.ak.pkey,
							    .dns = dns,
							    .usage = PROPERTY_USAGE});
}

static void another_name_dialled(struct scene *s)
{
	s->question.name = "web-02.example.org";
}

static void another_name_shown(struct scene *s)
{
	name_endpoint(s, "web-02.example.org");
}

static void a_longer_name_shown(struct scene *s)
{
	name_endpoint(s, "web-01.example.org.evil.example");
}

static void a_wildcard_shown(struct scene *s)
{
	name_endpoint(s, "*.example.org");
}

static void a_second_name_shown(struct scene *s)
{
	name_endpoint(s, "web-01.example.org,DNS:web-02.example.org");
}

static void no_name_shown(struct scene *s)
{
	name_endpoint(s, NULL);
}

static void another_name_certified(struct scene *s)
{
	name_property(s, "web-02.example.org");
}

static void a_second_name_certified(struct scene *s)
{
	name_property(s, "web-01.example.org,DNS:web-02.example.org");
}

static void no_name_certified(struct scene *s)
{
	name_property(s, NULL);
}

static void the_three_names_are_one(void **state)
{
	static const struct fault faults[] = {
		{"dialled", another_name_dialled, LINK_NAME, "link-name"},
		{"shown", another_name_shown, LINK_NAME, "link-name"},
		{"shown, longer", a_longer_name_shown, LINK_NAME, "link-name"},
		{"shown, wildcard", a_wildcard_shown, LINK_NAME, "link-name"},
		{"shown, two", a_second_name_shown, LINK_NAME, "link-name"},
		{"shown, none", no_name_shown, LINK_NAME, "link-name"},
		{"certified", another_name_certified, LINK_NAME, "link-name"},
		{"certified, two", a_second_name_certified, LINK_NAME, "link-name"},
		{"certified, none", no_name_certified, LINK_NAME, "link-name"},
	};

	(void)state;
	TRY_FAULTS(faults);
}

static void nonces_have_16_to_32_bytes(void **state)
{
	static const struct {
		const char *text;
		size_t bytes;
	} rows[] = {
		{"000102030405060708090a0b0c0d0e0f", 16},
		{"000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e1f", 32},
		{"", 0},
		{"000102030405060708090a0b0c0d0e", 0},
		{"000102030405060708090a0b0c0d0e0", 0},
		{"000102030405060708090a0b0c0d0e0g", 0},
		{"0x0102030405060708090a0b0c0d0e0f", 0},
		{"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf nonce = {0};
		enum err err = link_nonce_read(rows[i].text, &nonce);

		assert_int_equal(rows[i].bytes > 0 ? OK : ERR_MALFORMED, err);
		assert_int_equal(rows[i].bytes, nonce.n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_host_is_linked),
		cmocka_unit_test(the_papers_attacks_break_the_link),
		cmocka_unit_test(nothing_but_the_log_as_it_was_can_be_quoted),
		cmocka_unit_test(a_log_belongs_to_the_pcr_that_the_relying_party_wants),
		cmocka_unit_test(the_three_names_are_one),
		cmocka_unit_test(nonces_have_16_to_32_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
