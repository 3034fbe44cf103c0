# operator.sh - an operator with a certificate of his own, who comes through the packaged edge and takes the device back;
# what relying parties see of that.
# shellcheck shell=bash disable=SC2154 # root and the like come from life

# The fronts that the example of edge.conf has as comments, and certificates whose URLs need no TLS to be fetched.
fronts_configure() {
	sed 's/^#\(ENDORSE_EDGE_\(PLAIN\|ADMIN\|TOKEN\)_BIND=\)/\1/' "$root/usr/share/endorse/example/edge.conf" \
		>"$root/etc/endorse/edge.conf"
	[ "$(grep -c '^ENDORSE_EDGE_[A-Z]*_BIND=' "$root/etc/endorse/edge.conf")" = 3 ] || die "the fronts of edge.conf"
	sed -i 's,^# public_url: .*,public_url: http://ca.example.org,' "$root/etc/endorse/endorsed.yaml"
	grep -q '^public_url: ' "$root/etc/endorse/endorsed.yaml" || die "public_url of endorsed.yaml"
}

# The commands of endorsed(8). What he is given goes with him.
operator_make() {
	say "an operator, by the commands of endorsed(8)"
	sed -n '/^endorsectl ca operator/,/^\.Ed/p' "$here/enroll/daemon/endorsed.8" |
		sed -e '/^\.Ed/d' -e 's/\\(dq/"/g' >"$root/tmp/operator"
	[ "$(wc -l <"$root/tmp/operator")" = 2 ] || die "endorsed(8) has no commands for an operator"
	inside /bin/sh -euxc 'cd /etc/endorse; . /tmp/operator; mv alice.pem /tmp' >"$root/tmp/operator.log" 2>&1 ||
		die "the commands of endorsed(8) for an operator"
	mode_is /tmp/alice.pem "600 root:root"
	by_operator whoami || die "alice is not let in"
	grep -q '^operator:alice, role admin, ' "$root/tmp/by-operator.log" || die "alice is somebody else"
}

by_operator() {
	inside endorsectl "$@" --admin https://ca.example.org:8443 --cert /tmp/alice.pem --ca /etc/endorse/root.pem \
		>"$root/tmp/by-operator.log" 2>&1
}

program_make() {
	say "a program, by a token"
	by_operator token create watch --role auditor --expires 1d --why "the packages' test" --out /tmp/watch.token ||
		die "endorsectl token create"
	by_program whoami || die "the program is not let in"
	grep -q '^token:watch, role auditor, ' "$root/tmp/by-program.log" || die "the program is somebody else"
}

by_program() {
	inside endorsectl "$@" --admin https://ca.example.org:8444 --token-file /tmp/watch.token \
		--ca /etc/endorse/root.pem >"$root/tmp/by-program.log" 2>&1
}

# OpenSSL fetches the CRL from where the certificate says.
crl_judges() {
	inside openssl verify -CAfile /etc/endorse/root.pem -untrusted /var/lib/endorse/chain.pem -crl_check \
		-crl_download /var/lib/endorse/ak.pem >"$root/tmp/crl.log" 2>&1
}

crl_tells_of_it() {
	! crl_judges && grep -q "certificate revoked" "$root/tmp/crl.log"
}

ocsp_says() {
	inside openssl ocsp -issuer /etc/endorse/issuing.pem -cert /var/lib/endorse/ak.pem \
		-url http://ca.example.org/ocsp -CAfile /etc/endorse/root.pem -verify_other /etc/endorse/issuing.pem \
		>"$root/tmp/ocsp.log" 2>&1 && grep -q "^/var/lib/endorse/ak.pem: $1" "$root/tmp/ocsp.log"
}

# ssh-keygen ends with 1 when the list has it.
krl_has_it() {
	unit_start endorse-krl.service
	mode_is /var/lib/endorse-krl/krl "644 root:root"
	! inside ssh-keygen -Qf /var/lib/endorse-krl/krl /var/lib/endorse/ssh-host-cert.pub >"$root/tmp/krl.log" 2>&1 &&
		grep -q REVOKED "$root/tmp/krl.log"
}

device_is_good() {
	wait_for crl_judges
	wait_for ocsp_says good
	! krl_has_it || die "the KRL has a certificate that is good"
}

device_revoke() {
	say "the operator revokes the device"
	device_is_good
	must_fail by_program revoke device web-01.example.test --reason keyCompromise --why "not its business"
	grep -q role-insufficient "$root/tmp/by-program.log" || die "an auditor revokes"
	device_is_good
	by_operator revoke device web-01.example.test --reason keyCompromise --why "stolen" --wait || die "endorsectl revoke"
	wait_for crl_tells_of_it
	wait_for ocsp_says revoked
	krl_has_it || die "the KRL does not have it"
	by_program audit --who operator:alice --json || die "endorsectl audit"
	grep -qF device.revoked "$root/tmp/by-program.log" || die "the audit does not tell of it"
}
