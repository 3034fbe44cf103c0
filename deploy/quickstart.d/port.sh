# port.sh - the ports on 127.0.0.1: chosen at the first run, the same ever after.
# shellcheck shell=bash disable=SC2154 # clone, state, run and the like come from deploy/quickstart

# Does nobody listen on it, at any address? The kernel's table knows without a connection being made.
port_is_free() {
	local hex

	printf -v hex '%04X' "$1"
	! grep -Eqs "^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F]+:[0-9A-F]+ 0A " /proc/net/tcp /proc/net/tcp6
}

# Prints the first free port from the given one on, but for the one that is spoken for.
port_find() {
	local port=$1

	until port_is_free "$port" && [ "$port" != "${plain_port:-}" ]; do
		port=$((port + 1))
		[ "$port" -lt 65536 ] || die "no port from $1 on is free"
	done
	echo "$port"
}

ports_make() {
	edge_port=$(port_find 8443)
	ports_find_inner
}

# All but the edge's own. That for plain HTTP is in certificates, so it is chosen once.
ports_find_inner() {
	service_port=$(port_find $((edge_port + 1)))
	admin_port=$(port_find $((service_port + 1)))
	operators_port=$(port_find $((admin_port + 1)))
	plain_port=${plain_port:-$(port_find $((operators_port + 1)))}
	printf '%s_port=%s\n' edge "$edge_port" service "$service_port" admin "$admin_port" operators "$operators_port" \
		plain "$plain_port" >"$state/ports"
}

# Sets edge_port, service_port, admin_port, operators_port and plain_port. The edge's port is part of the service's
# name, which devices know, and that for plain HTTP is where certificates say that CRLs and OCSP are: these two cannot
# move; the others can.
ports_choose() {
	step ports "on 127.0.0.1: edge, service, administration, operators, plain HTTP"
	once ports ports_make
	# shellcheck source=/dev/null
	. "$state/ports"
	process_is_running edge || port_is_free "$edge_port" ||
		die "port $edge_port is taken by another program. It is part of this service's name," \
			"https://localhost:$edge_port: stop the other program, or begin anew with deploy/quickstart --clean"
	# Made by a quickstart that was older than the last two.
	[ -n "${plain_port:-}" ] || ports_find_inner
	process_is_running edge || port_is_free "$plain_port" ||
		die "port $plain_port is taken by another program. Certificates say that their CRL is at" \
			"http://localhost:$plain_port: stop the other program, or begin anew with deploy/quickstart --clean"
	process_is_running endorsed || ports_move_inner
}

ports_move_inner() {
	local from ports=("$service_port" "$admin_port")

	process_is_running edge || ports+=("$operators_port")
	for from in "${ports[@]}"; do
		port_is_free "$from" || {
			say "port $from is taken by another program: choosing others for the inner ones"
			ports_find_inner
			return 0
		}
	done
}
