#include "tunnel.h"

#include "ca/base/file.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t nonce[LINK_NONCE_MAX] = {1, 2, 3};

X509 *scene_certificate(struct scene *scene, const struct recipe *recipe)
{
	struct recipe whole = *recipe;

	if (whole.issuer == NULL && whole.issuer_key == NULL) {
		whole.issuer = scene->ca.intermediate;
		whole.issuer_key = scene->ca.key;
	}
	if (whole.until == 0) {
		whole.from = -60;
		whole.until = 3600;
	}
	assert_true(scene->made_n < COUNT(scene->made));
	return scene->made[scene->made_n++] = made_certificate(&whole);
}

static X509 *issue(const struct scene *scene, EVP_PKEY *key, const char *usage, const char *dns)
{
	return made_certificate(&(struct recipe){.name = "AK",
		.dns = dns,
		.usage = usage,
		.key = key,
		.issuer = scene->ca.intermediate,
		.issuer_key = scene->ca.key,
		.from = -60,
		.until = 3600});
}

static void host_make(struct scene *scene, const char *name, struct host *host)
{
	*host = (struct host){.name = name,
		.log = {.pcr = PCR},
		.text = BUF(ENDPOINT_LOG_MAX),
		.attest = BUF(1024),
		.signature = BUF(1024)};
	assert_true(soft_ak_make(SOFT_P256, SERVICE, NULL, &host->ak));
	host->ak_certificate = issue(scene, host->ak.pkey, AK_USAGE, NULL);
	host->property = issue(scene, host->ak.pkey, PROPERTY_USAGE, name);
	host->key = made_key();
	host->endpoint = made_certificate(&(struct recipe){
		.name = "endpoint", .dns = name, .key = host->key, .from = -60, .until = 3600});
	host_measure(host, ENDPOINT_MEASURED, host->key);
	host_quote(host, scene, 1u << PCR);
}

static void host_free(struct host *host)
{
	soft_key_free(&host->ak);
	X509_free(host->ak_certificate);
	X509_free(host->property);
	X509_free(host->endpoint);
	EVP_PKEY_free(host->key);
	endpoint_log_free(&host->log);
	buf_free(&host->text);
	buf_free(&host->attest);
	buf_free(&host->signature);
}

void host_measure(struct host *host, enum endpoint_act act, EVP_PKEY *key)
{
	struct endpoint_event event = {.act = act};
	uint8_t digest[32];

	assert_int_equal(OK, endpoint_key_sha256(key, event.spki_sha256));
	assert_int_equal(OK, endpoint_log_add(&host->log, &event));
	assert_int_equal(OK, endpoint_event_digest(&event, digest));
	assert_true(soft_pcr_extend(&host->pcrs, PCR, digest));
}

void host_quote(struct host *host, const struct scene *scene, uint32_t selected)
{
	const struct soft_moment moment = {.clock = {.safe = 1}};
	struct soft_attest quote;

	assert_true(soft_quote(
		&host->ak, &host->pcrs, selected, scene->question.nonce, &moment, &quote));
	buf_free(&host->text);
	buf_free(&host->attest);
	buf_free(&host->signature);
	buf_add(&host->attest, VIEW_2B(&quote.attested, attestationData));
	assert_true(soft_signature_bytes(&quote.signature, &host->signature));
	assert_int_equal(OK, endpoint_log_encode(&host->log, &host->text));
}

void scene_show(struct scene *scene, const struct host *host)
{
	scene->question.ak = host->ak_certificate;
	scene->question.property = host->property;
	scene->question.attest = buf_view(&host->attest);
	scene->question.signature = buf_view(&host->signature);
	scene->question.log = buf_view(&host->text);
}

static void read_anchors(struct scene *scene)
{
	AUTO(mem_free) char *dir = made_directory();
	AUTO(mem_free) char *path = path_join(dir, "root");

	pem_put(dir, "root", scene->ca.root);
	assert_int_equal(OK, anchors_read(path, &scene->anchors));
	directory_remove(dir);
}

void scene_make(struct scene *scene)
{
	*scene = (struct scene){.question = {.nonce = VIEW(nonce), .pcr = PCR}};
	certifier_make(&scene->ca);
	certifier_make(&scene->stranger);
	read_anchors(scene);
	scene->intermediates = sk_X509_new_null();
	X509_up_ref(scene->ca.intermediate);
	assert_true(sk_X509_push(scene->intermediates, scene->ca.intermediate) > 0);
	host_make(scene, "web-01.example.org", &scene->victim);
	host_make(scene, "evil-01.example.org", &scene->thief);
	scene->question.name = scene->victim.name;
	scene->question.endpoint = scene->victim.endpoint;
	scene->question.anchors = scene->anchors;
	scene->question.intermediates = scene->intermediates;
	scene_show(scene, &scene->victim);
}

void scene_free(struct scene *scene)
{
	host_free(&scene->victim);
	host_free(&scene->thief);
	certifier_free(&scene->ca);
	certifier_free(&scene->stranger);
	x509_stack_free(&scene->intermediates);
	anchors_free(&scene->anchors);
	for (size_t i = 0; i < scene->made_n; i++)
		X509_free(scene->made[i]);
}
