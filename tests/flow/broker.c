#include "tests/flow/broker.h"

#include "tests/flow/tpmtool.h"

#include <signal.h>
#include <stdlib.h>

static const char config_format[] =
	"<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
	" \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
	"<busconfig><type>session</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>\n"
	"<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\n"
	"<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>\n";

static bool is_open(void *arg)
{
	return socket_accepts(arg);
}

static bool answers(void *arg)
{
	AUTO(output_free) struct output output;

	tpmtool(&output, arg, "/", "tpm2_getcap", "handles-transient", NULL);
	return output.code == 0;
}

static void start_bus(const char *dir, struct broker *broker)
{
	AUTO(mem_free) char *socket = text("%s/bus", dir);
	AUTO(mem_free) char *option = text("--config-file=%s/bus.conf", dir);
	AUTO(mem_free) char *path = text("%s/bus.conf", dir);
	AUTO(mem_free) char *config = text(config_format, socket);
	AUTO(mem_free) char *log = text("%s/bus.log", dir);

	write_file(path, 0644, view_str(config));
	broker->address = text("unix:path=%s", socket);
	broker->bus = process_start(&(struct program){.log = log,
		.argv = (const char *const[]){"dbus-daemon", "--nofork", option, NULL}});
	must(wait_until(is_open, socket, 10000), "no message bus: see %s", log);
	setenv("DBUS_SESSION_BUS_ADDRESS", broker->address, 1);
}

static void start_manager(const char *dir, const struct chip *chip, struct broker *broker, size_t i)
{
	AUTO(mem_free) char *name = text("--dbus-name=test.endorse.Tpm%zu", i);
	AUTO(mem_free) char *tcti = text("--tcti=%s", chip->tcti);
	AUTO(mem_free) char *log = text("%s/manager-%zu.log", dir, i);

	broker->tctis[i] = text("tabrmd:bus_type=session,bus_name=test.endorse.Tpm%zu", i);
	broker->managers[i] = process_start(&(struct program){.log = log,
		.argv = (const char *const[]){
			"tpm2-abrmd", "--session", "--allow-root", name, tcti, NULL}});
	must(wait_until(answers, broker->tctis[i], 20000), "no resource manager: see %s", log);
}

void broker_start(const char *dir, const struct chip *chips, size_t n, struct broker *broker)
{
	*broker = (struct broker){.bus = 0};
	must(n <= BROKER_CHIPS, "at most %d chips", BROKER_CHIPS);
	start_bus(dir, broker);
	for (size_t i = 0; i < n; i++)
		start_manager(dir, &chips[i], broker, i);
}

void broker_stop(struct broker *broker)
{
	for (size_t i = 0; i < BROKER_CHIPS; i++) {
		process_stop(&broker->managers[i], SIGTERM);
		free(broker->tctis[i]);
	}
	process_stop(&broker->bus, SIGTERM);
	unsetenv("DBUS_SESSION_BUS_ADDRESS");
	free(broker->address);
	*broker = (struct broker){.bus = 0};
}
