/* client.h - how the rest of the service asks for a signature: with a grant, never with bytes.
 * Linked in here; the same call will cross to the process that holds the keys. */
#pragma once

#include "ca/crl.h"
#include "ca/issue.h"
#include "ca/krl.h"
#include "ca/ocsp.h"

struct signer;

/* A CA that issued once: it signs CRLs and OCSP answers of what it issued, and nothing else. */
struct signer_former {
	const char *certificate, *key, *passphrase; /* see authority_load_former() */
};

struct signer_files {
	const char *certificate, *key, *passphrase; /* see authority_load() */
	const char *templates; /* directory */
	/* OpenSSH CAs, see ssh_ca_load(); NULL: none. */
	const char *ssh_host_key, *ssh_host_passphrase;
	const char *ssh_user_key, *ssh_user_passphrase;
	const char *organization; /* the operator's; NULL: the first one of the CA's subject */
	const struct signer_former *former;
	size_t former_n; /* 0: none */
	const char *root_crl; /* the CRL of a CA above the issuing one, DER or PEM; NULL: none */
};

/*
 * Opens the issuing CA, the former ones, the OpenSSH CAs that there are, and the signer's own
 * templates, which are checked against every grant. Whatever is wrong with any, and each finding of
 * templates_lint(), is added to `problems`. `*out` is the caller's, for signer_close(). ERR_INTERNAL
 * "ca-former" for a former CA that has the key of another one; errors of templates_load(),
 * templates_lint(), authority_load(), ssh_ca_load() and crl_above_read().
 */
CHECKED enum err signer_open(
	const struct signer_files *files, struct problems *problems, struct signer **out);
void signer_close(struct signer **signer);

/*
 * Builds and signs what the grant says. ERR_INTERNAL "template-unknown", "template-version": the
 * signer's own templates do not know what the grant names; "template-key": the grant has no
 * statement of an AK, and the template wants one, or the other way round; "ssh-ca": there is no CA
 * for it; otherwise as certificate_issue() and, of the kinds ssh-*, ssh_issue(). Safe from any
 * thread.
 */
CHECKED enum err signer_issue(
	struct signer *signer, const struct grant *grant, int64_t now, struct issued *out);

/*
 * Would signer_issue() take this grant, as far as the grant is concerned? Errors of it but for the
 * CA's own.
 */
CHECKED enum err signer_judge(const struct signer *signer, const struct grant *grant);

/* The version of a template; 0 when there is none of that name. */
unsigned signer_template_version(const struct signer *signer, const char *name);

/* The template at a place, from 0; NULL beyond the last. */
const struct template *signer_template(const struct signer *signer, size_t index);

/* NULL when there is none of that name. */
const struct template *signer_template_named(const struct signer *signer, const char *name);

/* Seconds since 1970 at which the issuing CA's certificate ends. */
int64_t signer_not_after(const struct signer *signer);

/* The issuing CA's certificate and those above it; see authority_chain(). */
struct view signer_chain(const struct signer *signer, size_t index);

/*
 * Is this certificate, in DER, signed by the issuing CA as it is now, so that signer_chain() leads
 * on from it? What an earlier CA issued is not. An OpenSSH certificate: by the CA of its kind as it
 * is now.
 */
bool signer_has_issued(const struct signer *signer, struct view der);

/* A CA of the signer's: one that issues, or one that issued once and goes on telling of that. */
struct signer_issuer {
	const uint8_t *id; /* SHA256_SIZE; see authority_id(), ssh_ca_id() */
	enum template_kind kind;
	struct view certificate; /* DER; of an OpenSSH CA its public key blob */
	int64_t not_after; /* seconds since 1970; 0: an OpenSSH CA, which does not end */
	bool issues; /* new certificates are by this one */
};

/*
 * The CA at a place, from 0; false beyond the last. The first one issues X.509 certificates. Borrowed
 * as long as the signer.
 */
bool signer_issuer(const struct signer *signer, size_t index, struct signer_issuer *out);

/*
 * The CRL of an X.509 CA of the signer's, see crl_build(). ERR_INTERNAL "issuer-unknown" when `issuer`
 * is the id of none. Safe from any thread.
 */
CHECKED enum err signer_crl(struct signer *signer, const uint8_t issuer[static SHA256_SIZE],
	const struct crl_content *content, struct buf *der);

/* crl_capacity() of the CA that issues. */
size_t signer_crl_capacity(const struct signer *signer, size_t url_n, size_t bytes);

/*
 * Which X.509 CA of the signer's issued a certificate that is asked for so? Its id, SHA256_SIZE bytes,
 * borrowed as long as the signer; NULL: none of them.
 */
const uint8_t *signer_ocsp_issuer(const struct signer *signer, const struct ocsp_id *id);

/* Was this certificate, in DER, signed by that X.509 CA of the signer's? */
bool signer_has_issued_by(
	const struct signer *signer, const uint8_t issuer[static SHA256_SIZE], struct view der);

/* An OCSP responder of a CA's, as it is to be recorded. */
struct signer_responder {
	uint8_t serial[RESPONDER_SERIAL_SIZE];
	struct buf der;
	int64_t not_before, not_after; /* seconds since 1970 */
};
void signer_responder_free(struct signer_responder *responder); /* for AUTO; accepts zeroes */

/*
 * Is there none, or is it time for the next one, see responder_is_due()? Of a CA that has ended there
 * is none to come.
 */
bool signer_responder_is_due(
	struct signer *signer, const uint8_t issuer[static SHA256_SIZE], int64_t now);

/*
 * Makes the next one and tells of it; the present one goes on until signer_responder_take() with its
 * serial number: what signs is to be recorded first. `out` is the caller's, also after a failure.
 * ERR_INTERNAL "issuer-unknown"; errors of responder_make().
 */
CHECKED enum err signer_responder_make(struct signer *signer,
	const uint8_t issuer[static SHA256_SIZE], int64_t now, struct signer_responder *out);
/* Does nothing when it was not made last. */
void signer_responder_take(struct signer *signer, const uint8_t issuer[static SHA256_SIZE],
	const uint8_t serial[static RESPONDER_SERIAL_SIZE]);

/* When the present one ends, in seconds since 1970; 0: there is none. */
int64_t signer_responder_ends(struct signer *signer, const uint8_t issuer[static SHA256_SIZE]);

/*
 * Signs an answer by the CA's responder, see ocsp_response(); `next_update` is cut to the responder's
 * end. ERR_NOT_FOUND "ca-ended"; ERR_BUSY "responder" when there is none, or it has ended; ERR_INTERNAL
 * "issuer-unknown". Safe from any thread.
 */
CHECKED enum err signer_ocsp(struct signer *signer, const uint8_t issuer[static SHA256_SIZE],
	struct ocsp_content *content, struct buf *der);

/* The CRL of signer_files.root_crl in DER, as it was when the signer was opened; empty: there is none. */
struct view signer_root_crl(const struct signer *signer);

/* What ${organization} stands for; NULL when neither files nor CA name one. */
const char *signer_organization(const struct signer *signer);

/* The public key blob of the OpenSSH CA for a kind of template; empty when there is none. */
struct view signer_ssh_ca(const struct signer *signer, enum template_kind kind);

/*
 * Makes the KRL and signs it, see SSHSIG_KRL of ca/sshsig.h, with the OpenSSH CA for users where there is
 * one, otherwise with that for hosts, of which one is not among the keys that the list takes back, where
 * that can be. ERR_INTERNAL "ssh-ca": there is none; errors of krl_build() and sshsig_make().
 */
CHECKED enum err signer_krl(struct signer *signer, const struct krl_content *content,
	struct buf *bytes, struct buf *signature);

/*
 * Signs and verifies a random text: does the key sign, and is it the certificate's? So for every CA
 * that issues. ERR_BUSY "ca-key", "ca-not-valid-yet", "ca-expired".
 */
CHECKED enum err signer_ready(struct signer *signer);
