#include "ca/signer/client.h"
#include "ca/signer/parts.h"
#include "ca/sshsig.h"

static bool is_revoked(const struct ssh_ca *ca, const struct krl_content *content)
{
	for (size_t i = 0; i < content->keys_n; i++)
		if (view_equal(ssh_ca_public(ca), content->keys[i]))
			return true;
	return false;
}

/* Hosts believe both keys; one that the list itself takes back signs only where there is no other. */
static const struct ssh_ca *choose(const struct signer *signer, const struct krl_content *content)
{
	const struct ssh_ca *cas[] = {signer->ssh_user, signer->ssh_host};

	for (size_t i = 0; i < COUNT(cas); i++)
		if (cas[i] != NULL && !is_revoked(cas[i], content))
			return cas[i];
	return cas[0] != NULL ? cas[0] : cas[1];
}

enum err signer_krl(struct signer *signer, const struct krl_content *content, struct buf *bytes,
	struct buf *signature)
{
	const struct ssh_ca *ca = choose(signer, content);

	if (ca == NULL)
		return fail(ERR_INTERNAL, "ssh-ca", "there is no OpenSSH CA to sign a KRL");
	TRY(krl_build(content, bytes));
	return sshsig_make(ca, SSHSIG_KRL, buf_view(bytes), signature);
}
