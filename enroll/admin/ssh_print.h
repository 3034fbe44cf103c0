/* ssh_print.h - an OpenSSH certificate as ssh-keygen -L shows it. */
#pragma once

#include "ca/ssh.h"

/*
 * Appends the lines that follow the file's name there. Times are local. ERR_MALFORMED
 * "ssh-certificate", "ssh-key".
 */
CHECKED enum err ssh_print(struct view blob, struct buf *out);
