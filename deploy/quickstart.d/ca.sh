# ca.sh - the secrets, the CA, and the edge's own certificate from it.
# shellcheck shell=bash disable=SC2154 # clone, state, run and the like come from deploy/quickstart

secrets_make() {
	step secrets "for the edge, the tickets and the administrator"
	once secrets secrets_write
	# A quickstart that was older had no edge for admins.
	[ -e "$state/secrets/admin-edge.secret" ] || secret_write admin-edge.secret
}

secrets_write() {
	local name

	install -d -m 700 "$state/secrets"
	for name in edge.secret ticket.key admin.token; do
		secret_write "$name"
	done
}

secret_write() {
	(umask 077 && openssl rand -hex 32 >"$state/secrets/$1")
}

ca_make() {
	step ca "a root, an issuing CA, and a certificate for the edge" "$state/log/ca.log"
	once ca ca_init
	ca_has_ssh || ca_init_ssh
	[ -e "$state/ca/admin-ca.pem" ] || ca_init_admin
	once edge edge_certify
}

ca_init() {
	"$bin/endorsectl" ca init --dir "$state/ca" --organization "Example Organisation" >>"$step_log" 2>&1
}

# Made by a quickstart that was older than these.
ca_has_ssh() {
	[ -e "$state/ca/ssh-host-ca.pub" ] && [ -e "$state/ca/ssh-user-ca.pub" ]
}

ca_init_ssh() {
	"$bin/endorsectl" ca init-ssh --dir "$state/ca" >>"$step_log" 2>&1
}

ca_init_admin() {
	"$bin/endorsectl" ca init-admin --dir "$state/ca" --organization "Example Organisation" >>"$step_log" 2>&1
}

edge_certify() {
	install -d -m 700 "$state/edge"
	"$bin/endorsectl" ca edge --dir "$state/ca" --name localhost --name 127.0.0.1 \
		--out "$state/edge/edge.pem" >>"$step_log" 2>&1
}
