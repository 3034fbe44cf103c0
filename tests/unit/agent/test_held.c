#include "enroll/agent/held.h"

#include "ca/base/clock.h"
#include "maker.h"

#include <stdlib.h>
#include <unistd.h>

#define ENROLLMENT ENROLLMENT_WITH("")
#define ENROLLMENT_WITH(more)                                                                      \
	"endorse-enrollment 1\nserver=" SERVICE "\nservice=" SERVICE "\nhost=" HOST                \
	"\ndevice_id=0123456789abcdef0123456789abcdef\nek_template=L-1\nek_sha256=00\n"            \
	"ak_kind=p256\n" more "enrolled_at=2026-11-22T14:47:38Z\n"

/* A state directory with everything in it, valid for 900 seconds from 300 seconds ago. */
struct fixture {
	struct certifier certifier;
	struct device_ak *ak;
	char *dir;
	struct state *state;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	AUTO(x509_free) X509 *leaf = NULL;

	assert_non_null(f);
	certifier_make(&f->certifier);
	f->ak = made_ak(SERVICE);
	f->dir = made_directory();
	assert_int_equal(OK, state_open(f->dir, &f->state));
	leaf = certifier_issue(&f->certifier, ak_pkey(f->ak->judged), HOST, -300, 600);
	assert_int_equal(OK, device_ak_write(f->ak, state_path(f->state, STATE_AK_KEY)));
	pem_put(f->dir, STATE_AK_CERT, leaf);
	pem_put(f->dir, STATE_CHAIN, f->certifier.intermediate);
	pem_put(f->dir, STATE_ANCHORS, f->certifier.root);
	file_put(f->dir, STATE_ENROLLMENT, ENROLLMENT);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	certifier_free(&f->certifier);
	device_ak_free(&f->ak);
	state_close(&f->state);
	directory_remove(f->dir);
	free(f->dir);
	free(f);
	return 0;
}

static enum held_judgement judged(struct fixture *f, const struct anchors *anchors, long later)
{
	struct held held;

	held_read(f->state, anchors, clock_now() + later, &held);
	assert_true((held.judgement == HELD_BROKEN) == (held.problem[0] != '\0'));
	return held.judgement;
}

static void dates_decide_when_all_fits_together(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(HELD_GOOD, judged(f, NULL, 0));
	assert_int_equal(HELD_GOOD, judged(f, NULL, 290));
	assert_int_equal(HELD_DUE, judged(f, NULL, 310));
	assert_int_equal(HELD_EXPIRED, judged(f, NULL, 610));
	assert_int_equal(HELD_EARLY, judged(f, NULL, -310));
}

static void what_is_held_is_told(void **state)
{
	struct fixture *f = *state;
	struct held held;

	held_read(f->state, NULL, clock_now(), &held);
	assert_string_equal("1234567890abcdef", held.serial);
	assert_string_equal(HOST, held.enrollment.host);
	assert_int_equal(900, held.valid_until - held.valid_from);
}

static void without_an_enrollment_nothing_is_held(void **state)
{
	struct fixture *f = *state;

	unlink(state_path(f->state, STATE_ENROLLMENT));
	assert_int_equal(HELD_NOTHING, judged(f, NULL, 0));
}

static void a_missing_or_damaged_file_breaks_it(void **state)
{
	static const char *const names[] = {
		STATE_AK_KEY, STATE_AK_CERT, STATE_CHAIN, STATE_ANCHORS, STATE_ENROLLMENT};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		void *one = NULL;
		struct fixture *g;

		setup(&one);
		g = one;
		file_put(g->dir, names[i], "damaged\n");
		assert_int_equal(HELD_BROKEN, judged(g, NULL, 0));
		unlink(state_path(g->state, names[i]));
		if (i + 1 < COUNT(names))
			assert_int_equal(HELD_BROKEN, judged(g, NULL, 0));
		teardown(&one);
	}
}

static void a_certificate_for_another_key_is_broken(void **state)
{
	struct fixture *f = *state;
	struct device_ak *other = made_ak(SERVICE);

	assert_int_equal(OK, device_ak_write(other, state_path(f->state, STATE_AK_KEY)));
	assert_int_equal(HELD_BROKEN, judged(f, NULL, 0));
	device_ak_free(&other);
}

static void an_ak_for_another_service_is_broken(void **state)
{
	struct fixture *f = *state;
	struct device_ak *other = made_ak("https://other.example.org");

	assert_int_equal(OK, device_ak_write(other, state_path(f->state, STATE_AK_KEY)));
	assert_int_equal(HELD_BROKEN, judged(f, NULL, 0));
	device_ak_free(&other);
}

/* The AK at a handle whose key is nobody's to load: its public half stands in for the key file. */
static void an_ak_that_is_only_at_its_handle_is_known_by_its_public_half(void **state)
{
	struct fixture *f = *state;
	struct device_ak *other = made_ak(SERVICE);

	file_put(f->dir, STATE_ENROLLMENT,
		ENROLLMENT_WITH("ak_hierarchy=handle\nak_handle=0x81010002\n"));
	unlink(state_path(f->state, STATE_AK_KEY));
	assert_int_equal(HELD_BROKEN, judged(f, NULL, 0));
	assert_int_equal(
		OK, state_write(f->state, STATE_AK_PUBLIC, 0644, buf_view(&f->ak->public)));
	assert_int_equal(HELD_GOOD, judged(f, NULL, 0));
	assert_int_equal(
		OK, state_write(f->state, STATE_AK_PUBLIC, 0644, buf_view(&other->public)));
	assert_int_equal(HELD_BROKEN, judged(f, NULL, 0));
	file_put(f->dir, STATE_AK_PUBLIC, "damaged\n");
	assert_int_equal(HELD_BROKEN, judged(f, NULL, 0));
	device_ak_free(&other);
}

static void a_held_ak_knows_its_handle(void **state)
{
	struct fixture *f = *state;
	AUTO(device_ak_free) struct device_ak *ak = NULL;
	struct enrollment enrollment;

	file_put(f->dir, STATE_ENROLLMENT,
		ENROLLMENT_WITH("ak_hierarchy=owner\nak_handle=0x81010002\n"));
	assert_int_equal(OK, state_enrollment(f->state, &enrollment));
	assert_int_equal(OK, held_ak(f->state, &enrollment, &ak));
	assert_int_equal(0x81010002, ak->handle);
	assert_string_equal("owner", device_ak_place(ak));
	assert_int_equal(HELD_GOOD, judged(f, NULL, 0));
}

static void the_anchors_given_count_not_the_ones_kept(void **state)
{
	struct fixture *f = *state;
	AUTO(anchors_free) struct anchors *given = NULL;
	struct certifier other;

	certifier_make(&other);
	pem_put(f->dir, STATE_AK_KEY_NEW, other.root);
	assert_int_equal(OK, anchors_read(state_path(f->state, STATE_AK_KEY_NEW), &given));
	assert_int_equal(HELD_GOOD, judged(f, NULL, 0));
	assert_int_equal(HELD_BROKEN, judged(f, given, 0));
	certifier_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			dates_decide_when_all_fits_together, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_held_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_an_enrollment_nothing_is_held, setup, teardown),
		cmocka_unit_test(a_missing_or_damaged_file_breaks_it),
		cmocka_unit_test_setup_teardown(
			a_certificate_for_another_key_is_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_ak_for_another_service_is_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_ak_that_is_only_at_its_handle_is_known_by_its_public_half, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_held_ak_knows_its_handle, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_anchors_given_count_not_the_ones_kept, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
