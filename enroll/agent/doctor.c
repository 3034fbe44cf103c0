/* doctor.c - `endorse doctor`: what would fail and why, before anything does. */
#include "enroll/agent/doctor.h"

#include "ca/base/clock.h"
#include "enroll/agent/command.h"
#include "enroll/agent/exit.h"
#include "enroll/agent/interrupt.h"

#include <stdio.h>
#include <string.h>

const char doctor_usage[] =
	"usage: endorse doctor [--server URL] [--ca FILE | --ca-sha256 DIGEST] [--json] [options]\n"
	"\n"
	"Looks at TPM, EK, AK, clock, name, state, network, TLS, service and policy, and says of\n"
	"each what would fail and why. Changes nothing, here or at the service. The exit code is\n"
	"0 when nothing is wrong, and 1 otherwise.\n"
	"\n"
	"  --server URL  the service; without it the one that was enrolled with, or none: then\n"
	"                only this machine is looked at\n"
	"  --json        as a JSON array of {area, level, text}; level is ok, warn, fail or "
	"skipped\n"
	"\n"
	"--ca, --ca-sha256, --service, --host, --host-from-service, --state, --tcti, "
	"--owner-auth,\n"
	"--endorsement-auth, --ak, --ak-handle, --hierarchy, --ek, --ek-certificate and --proxy "
	"as\n"
	"for endorse enroll.\n";

/* The one option that enroll does not have is taken out before the others are read. */
static bool take_json(int *argc, char **argv)
{
	bool found = false;
	int kept = 0;

	for (int i = 0; i < *argc; i++)
		if (i > 0 && strcmp(argv[i], "--json") == 0)
			found = true;
		else
			argv[kept++] = argv[i];
	*argc = kept;
	argv[kept] = NULL;
	return found;
}

/* What the command line leaves open is as it was at the last enrollment. */
static void complete(struct doctor *doctor)
{
	const struct order *order = doctor->order;
	const struct enrollment *before = &doctor->held.enrollment;
	struct wish *wish = &doctor->wish;

	wish->server = order->server;
	if (wish->server == NULL && before->server[0] != '\0')
		wish->server = before->server;
	if (wish->service != NULL)
		return;
	if (before->service[0] != '\0' &&
		(wish->server == NULL || strcmp(wish->server, before->server) == 0))
		wish->service = before->service;
	else
		wish->service = wish->server;
}

static void prepare(struct doctor *doctor)
{
	if (state_open_readonly(doctor->order->state_dir, &doctor->state) == OK)
		held_read(doctor->state, NULL, clock_now(), &doctor->held);
	doctor->wish = doctor->order->wish;
	complete(doctor);
	if (order_anchors(doctor->order,
		    doctor->state == NULL ? "" : state_path(doctor->state, STATE_ANCHORS),
		    &doctor->anchors) != OK)
		snprintf(doctor->anchors_problem, sizeof(doctor->anchors_problem), "%s",
			why()->sentence);
	doctor->attempt.wish = &doctor->wish;
	doctor->attempt.state = doctor->state;
	doctor->attempt.anchors = doctor->anchors;
	doctor->attempt.before = doctor->held.enrollment;
	doctor->attempt.is_check = true;
}

/* Each look in the order in which an enrollment would come to grief. */
static void (*const looks[])(struct doctor *doctor) = {doctor_tpm, doctor_ek, doctor_ak,
	doctor_clock, doctor_name, doctor_state, doctor_network, doctor_tls, doctor_service_clock,
	doctor_service};

static void doctor_free(struct doctor *doctor)
{
	attempt_free(&doctor->attempt);
	anchors_free(&doctor->anchors);
	state_close(&doctor->state);
	diagnosis_free(&doctor->diagnosis);
}

static enum err examine(const struct order *order, bool as_json, bool *is_well)
{
	AUTO(doctor_free) struct doctor doctor = {.order = order, .date = -1};

	diagnosis_begin(&doctor.diagnosis, as_json);
	prepare(&doctor);
	for (size_t i = 0; i < COUNT(looks); i++) {
		TRY(interrupt_check());
		looks[i](&doctor);
	}
	*is_well = doctor.diagnosis.count[FINDING_FAIL] == 0;
	return diagnosis_end(&doctor.diagnosis);
}

int doctor_command(int argc, char **argv)
{
	AUTO(order_free) struct order order = {0};
	bool as_json = take_json(&argc, argv), is_well = false;
	enum err err = order_parse(argc, argv, &order);

	if (err == OK && order.help) {
		fputs(doctor_usage, stdout);
		return EXIT_DONE;
	}
	interrupt_hold();
	if (err == OK)
		err = examine(&order, as_json, &is_well);
	if (err == OK)
		return is_well ? EXIT_DONE : EXIT_LOCAL;
	return exit_failed();
}
