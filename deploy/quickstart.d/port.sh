# port.sh - the ports on 127.0.0.1: chosen at the first run, the same ever after.
# shellcheck shell=bash disable=SC2154 # clone, state, run and the like come from deploy/quickstart

# Does nobody listen on it, at any address? The kernel's table knows without a connection being made.
port_is_free() {
	local hex

	printf -v hex '%04X' "$1"
	! grep -Eqs "^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F]+:[0-9A-F]+ 0A " /proc/net/tcp /proc/net/tcp6
}

# Prints the first free port from the given one on.
port_find() {
	local port=$1

	until port_is_free "$port"; do
		port=$((port + 1))
		[ "$port" -lt 65536 ] || die "no port from $1 on is free"
	done
	echo "$port"
}

ports_make() {
	local edge service admin

	edge=$(port_find 8443)
	service=$(port_find $((edge + 1)))
	admin=$(port_find $((service + 1)))
	printf 'edge_port=%s\nservice_port=%s\nadmin_port=%s\n' "$edge" "$service" "$admin" >"$state/ports"
}

# Sets edge_port, service_port and admin_port. The edge's port is part of the service's name, which devices know, so
# it cannot move; the inner ones can.
ports_choose() {
	step ports "on 127.0.0.1: edge, service, administration"
	once ports ports_make
	# shellcheck source=/dev/null
	. "$state/ports"
	process_is_running edge || port_is_free "$edge_port" ||
		die "port $edge_port is taken by another program. It is part of this service's name," \
			"https://localhost:$edge_port: stop the other program, or begin anew with deploy/quickstart --clean"
	process_is_running endorsed || ports_move_inner
}

ports_move_inner() {
	local from

	for from in "$service_port" "$admin_port"; do
		port_is_free "$from" || {
			say "port $from is taken by another program: choosing others for the inner ones"
			service_port=$(port_find $((edge_port + 1)))
			admin_port=$(port_find $((service_port + 1)))
			printf 'edge_port=%s\nservice_port=%s\nadmin_port=%s\n' \
				"$edge_port" "$service_port" "$admin_port" >"$state/ports"
			return 0
		}
	done
}
