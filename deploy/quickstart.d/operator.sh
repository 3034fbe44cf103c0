# operator.sh - the first operator: a certificate by the admin CA, and the word of who owns the machine.
# shellcheck shell=bash disable=SC2154 # clone, state, run and the like come from deploy/quickstart

operator_make() {
	step operator "demo, who administers at https://localhost:$operators_port" "$state/log/operator.log"
	once operator operator_write
	operator_is_known || operator_add
	operator_is_known || die "demo is not let in, for what the log says"
}

operator_write() {
	install -d -m 700 "$state/operator"
	"$bin/endorsectl" ca operator demo --dir "$state/ca" --out "$state/operator/demo.pem" >>"$step_log" 2>&1
}

operator_add() {
	"$bin/endorsectl" operator add demo --role admin --why "the quickstart's first operator" \
		--admin "http://127.0.0.1:$admin_port" --token-file "$state/secrets/admin.token" >>"$step_log" 2>&1
}

# The whole way of an operator: his certificate, the edge, the service.
operator_is_known() {
	"$bin/endorsectl" whoami --admin "https://localhost:$operators_port" --cert "$state/operator/demo.pem" \
		--ca "$state/ca/root.pem" >>"$step_log" 2>&1
}
