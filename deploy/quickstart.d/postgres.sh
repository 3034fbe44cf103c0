# postgres.sh - a PostgreSQL of our own: no network, one socket, and only root and postgres may come in.
# shellcheck shell=bash disable=SC2154 # clone, state, run and the like come from deploy/quickstart

postgres_bin=/usr/lib/postgresql/15/bin

# Unlike su and runuser, setpriv becomes the command: its process id is PostgreSQL's.
as_postgres() {
	setpriv --reuid=postgres --regid=postgres --init-groups --inh-caps=-all "$@"
}

postgres_make() {
	install -d -o postgres -g postgres -m 700 "$state/postgres"
	as_postgres "$postgres_bin/initdb" -D "$state/postgres" -U postgres -E UTF8 --locale=C --auth=peer \
		>>"$step_log" 2>&1
	cat >>"$state/postgres/postgresql.conf" <<-END
		listen_addresses = ''
		unix_socket_directories = '$run/postgres'
		max_connections = 50
	END
	echo "local all all peer map=endorse" >"$state/postgres/pg_hba.conf"
	printf 'endorse root endorse\nendorse postgres postgres\n' >"$state/postgres/pg_ident.conf"
}

postgres_start() {
	step database "PostgreSQL, on a socket only" "$state/log/postgres.log"
	once postgres postgres_make
	if ! process_is_running postgres; then
		postgres_settle
		install -d -o postgres -g postgres -m 700 "$run/postgres"
		process_start postgres setpriv --reuid=postgres --regid=postgres --init-groups --inh-caps=-all \
			"$postgres_bin/postgres" -D "$state/postgres"
	fi
	process_wait postgres "answered" "$postgres_bin/pg_isready" -q -h "$run/postgres" -U postgres
	postgres_create
}

# After a kill -9 the dead process may stay in the kernel's table for a while, and PostgreSQL takes it for a living one.
postgres_settle() {
	local pid end=$((SECONDS + 20))

	[ -e "$state/postgres/postmaster.pid" ] || return 0
	read -r pid <"$state/postgres/postmaster.pid"
	while grep -qs '^State:.*zombie' "/proc/$pid/status" && [ "$SECONDS" -lt "$end" ]; do
		sleep 0.1
	done
}

# The role and the database. Both are asked for first, so that a run which was interrupted between them goes on.
postgres_create() {
	as_postgres "$postgres_bin/psql" -h "$run/postgres" -U postgres -d postgres -qXAt -v ON_ERROR_STOP=1 \
		>>"$step_log" 2>&1 <<-'END'
		SELECT 'CREATE ROLE endorse LOGIN'
		 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'endorse') \gexec
		SELECT 'CREATE DATABASE endorse OWNER endorse'
		 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'endorse') \gexec
	END
}
