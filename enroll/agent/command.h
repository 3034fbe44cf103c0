/* command.h - the subcommands of endorse. */
#pragma once

/* Each takes argv with its own name first and returns an exit code of exit.h. */
int enroll_command(int argc, char **argv);
int renew_command(int argc, char **argv);
int status_command(int argc, char **argv);
int ssh_config_command(int argc, char **argv);
int krl_sync_command(int argc, char **argv);
int doctor_command(int argc, char **argv);
int measure_command(int argc, char **argv);
int quote_command(int argc, char **argv);
int link_check_command(int argc, char **argv);
int skae_check_command(int argc, char **argv);
int self_sign_command(int argc, char **argv);

extern const char enroll_usage[];
extern const char renew_usage[];
extern const char status_usage[];
extern const char ssh_config_usage[];
extern const char krl_sync_usage[];
extern const char doctor_usage[];
extern const char measure_usage[];
extern const char quote_usage[];
extern const char link_check_usage[];
extern const char skae_check_usage[];
extern const char self_sign_usage[];
