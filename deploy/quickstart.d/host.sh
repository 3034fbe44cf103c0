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

host_report() {
	step check "openssl's own judgement of what was issued"
	openssl verify -x509_strict -CAfile "$state/ca/root.pem" -untrusted "$state/device/chain.pem" \
		"$state/device/ak.pem"
	cat <<-END

		${bold}It runs.${plain} The state directory has the CA (ca/), what the host got (device/), the service's
		configuration (endorsed.yaml, policy.yaml) and the logs (log/). To try next:

		  cd $(printf %q "$clone")
		  state=$state

		  # the certificate: a key that never leaves its TPM, which TPM that is, and a random device id
		  openssl x509 -noout -text -in \$state/device/ak.pem

		  # everything that a host can be given, by one enrollment (README.md, "What a host can be given")
		  .build/release/bin/endorse enroll --host $host --state \$state/device \\
		      --server https://localhost:$edge_port --ca \$state/ca/root.pem --tcti swtpm:path=$run/tpm \\
		      --template ak --template platform-property --template tls-server --template ssh-host=tpm
		  .build/release/bin/endorse status --state \$state/device

		  # what a certificate would look like, before a changed template is taken (endorsectl reload)
		  .build/release/bin/endorsectl template check \$state/templates --ca \$state/ca/issuing.pem
		  .build/release/bin/endorsectl template show tls-server --host $host --templates \$state/templates

		  # the same TPM under a second name: refused, with the reason
		  .build/release/bin/endorse enroll --host web-02.example.test --state \$state/second \\
		      --server https://localhost:$edge_port --ca \$state/ca/root.pem --tcti swtpm:path=$run/tpm

		  # what the operator sees of that, with what to do; and which makers the service believes
		  .build/release/bin/endorsectl attempts \\
		      --admin http://127.0.0.1:$admin_port --token-file \$state/secrets/admin.token
		  .build/release/bin/endorsectl vendors list \\
		      --admin http://127.0.0.1:$admin_port --token-file \$state/secrets/admin.token

		  # the admin takes the name back: the next TPM that comes for it gets it
		  .build/release/bin/endorsectl host unbind $host --why "mainboard replaced" \\
		      --admin http://127.0.0.1:$admin_port --token-file \$state/secrets/admin.token

		deploy/quickstart --stop stops it, deploy/quickstart --clean removes it.
	END
}
