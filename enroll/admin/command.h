/* command.h - the subcommands of endorsectl: one file each, one table in main.c. */
#pragma once

#include "enroll/proto/problem.h"

/* Exit codes, documented in endorsectl(1). */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* a file, the network, the service's own trouble */
	EXIT_WRONG_USAGE = 2,
	EXIT_REFUSED = 5, /* the service said no; the reason is printed */
};

/* Gets the arguments from the subcommand's last word on; returns the exit code. */
int command_attempts(int argc, char **argv);
int command_audit(int argc, char **argv);
int command_ca_crl(int argc, char **argv);
int command_ca_edge(int argc, char **argv);
int command_ca_init(int argc, char **argv);
int command_ca_init_admin(int argc, char **argv);
int command_ca_init_ssh(int argc, char **argv);
int command_ca_operator(int argc, char **argv);
int command_certificate_download(int argc, char **argv);
int command_certificate_list(int argc, char **argv);
int command_certificate_show(int argc, char **argv);
int command_crl_export(int argc, char **argv);
int command_device_labels(int argc, char **argv);
int command_device_list(int argc, char **argv);
int command_device_show(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_ek_allow_add(int argc, char **argv);
int command_ek_allow_import(int argc, char **argv);
int command_ek_allow_list(int argc, char **argv);
int command_ek_allow_remove(int argc, char **argv);
int command_export_certificates(int argc, char **argv);
int command_export_devices(int argc, char **argv);
int command_hold_certificate(int argc, char **argv);
int command_hold_device(int argc, char **argv);
int command_host_list(int argc, char **argv);
int command_host_rebind(int argc, char **argv);
int command_host_retire(int argc, char **argv);
int command_host_unbind(int argc, char **argv);
int command_krl_export(int argc, char **argv);
int command_operator_add(int argc, char **argv);
int command_operator_disable(int argc, char **argv);
int command_operator_list(int argc, char **argv);
int command_operator_revoke_certificate(int argc, char **argv);
int command_operator_role(int argc, char **argv);
int command_pending_accept_once(int argc, char **argv);
int command_pending_list(int argc, char **argv);
int command_pending_reject(int argc, char **argv);
int command_pending_show(int argc, char **argv);
int command_pending_trust_ca(int argc, char **argv);
int command_reinstate_device(int argc, char **argv);
int command_reinstate_host(int argc, char **argv);
int command_reload(int argc, char **argv);
int command_revocation(int argc, char **argv);
int command_revoke_ca(int argc, char **argv);
int command_revoke_certificate(int argc, char **argv);
int command_revoke_device(int argc, char **argv);
int command_revoke_host(int argc, char **argv);
int command_statistics(int argc, char **argv);
int command_status(int argc, char **argv);
int command_template_check(int argc, char **argv); /* with exit codes of its own */
int command_template_list(int argc, char **argv);
int command_template_show(int argc, char **argv);
int command_token_create(int argc, char **argv);
int command_token_list(int argc, char **argv);
int command_token_revoke(int argc, char **argv);
int command_unhold_certificate(int argc, char **argv);
int command_unhold_device(int argc, char **argv);
int command_vendors_export(int argc, char **argv);
int command_vendors_import(int argc, char **argv);
int command_vendors_list(int argc, char **argv);
int command_vendors_remove(int argc, char **argv);
int command_vendors_show(int argc, char **argv);
int command_vendors_verify(int argc, char **argv); /* with exit codes of its own */
int command_whoami(int argc, char **argv);

/* How a subcommand ends, by what was printed: its usage as asked for, its usage because it was
 * called wrongly, that --why is all that is not there, the last failure, or the service's refusal. */
int command_told(const char *usage);
int command_misused(const char *usage);
int command_lacks_why(void);
int command_failed(void);
int command_refused(const struct problem *problem); /* what the service said */
/* One of the last two, or EXIT_DONE: how whoever asked the service ends. */
int command_ended(enum err err, const struct problem *problem);
