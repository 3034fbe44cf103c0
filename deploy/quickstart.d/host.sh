# host.sh - the device enrolls, the certificate is checked, and the person learns what to try next.
# shellcheck shell=bash disable=SC2154 # clone, state, run and the like come from deploy/quickstart

# The same command at every run: where the certificate is still good, the tool says so.
host_enroll() {
	step enroll "the TPM as $host"
	say
	"$bin/endorse" enroll --server "https://localhost:$edge_port" --ca "$state/ca/root.pem" \
		--host "$host" --state "$state/device" --tcti "swtpm:path=$run/tpm"
	say
}

# Four certificates by one request: all are given, or none. At a later run there is nothing to do.
host_enroll_all() {
	step platform "what a platform team wants on a host, by one enrollment" "$state/log/platform.log"
	once ssh host_make_ssh_key
	"$bin/endorse" enroll --server "https://localhost:$edge_port" --ca "$state/ca/root.pem" \
		--host "$host" --state "$state/device" --tcti "swtpm:path=$run/tpm" \
		--template ak --template platform-property --template tls-server \
		--template "ssh-host=$state/ssh/ssh_host_ed25519_key.pub" >>"$step_log" 2>&1
	cat <<-END

		  endorse enroll --template ak --template platform-property --template tls-server \\
		      --template ssh-host=ssh/ssh_host_ed25519_key.pub ...

	END
	show endorse status --state device
	show openssl x509 -noout -subject -ext subjectAltName,extendedKeyUsage -in device/platform-property.pem
	show openssl x509 -noout -subject -ext subjectAltName,extendedKeyUsage -in device/tls-server.pem
	show ssh-keygen -L -f device/ssh-host-cert.pub
}

# Stands for the key that a machine has in /etc/ssh.
host_make_ssh_key() {
	install -d -m 700 "$state/ssh"
	ssh-keygen -q -t ed25519 -N "" -C "" -f "$state/ssh/ssh_host_ed25519_key"
}

# Runs a command in the state directory, under its own words.
show() {
	say "  $*"
	(cd "$state" && PATH=$bin:$PATH "$@" 2>&1) | sed 's/^/    /'
	[ "${PIPESTATUS[0]}" = 0 ]
	say
}

host_report() {
	local device=$state/device

	step check "openssl's own judgement of what was issued"
	openssl verify -x509_strict -CAfile "$state/ca/root.pem" -untrusted "$device/chain.pem" "$device/ak.pem"
	openssl verify -x509_strict -purpose sslserver -verify_hostname "$host" -CAfile "$state/ca/root.pem" \
		-untrusted "$device/chain.pem" "$device/tls-server.pem"
	cat <<-END

		${bold}It runs.${plain} The state directory has the CA (ca/), what the host got (device/), the service's
		configuration (endorsed.yaml, policy.yaml) and the logs (log/). To try next:

		  cd $(printf %q "$clone")
		  state=$state

		  # the certificate: a key that never leaves its TPM, which TPM that is, and a random device id
		  openssl x509 -noout -text -in \$state/device/ak.pem

		  # what each certificate is for, and how it looks, is YAML; what a changed template would give, before it is taken
		  .build/release/bin/endorsectl template check \$state/templates --ca \$state/ca/issuing.pem
		  .build/release/bin/endorsectl template show tls-peer --host $host --templates \$state/templates

		  # the same TPM under a second name: refused, with the reason
		  .build/release/bin/endorse enroll --host web-02.example.test --state \$state/second \\
		      --server https://localhost:$edge_port --ca \$state/ca/root.pem --tcti swtpm:path=$run/tpm

		  # what the operator sees of that, with what to do; and which makers the service believes
		  .build/release/bin/endorsectl attempts \\
		      --admin http://127.0.0.1:$admin_port --token-file \$state/secrets/admin.token
		  .build/release/bin/endorsectl vendors list \\
		      --admin http://127.0.0.1:$admin_port --token-file \$state/secrets/admin.token

		  # as an operator, from wherever the edge is reached, by a certificate; and a token for a program that only reads
		  .build/release/bin/endorsectl whoami --admin https://localhost:$operators_port \\
		      --cert \$state/operator/demo.pem --ca \$state/ca/root.pem
		  .build/release/bin/endorsectl token create monitoring --role auditor --expires 30d --why "to try it" \\
		      --admin https://localhost:$operators_port --cert \$state/operator/demo.pem --ca \$state/ca/root.pem

		  # the admin takes the name back: the next TPM that comes for it gets it
		  .build/release/bin/endorsectl host unbind $host --why "mainboard replaced" \\
		      --admin http://127.0.0.1:$admin_port --token-file \$state/secrets/admin.token

		deploy/quickstart --stop stops it, deploy/quickstart --clean removes it.
	END
}
