#include "ca/ocsp.h"

#include "ca/base/cert.h"
#include "ca/signer/parts.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What one X.509 CA has for OCSP. */
struct place {
	const struct authority *authority;
	/* As requests name it. */
	uint8_t name_hash[OCSP_HASHES][SHA256_SIZE], key_hash[OCSP_HASHES][SHA256_SIZE];
	pthread_rwlock_t lock; /* over the next two: signing reads them */
	struct responder *present, *next; /* NULL: none */
};

struct responders {
	size_t n; /* places that are made */
	struct place places[];
};

static enum err set_hashes(struct place *place)
{
	const EVP_MD *digests[] = {[OCSP_BY_SHA1] = EVP_sha1(), [OCSP_BY_SHA256] = EVP_sha256()};
	X509 *ca = authority_certificate(place->authority);

	for (size_t i = 0; i < COUNT(digests); i++)
		if (X509_NAME_digest(X509_get_subject_name(ca), digests[i], place->name_hash[i],
			    NULL) != 1 ||
			X509_pubkey_digest(ca, digests[i], place->key_hash[i], NULL) != 1)
			return fail(ERR_INTERNAL, "crypto", "cannot hash the CA's name and key");
	return OK;
}

enum err responders_make(const struct signer *signer, struct responders **out)
{
	AUTO(responders_free)
	struct responders *responders =
		calloc(1, sizeof(*responders) + (1 + signer->former_n) * sizeof(struct place));

	if (responders == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "responders_make");
	for (size_t i = 0; i < 1 + signer->former_n; i++) {
		struct place *place = &responders->places[i];

		place->authority = i == 0 ? signer->authority : signer->former[i - 1];
		pthread_rwlock_init(&place->lock, NULL);
		responders->n++;
		TRY(set_hashes(place));
	}
	*out = MOVE(responders);
	return OK;
}

void responders_free(struct responders **responders)
{
	if (*responders == NULL)
		return;
	for (size_t i = 0; i < (*responders)->n; i++) {
		struct place *place = &(*responders)->places[i];

		responder_free(&place->present);
		responder_free(&place->next);
		pthread_rwlock_destroy(&place->lock);
	}
	free(*responders);
	*responders = NULL;
}

void signer_responder_free(struct signer_responder *responder)
{
	buf_free(&responder->der);
}

static struct place *place_of(const struct signer *signer, const uint8_t issuer[static SHA256_SIZE])
{
	for (size_t i = 0; i < signer->responders->n; i++)
		if (memcmp(authority_id(signer->responders->places[i].authority), issuer,
			    SHA256_SIZE) == 0)
			return &signer->responders->places[i];
	return NULL;
}

static enum err find(
	const struct signer *signer, const uint8_t issuer[static SHA256_SIZE], struct place **out)
{
	*out = place_of(signer, issuer);
	return *out != NULL ? OK
			    : fail(ERR_INTERNAL, "issuer-unknown",
				      "the signer has no CA of this id: is it missing in "
				      "former_cas?");
}

const uint8_t *signer_ocsp_issuer(const struct signer *signer, const struct ocsp_id *id)
{
	if (id->hash == OCSP_BY_OTHER)
		return NULL;
	for (size_t i = 0; i < signer->responders->n; i++) {
		const struct place *place = &signer->responders->places[i];

		/* Behind a digest that is shorter both are zero. */
		if (memcmp(place->name_hash[id->hash], id->name_hash, SHA256_SIZE) == 0 &&
			memcmp(place->key_hash[id->hash], id->key_hash, SHA256_SIZE) == 0)
			return authority_id(place->authority);
	}
	return NULL;
}

bool signer_has_issued_by(
	const struct signer *signer, const uint8_t issuer[static SHA256_SIZE], struct view der)
{
	AUTO(x509_free) X509 *cert = cert_from_der(der);
	const struct authority *authority = signer_authority(signer, issuer);
	bool is_its = false;

	if (cert != NULL && authority != NULL) {
		X509 *ca = authority_certificate(authority);

		is_its = X509_check_issued(ca, cert) == X509_V_OK &&
			 X509_verify(cert, X509_get0_pubkey(ca)) == 1;
	}
	ERR_clear_error();
	return is_its;
}

bool signer_responder_is_due(
	struct signer *signer, const uint8_t issuer[static SHA256_SIZE], int64_t now)
{
	struct place *place = place_of(signer, issuer);
	bool is_due;

	if (place == NULL || now >= authority_not_after(place->authority))
		return false;
	pthread_rwlock_rdlock(&place->lock);
	is_due = place->present == NULL || responder_is_due(place->present, place->authority, now);
	pthread_rwlock_unlock(&place->lock);
	return is_due;
}

enum err signer_responder_make(struct signer *signer, const uint8_t issuer[static SHA256_SIZE],
	int64_t now, struct signer_responder *out)
{
	AUTO(responder_free) struct responder *made = NULL, *old = NULL;
	struct place *place;

	*out = (struct signer_responder){.der = BUF(16384)};
	TRY(find(signer, issuer, &place));
	TRY(responder_make(place->authority, now, &made));
	memcpy(out->serial, responder_serial(made), RESPONDER_SERIAL_SIZE);
	buf_add(&out->der, responder_der(made));
	out->not_before = responder_not_before(made);
	out->not_after = responder_not_after(made);
	TRY(buf_ok(&out->der));
	pthread_rwlock_wrlock(&place->lock);
	old = MOVE(place->next);
	place->next = MOVE(made);
	pthread_rwlock_unlock(&place->lock);
	return OK;
}

void signer_responder_take(struct signer *signer, const uint8_t issuer[static SHA256_SIZE],
	const uint8_t serial[static RESPONDER_SERIAL_SIZE])
{
	AUTO(responder_free) struct responder *old = NULL;
	struct place *place = place_of(signer, issuer);

	if (place == NULL)
		return;
	pthread_rwlock_wrlock(&place->lock);
	if (place->next != NULL &&
		memcmp(responder_serial(place->next), serial, RESPONDER_SERIAL_SIZE) == 0) {
		old = MOVE(place->present);
		place->present = MOVE(place->next);
	}
	pthread_rwlock_unlock(&place->lock);
}

int64_t signer_responder_ends(struct signer *signer, const uint8_t issuer[static SHA256_SIZE])
{
	struct place *place = place_of(signer, issuer);
	int64_t ends;

	if (place == NULL)
		return 0;
	pthread_rwlock_rdlock(&place->lock);
	ends = place->present == NULL ? 0 : responder_not_after(place->present);
	pthread_rwlock_unlock(&place->lock);
	return ends;
}

/* Under the lock. */
static enum err sign(const struct place *place, struct ocsp_content *content, struct buf *der)
{
	const struct responder *responder = place->present;

	if (content->this_update >= authority_not_after(place->authority))
		return fail(ERR_NOT_FOUND, "ca-ended", "the CA has ended, and all that it issued");
	if (responder == NULL || !responder_is_valid(responder, content->this_update))
		return fail(ERR_BUSY, "responder",
			"there is no OCSP responder of this CA with a certificate that is valid");
	if (content->next_update > responder_not_after(responder))
		content->next_update = responder_not_after(responder);
	return ocsp_response(responder, content, der);
}

enum err signer_ocsp(struct signer *signer, const uint8_t issuer[static SHA256_SIZE],
	struct ocsp_content *content, struct buf *der)
{
	struct place *place;
	enum err err;

	TRY(find(signer, issuer, &place));
	pthread_rwlock_rdlock(&place->lock);
	err = sign(place, content, der);
	pthread_rwlock_unlock(&place->lock);
	return err;
}
