/* test_accepted_keys.c - an answer to a request for several keys: each certificate is for its own, or none is taken. */
#include "ca/base/cert.h"
#include "enroll/agent/accepted.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/key.h"
#include "ca/ssh.h"
#include "ca/sshkey.h"
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#define DEVICE_ID "0123456789abcdef0123456789abcdef"
#define CERTIFICATES 3

enum { AK, TLS, SSH };

struct fixture {
	struct certifier ours;
	struct device_ak *ak;
	struct anchors *anchors;
	EVP_PKEY *tls, *ssh;
	struct ssh_ca *hosts, *users;
	struct wanted wanted;
	struct keys keys;
	char *dir;
};

static struct ssh_ca *made_ssh_ca(const char *dir)
{
	AUTO(mem_free) char *path = path_join(dir, "ca.key");
	AUTO(mem_free) char *passphrase = path_join(dir, "ca.passphrase");
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	struct ssh_ca *ca = NULL;

	assert_int_equal(OK, key_generate(KEY_TYPE_ED25519, &key));
	assert_int_equal(OK, key_save(key, path, passphrase));
	assert_int_equal(OK, ssh_ca_load(path, passphrase, &ca));
	return ca;
}

static void bring(struct fixture *f, size_t i, const char *template, EVP_PKEY *key)
{
	assert_int_equal(OK, wanted_add(&f->wanted, template));
	f->keys.items[i] =
		(struct brought){.want = &f->wanted.items[i], .pkey = key, .ssh = BUF(SSHKEY_MAX)};
	assert_int_equal(OK, sshkey_blob_of(key, &f->keys.items[i].ssh));
	f->keys.n++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	AUTO(mem_free) char *root = NULL;

	assert_non_null(f);
	certifier_make(&f->ours);
	f->ak = made_ak(SERVICE);
	f->tls = made_key();
	f->ssh = made_key();
	f->dir = made_directory();
	f->hosts = made_ssh_ca(f->dir);
	f->users = made_ssh_ca(f->dir);
	pem_put(f->dir, "root", f->ours.root);
	root = path_join(f->dir, "root");
	assert_int_equal(OK, anchors_read(root, &f->anchors));
	f->keys.wanted = &f->wanted;
	bring(f, AK, "ak", ak_pkey(f->ak->judged));
	bring(f, TLS, "tls-server=tpm", f->tls);
	bring(f, SSH, "ssh-host=tpm", f->ssh);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	keys_free(&f->keys);
	certifier_free(&f->ours);
	device_ak_free(&f->ak);
	anchors_free(&f->anchors);
	EVP_PKEY_free(f->tls);
	EVP_PKEY_free(f->ssh);
	ssh_ca_free(&f->hosts);
	ssh_ca_free(&f->users);
	directory_remove(f->dir);
	free(f->dir);
	free(f);
	return 0;
}

struct ssh_wish {
	const struct ssh_ca *ca;
	const char *kind; /* "ssh-host" */
	EVP_PKEY *key;
	int64_t now;
};

static void issue_ssh(const struct ssh_wish *wish, struct buf *blob)
{
	static char host[] = HOST, id[] = "${device.id}", *principals[] = {host};
	AUTO(issued_free) struct issued issued = {.der = BUF(SSH_CERTIFICATE_MAX)};
	AUTO(buf_free) struct buf bits = BUF(SSHKEY_MAX);
	struct template tmpl = {.name = (char *)(uintptr_t)wish->kind,
		.kind = (char *)(uintptr_t)wish->kind,
		.version = 1,
		.lifetime = 3600,
		.backdate = 300,
		.ssh = {.key_id = id, .principals = {.item = principals, .n = 1}}};
	struct grant grant = {.template = tmpl.name,
		.template_version = 1,
		.host = HOST,
		.device_id = DEVICE_ID,
		.trust_class = "manufacturer",
		.ssh_serial = 7};

	assert_int_equal(OK, key_public(wish->key, &bits, &grant.key));
	assert_int_equal(OK, ssh_issue(wish->ca, &tmpl, &grant, wish->now, &issued));
	buf_add(blob, buf_view(&issued.der));
}

static void issue_x509(const struct fixture *f, EVP_PKEY *key, struct buf *der)
{
	AUTO(x509_free) X509 *leaf = certifier_issue(&f->ours, key, HOST, -60, 3600);

	assert_int_equal(OK, cert_der_add(leaf, der));
}

/* What a right service answers; a test spoils one thing of it. */
struct reply {
	const char *templates[CERTIFICATES];
	struct buf certificates[CERTIFICATES];
	struct view hosts, users;
	size_t n;
};

static void reply_make(const struct fixture *f, struct reply *out)
{
	*out = (struct reply){.templates = {"ak", "tls-server", "ssh-host"},
		.hosts = ssh_ca_public(f->hosts),
		.users = ssh_ca_public(f->users),
		.n = CERTIFICATES};
	for (size_t i = 0; i < CERTIFICATES; i++)
		out->certificates[i] = BUF(SSH_CERTIFICATE_MAX);
	issue_x509(f, ak_pkey(f->ak->judged), &out->certificates[AK]);
	issue_x509(f, f->tls, &out->certificates[TLS]);
	issue_ssh(&(struct ssh_wish){f->hosts, "ssh-host", f->ssh, clock_now()},
		&out->certificates[SSH]);
}

static void reply_free(struct reply *reply)
{
	for (size_t i = 0; i < CERTIFICATES; i++)
		buf_free(&reply->certificates[i]);
}

/* Through the wire form, so that the answer owns what it points to. */
static enum err judge(const struct fixture *f, const struct reply *reply, struct accepted **out)
{
	AUTO(buf_free) struct buf above = BUF(8192);
	AUTO(buf_free) struct buf json = BUF(64 * 1024);
	AUTO(answer_free) struct answer *parsed = NULL;
	struct answer answer = {.host = HOST,
		.device_id = DEVICE_ID,
		.trust_class = "manufacturer",
		.trust_source = "s",
		.trust_chain = "CN=x",
		.certificates_n = reply->n,
		.intermediates_n = 1,
		.ssh_host_ca = reply->hosts,
		.ssh_user_ca = reply->users};

	assert_int_equal(OK, cert_der_add(f->ours.intermediate, &above));
	answer.intermediates[0] = buf_view(&above);
	for (size_t i = 0; i < reply->n; i++) {
		answer.certificates[i].template = reply->templates[i];
		answer.certificates[i].der = buf_view(&reply->certificates[i]);
	}
	assert_int_equal(OK, answer_encode(&answer, &json));
	assert_int_equal(OK, answer_parse(buf_view(&json), &parsed));
	return accepted_check(&parsed, f->anchors, &f->keys, HOST, out);
}

static void is_refused(const struct fixture *f, const struct reply *reply, enum err err)
{
	AUTO(accepted_free) struct accepted *accepted = NULL;

	assert_int_equal(err, judge(f, reply, &accepted));
	assert_string_equal(
		err == ERR_DENIED ? "service-not-trusted" : "service-answer", why()->code);
	assert_null(accepted);
}

static void what_was_asked_for_is_taken(void **state)
{
	struct fixture *f = *state;
	AUTO(accepted_free) struct accepted *accepted = NULL;
	AUTO(reply_free) struct reply reply;

	reply_make(f, &reply);
	assert_int_equal(OK, judge(f, &reply, &accepted));
	assert_int_equal(3, accepted->n);
	assert_int_equal(AK, accepted->ak);
	assert_non_null(accepted->items[TLS].x509);
	assert_null(accepted->items[SSH].x509);
}

static void fewer_others_and_another_order_are_refused(void **state)
{
	struct fixture *f = *state;
	AUTO(reply_free) struct reply reply;

	reply_make(f, &reply);
	reply.n = 2;
	is_refused(f, &reply, ERR_MALFORMED);
	reply.n = 3;
	reply.templates[TLS] = "tls-client";
	is_refused(f, &reply, ERR_MALFORMED);
	reply.templates[AK] = "tls-server";
	reply.templates[TLS] = "ak";
	is_refused(f, &reply, ERR_MALFORMED);
}

static void another_keys_certificate_is_refused(void **state)
{
	struct fixture *f = *state;
	AUTO(reply_free) struct reply reply;

	reply_make(f, &reply);
	buf_free(&reply.certificates[TLS]);
	issue_x509(f, ak_pkey(f->ak->judged), &reply.certificates[TLS]);
	is_refused(f, &reply, ERR_DENIED);
}

static void openssh_spoils(struct fixture *f, const struct ssh_wish *wish)
{
	AUTO(reply_free) struct reply reply;

	reply_make(f, &reply);
	buf_free(&reply.certificates[SSH]);
	issue_ssh(wish, &reply.certificates[SSH]);
	is_refused(f, &reply, ERR_DENIED);
}

static void openssh_is_as_strict(void **state)
{
	struct fixture *f = *state;
	int64_t now = clock_now();

	openssh_spoils(f, &(struct ssh_wish){f->hosts, "ssh-host", f->tls, now});
	openssh_spoils(f, &(struct ssh_wish){f->users, "ssh-host", f->ssh, now});
	openssh_spoils(f, &(struct ssh_wish){f->hosts, "ssh-user", f->ssh, now});
	openssh_spoils(f, &(struct ssh_wish){f->hosts, "ssh-host", f->ssh, now - 7200});
	openssh_spoils(f, &(struct ssh_wish){f->hosts, "ssh-host", f->ssh, now + 7200});
}

static void openssh_certificates_need_their_ca(void **state)
{
	struct fixture *f = *state;
	AUTO(reply_free) struct reply reply;

	reply_make(f, &reply);
	reply.hosts = (struct view){NULL, 0};
	is_refused(f, &reply, ERR_DENIED);
	reply.hosts = reply.users;
	is_refused(f, &reply, ERR_DENIED);
}

static void a_flipped_bit_and_other_bytes_are_refused(void **state)
{
	struct fixture *f = *state;
	AUTO(reply_free) struct reply reply;
	struct buf *blob;

	reply_make(f, &reply);
	blob = &reply.certificates[SSH];
	blob->p[blob->n - 1] ^= 1;
	is_refused(f, &reply, ERR_DENIED);
	buf_free(blob);
	buf_str(blob, "not a certificate");
	is_refused(f, &reply, ERR_MALFORMED);
}

/* "ak" in OpenSSH's form would leave nothing to verify quotes with. */
static void the_aks_own_is_in_x509(void **state)
{
	struct fixture *f = *state;
	AUTO(reply_free) struct reply reply;

	reply_make(f, &reply);
	buf_free(&reply.certificates[AK]);
	issue_ssh(&(struct ssh_wish){f->hosts, "ssh-host", ak_pkey(f->ak->judged), clock_now()},
		&reply.certificates[AK]);
	is_refused(f, &reply, ERR_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_asked_for_is_taken),
		cmocka_unit_test(fewer_others_and_another_order_are_refused),
		cmocka_unit_test(another_keys_certificate_is_refused),
		cmocka_unit_test(openssh_is_as_strict),
		cmocka_unit_test(openssh_certificates_need_their_ca),
		cmocka_unit_test(a_flipped_bit_and_other_bytes_are_refused),
		cmocka_unit_test(the_aks_own_is_in_x509),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
