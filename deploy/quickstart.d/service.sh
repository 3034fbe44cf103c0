# service.sh - endorsed: its configuration, whom it trusts, and the process.
# shellcheck shell=bash disable=SC2154 # clone, state, run and the like come from deploy/quickstart

service_start() {
	step service "endorsed, at 127.0.0.1:$service_port behind the edge" "$state/log/endorsed.log"
	once trust trust_write
	once templates cp -R "$clone/templates" "$state/templates"
	once policy.yaml cp "$clone/deploy/example/policy.yaml" "$state/policy.yaml"
	once endorsed.yaml config_write
	config_set_ports
	config_set_admins
	config_set_public
	if ! process_is_current endorsed "$bin/endorsed" "$state/endorsed.yaml"; then
		process_stop endorsed
		process_start endorsed "$bin/endorsed" --config "$state/endorsed.yaml"
	fi
	process_wait endorsed "answered /healthz with 200" service_is_healthy
	process_is_current endorsed "$state/policy.yaml" "$state"/templates/*.yaml || service_reload
}

# What is not about addresses needs no restart. The process counts as current from here on.
service_reload() {
	"$bin/endorsectl" reload --admin "http://127.0.0.1:$admin_port" \
		--token-file "$state/secrets/admin.token" >/dev/null ||
		die "the service goes on with the old policy and templates, for what is said above"
	touch "$run/endorsed.pid"
}

# The operator's import: the manufacturer's root is trusted because somebody put it here.
trust_write() {
	mkdir -p "$state/trust/demo-manufacturer" "$state/trust/demo-manufacturer-intermediates"
	cp "$state/manufacturer/root.pem" "$state/trust/demo-manufacturer/"
	cp "$state/manufacturer/intermediate.pem" "$state/trust/demo-manufacturer-intermediates/"
}

# Paths are relative to the file.
config_write() {
	cat >"$state/endorsed.yaml" <<-END
		service: https://localhost:$edge_port
		public_url: http://localhost:$plain_port
		listen: 127.0.0.1:$service_port
		admin_listen: 127.0.0.1:$admin_port
		edge_secret_file: secrets/edge.secret
		admin_token_file: secrets/admin.token
		admin_edge_secret_file: secrets/admin-edge.secret
		admin_ca: ca/admin-ca.pem
		ticket_key_file: secrets/ticket.key
		database: "host=$run/postgres dbname=endorse user=endorse"
		ca:
		  certificate: ca/issuing.pem
		  key: ca/issuing.key
		  passphrase_file: ca/issuing.passphrase
		ssh_host_ca:
		  key: ca/ssh-host-ca.key
		  passphrase_file: ca/ssh-host-ca.passphrase
		ssh_user_ca:
		  key: ca/ssh-user-ca.key
		  passphrase_file: ca/ssh-user-ca.passphrase
		templates: templates
		policy: policy.yaml
		trust:
		  - name: demo-manufacturer
		    class: operator-import
		    roots: trust/demo-manufacturer
		    intermediates: trust/demo-manufacturer-intermediates
	END
}

# Follows the inner ports, should they have moved, and leaves alone whatever else somebody wrote.
config_set_ports() {
	grep -qxF "listen: 127.0.0.1:$service_port" "$state/endorsed.yaml" &&
		grep -qxF "admin_listen: 127.0.0.1:$admin_port" "$state/endorsed.yaml" && return 0
	sed -i -e "s/^listen: .*/listen: 127.0.0.1:$service_port/" \
		-e "s/^admin_listen: .*/admin_listen: 127.0.0.1:$admin_port/" "$state/endorsed.yaml"
}

# A configuration that is older than the edge for admins.
config_set_admins() {
	grep -q '^admin_ca:' "$state/endorsed.yaml" ||
		printf 'admin_edge_secret_file: secrets/admin-edge.secret\nadmin_ca: ca/admin-ca.pem\n' \
			>>"$state/endorsed.yaml"
}

# One that is older than the edge for plain HTTP: its certificates named the service, by https.
config_set_public() {
	grep -q '^public_url:' "$state/endorsed.yaml" ||
		printf 'public_url: http://localhost:%s\n' "$plain_port" >>"$state/endorsed.yaml"
}

# One request, spoken by the shell itself: curl need not be here, and the secret is in no command line.
service_is_healthy() (
	exec 3<>"/dev/tcp/127.0.0.1/$service_port"
	printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Endorse-Edge: %s\r\n\r\n' \
		"$(cat "$state/secrets/edge.secret")" >&3
	IFS= read -r -t 5 answer <&3
	[[ $answer == "HTTP/1.1 200"* ]]
)
