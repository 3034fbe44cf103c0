# process.sh - the processes that the quickstart runs: started, found again, stopped.
# shellcheck shell=bash disable=SC2154 # clone, state, run and the like come from deploy/quickstart

# Starts a command in the background, away from this terminal. It writes its own process id before it becomes the
# command, so there is no moment in which it runs and nobody knows.
process_start() {
	local name=$1
	shift

	rm -f "$run/$name.pid"
	# shellcheck disable=SC2016 # for the inner shell
	setsid /bin/bash -c 'echo $$ >"$0"; exec "$@"' "$run/$name.pid" "$@" \
		</dev/null >>"$state/log/$name.log" 2>&1 9>&- &
	process_wait "$name" "begins" test -s "$run/$name.pid"
}

# Is the process of this name running, and is it ours? A number alone may by now be somebody else's process, so its
# command line has to name this instance.
process_is_running() {
	local pid

	pid=$(cat "$run/$1.pid" 2>/dev/null) && [ -n "$pid" ] &&
		tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$instance"
} 2>/dev/null

# Is it running, and was it started after each of these files was last changed?
process_is_current() {
	local name=$1 file
	shift

	process_is_running "$name" || return 1
	for file in "$@"; do
		[ "$run/$name.pid" -nt "$file" ] || return 1
	done
}

# Waits until a command succeeds, while the process lives and for 20 seconds at most.
process_wait() {
	local name=$1 what=$2 end=$((SECONDS + 20))
	shift 2

	until "$@" >/dev/null 2>&1; do
		[ ! -s "$run/$name.pid" ] || process_is_running "$name" || die "$name ended before it $what"
		[ "$SECONDS" -lt "$end" ] || die "waited 20 seconds, and $name never $what"
		sleep 0.05
	done
}

process_stop() {
	local name=$1 signal=${2:-TERM} pid end=$((SECONDS + 15))

	if process_is_running "$name"; then
		pid=$(cat "$run/$name.pid")
		kill -s "$signal" "$pid"
		while process_is_running "$name"; do
			if [ "$SECONDS" -ge "$end" ]; then
				say "$name (process $pid) did not stop within 15 seconds: killed"
				kill -s KILL "$pid"
				sleep 0.2
			fi
			sleep 0.05
		done
	fi
	rm -f "$run/$name.pid"
}
