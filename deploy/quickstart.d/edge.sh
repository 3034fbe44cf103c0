# edge.sh - haproxy with deploy/edge/haproxy.cfg, the only thing that devices reach.
# shellcheck shell=bash disable=SC2154 # clone, state, run and the like come from deploy/quickstart

edge_start() {
	local config=$clone/deploy/edge/haproxy.cfg

	step edge "haproxy, at https://localhost:$edge_port; CRLs and OCSP at http://localhost:$plain_port" "$state/log/edge.log"
	if ! process_is_current edge "$config" "$state/edge/edge.pem" "$state/ports" "$state/ca/admin-ca.pem"; then
		process_stop edge
		edge_run "$config"
	fi
	process_wait edge "passed on /healthz" edge_is_healthy
}

# The secret goes through the environment, which only root can read, and not through a command line.
edge_run() (
	export ENDORSE_EDGE_BIND=127.0.0.1:$edge_port
	export ENDORSE_EDGE_CERT=$state/edge/edge.pem
	export ENDORSE_EDGE_CLIENT_CA=$state/ca/issuing.pem
	export ENDORSE_EDGE_RUN=$run
	export ENDORSE_EDGE_ERRORS=$clone/deploy/edge/errors
	export ENDORSE_BACKEND_1=127.0.0.1:$service_port
	export ENDORSE_EDGE_PLAIN_BIND=127.0.0.1:$plain_port
	export ENDORSE_EDGE_ADMIN_BIND=127.0.0.1:$operators_port
	export ENDORSE_EDGE_ADMIN_CA=$state/ca/admin-ca.pem
	export ENDORSE_BACKEND_ADMIN_1=127.0.0.1:$admin_port
	ENDORSE_EDGE_ADMIN_SECRET=$(cat "$state/secrets/admin-edge.secret")
	export ENDORSE_EDGE_ADMIN_SECRET
	export ENDORSE_EDGE_MAXCONN=400 ENDORSE_EDGE_QUEUE=100 # a container may allow no more than 1024 open files
	ENDORSE_EDGE_SECRET=$(cat "$state/secrets/edge.secret")
	export ENDORSE_EDGE_SECRET
	export OPENSSL_CONF=$clone/deploy/edge/openssl.cnf MALLOC_MMAP_THRESHOLD_=4194304 MALLOC_TRIM_THRESHOLD_=67108864

	# -L names this instance in the command line, by which process.sh knows it again.
	process_start edge haproxy -db -L "$instance" -f "$1"
)

# The whole way of a device: TLS judged by the root it holds, through the edge, to the service.
edge_is_healthy() {
	printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
		timeout 5 openssl s_client -quiet -connect "127.0.0.1:$edge_port" -servername localhost \
			-verify_hostname localhost -verify_return_error -CAfile "$state/ca/root.pem" 2>/dev/null |
		grep -q '^HTTP/1.1 200'
}
