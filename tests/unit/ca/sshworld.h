/* sshworld.h - keys of ssh-keygen's and of ours, grants and templates for them. */
#pragma once

#include "ca/key.h"
#include "ca/ssh.h"
#include "ca/sshkey.h"

/* Kinds of keys that ssh-keygen makes and sshkey_parse() takes. */
struct sshworld_kind {
	const char *type, *bits; /* of ssh-keygen -t and -b */
	const char *name; /* as it begins a line */
};
extern const struct sshworld_kind sshworld_kinds[];
extern const size_t sshworld_kinds_n;

/* ssh-keygen makes `dir`/`name` and `dir`/`name`.pub. */
void sshworld_keygen(
	const char *dir, const char *name, const char *type, const char *bits, const char *comment);
/* The blob in a file of one line, whatever it is of. */
void sshworld_read(const char *dir, const char *name, struct buf *blob);
/* A blob as a file of one line. */
void sshworld_write(const char *dir, const char *name, struct view blob);

/* A CA whose key was made, saved and loaded; `type` of ca/key.h. */
struct ssh_ca *sshworld_ca(const char *dir, enum key_type type);

/* A template of a kind, "ssh-host" or "ssh-user", of one hour; lists are the test's to fill. */
struct template sshworld_template(const char *kind);
/* web-01.example.org, serial 7, with the label login=deploy. */
struct grant sshworld_grant(const struct template *tmpl);
