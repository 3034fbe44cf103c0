/* command.h - the subcommands of endorse. */
#pragma once

/* Each takes argv with its own name first and returns an exit code of exit.h. */
int enroll_command(int argc, char **argv);
int renew_command(int argc, char **argv);
int status_command(int argc, char **argv);
int ssh_config_command(int argc, char **argv);
int doctor_command(int argc, char **argv);

extern const char enroll_usage[];
extern const char renew_usage[];
extern const char status_usage[];
extern const char ssh_config_usage[];
extern const char doctor_usage[];
