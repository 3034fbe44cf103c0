/* state.h - the directory where the device tool keeps what it has. */
#pragma once

#include "ca/base/buf.h"
#include "enroll/agent/enrollment.h"
#include "enroll/agent/wanted.h"

#include <sys/types.h>

#define STATE_DEFAULT "/var/lib/endorse"

#define STATE_AK_KEY "ak.tss2.pem" /* the AK, wrapped for this TPM; 0600 */
#define STATE_AK_KEY_NEW "ak.new.tss2.pem" /* an AK that has no certificate yet; 0600 */
#define STATE_AK_PUBLIC "ak.public" /* TPM2B_PUBLIC of an AK that is in the TPM only */
#define STATE_AK_CERT "ak.pem" /* its certificate */
#define STATE_CHAIN "chain.pem" /* the intermediates above it; empty without one */
#define STATE_ANCHORS "anchors.pem" /* what is trusted */
#define STATE_SSH_HOST_CA "ssh-host-ca.pub" /* whom to believe about hosts' OpenSSH keys */
#define STATE_SSH_USER_CA "ssh-user-ca.pub" /* and about users' */
#define STATE_CERTIFICATES "certificates" /* kept.h */
#define STATE_ENROLLMENT "enrollment" /* enrollment.h; written last: its presence says "complete" */

/* What there is of a template besides, its name in front: "tls-server.fullchain.pem". */
#define STATE_LEAF ".pem" /* the certificate */
#define STATE_FULLCHAIN ".fullchain.pem" /* it, and the intermediates above it */
#define STATE_KEY ".tss2.pem" /* its key, wrapped for this TPM; 0600 */
#define STATE_KEY_NEW ".new.tss2.pem" /* a key that has no certificate yet; 0600 */
#define STATE_SSH "-cert.pub" /* an OpenSSH certificate */
#define STATE_SSH_PUB ".pub" /* the public key that it is for */

struct state;

/*
 * Opens the directory for one writer: made with mode 0700 where it is missing, refused when others
 * may write there or to one of the files above, locked until state_close(). ERR_INTERNAL "state-dir", "state-file"; ERR_CONFLICT "state-busy"
 * when another process has the lock.
 */
CHECKED enum err state_open(const char *dir, struct state **out);
/* The same to look only: nothing is made or locked. ERR_NOT_FOUND "state-missing". */
CHECKED enum err state_open_readonly(const char *dir, struct state **out);
void state_close(struct state **state);

const char *state_dir(const struct state *state);
/* The path of one of the files above; it lives as long as the state. */
const char *state_path(struct state *state, const char *name);

/* The path of a file of a template, STATE_LEAF or another, for free(); NULL when there is no memory. */
char *state_file(const struct state *state, const char *template, const char *part);

CHECKED enum err state_write(struct state *state, const char *name, mode_t mode, struct view bytes);

/* ERR_NOT_FOUND "file-missing"; ERR_INTERNAL "enrollment-file". */
CHECKED enum err state_enrollment(struct state *state, struct enrollment *out);

/*
 * What is kept there: STATE_CERTIFICATES, or where it is missing the one for the AK that there was
 * before templates could be chosen. ERR_INTERNAL "certificates-file".
 */
CHECKED enum err state_wanted(struct state *state, struct wanted *out);
CHECKED enum err state_keep(struct state *state, const struct wanted *wanted);
