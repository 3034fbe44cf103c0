/* install.h - what was issued goes into the state directory. */
#pragma once

#include "enroll/agent/attempt.h"

/*
 * Makes the AK persistent where that was asked for, writes every file beside its place, and then renames them: a failure
 * before that leaves what was installed as it was. An OpenSSH certificate for a key FILE.pub is also written to FILE-cert.pub
 * where this machine may write there and nobody else (ourdir.h). Sets is_hook_due in attempt->wanted for each certificate that is another than before.
 * Errors of device_ak_persist(); ERR_INTERNAL.
 */
CHECKED enum err install(struct attempt *attempt);

/*
 * Where the OpenSSH certificate for the key in `file` goes, for free(); NULL when the name does not
 * end in ".pub".
 */
char *install_beside(const char *file);
