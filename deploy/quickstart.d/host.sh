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

host_check() {
	step check "openssl's own judgement of what was issued, with what the service publishes of it" "$state/log/check.log"
	openssl verify -x509_strict -CAfile "$state/ca/root.pem" -untrusted "$state/device/chain.pem" "$state/device/ak.pem"
	check_crl
	check_ocsp
}

# What relying parties do: the CRL is fetched from where the certificate says. At a later run it may be revoked.
check_crl() {
	if openssl verify -x509_strict -purpose sslserver -verify_hostname "$host" -crl_check -crl_download \
		-CAfile "$state/ca/root.pem" -untrusted "$state/device/chain.pem" \
		"$state/device/tls-server.pem" 2>"$step_log"; then
		return 0
	fi
	grep -q 'certificate revoked' "$step_log" || return 1
	say "$state/device/tls-server.pem: revoked; below is how the machine comes back"
}

# And so is OCSP's answer: its first line.
check_ocsp() {
	openssl ocsp -no_nonce -issuer "$state/ca/issuing.pem" -cert "$state/device/tls-server.pem" \
		-url "$(openssl x509 -noout -ocsp_uri -in "$state/device/tls-server.pem")" \
		-CAfile "$state/ca/root.pem" -verify_other "$state/ca/issuing.pem" 2>"$step_log" | head -n 1
	grep -q '^Response verify OK' "$step_log"
}

host_report() {
	cat <<-END

		${bold}It runs.${plain} The state directory has the CA (ca/), what the host got (device/), the service's
		configuration (endorsed.yaml, policy.yaml) and the logs (log/). To try next:

		  cd $(printf %q "$clone")/.build/release/bin
		  state=$state
		  admin() { ./endorsectl "\$@" --admin https://localhost:$operators_port \\
		      --cert \$state/operator/demo.pem --ca \$state/ca/root.pem; }

		  # the machine was stolen: cut off in one act, everywhere; then see that whoever asks hears of it
		  admin device list --host 'web-*'
		  admin revoke device $host --reason keyCompromise --why "stolen from line 4" --wait
		  openssl verify -crl_check -crl_download -CAfile \$state/ca/root.pem \\
		      -untrusted \$state/device/chain.pem \$state/device/tls-server.pem
		  openssl ocsp -no_nonce -issuer \$state/ca/issuing.pem -cert \$state/device/tls-server.pem \\
		      -url http://localhost:$plain_port/ocsp -CAfile \$state/ca/root.pem -verify_other \$state/ca/issuing.pem
		  curl -so \$state/krl http://localhost:$plain_port/krl
		  ssh-keygen -Qf \$state/krl \$state/device/ssh-host-cert.pub

		  # who did it, and why; and it was found again: this allows it to enroll as a new one does
		  admin audit --acts
		  admin reinstate device $host --why "found again"
		  ./endorse enroll --force --host $host --state \$state/device \\
		      --server https://localhost:$edge_port --ca \$state/ca/root.pem --tcti swtpm:path=$run/tpm

		  # the same TPM under a second name: refused, with the reason
		  ./endorse enroll --host web-02.example.test --state \$state/second \\
		      --server https://localhost:$edge_port --ca \$state/ca/root.pem --tcti swtpm:path=$run/tpm

		  # what the operator sees of that, with what to do; and which makers the service believes
		  admin attempts
		  admin vendors list

		  # the certificate: a key that never leaves its TPM, which TPM that is, and a random device id
		  openssl x509 -noout -text -in \$state/device/ak.pem

		  # what each certificate is for, and how it looks, is YAML; what a changed template would give, before it is taken
		  ./endorsectl template check \$state/templates --ca \$state/ca/issuing.pem
		  ./endorsectl template show tls-peer --host $host --templates \$state/templates

		  # how the service is; and a token for a program that only reads
		  admin status
		  admin token create monitoring --role auditor --expires 30d --why "to try it"

		deploy/quickstart --stop stops it, deploy/quickstart --clean removes it.
	END
}
