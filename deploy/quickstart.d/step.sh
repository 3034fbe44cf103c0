# step.sh - what the person reads, and the parts of the state that are made once.
# shellcheck shell=bash disable=SC2154 # clone, state, run and the like come from deploy/quickstart

bold='' red='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
	bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'
fi

say() {
	printf '%s\n' "$*"
}

# Begins a step: its name, what it does, and the log that tells more when it fails.
step() {
	step_name=$1 step_log=${3:-}
	printf '%s%-10s%s %s\n' "$bold" "$1" "$plain" "$2"
}

# Ends the quickstart with a sentence that says what to do.
die() {
	step_told=yes
	printf '%squickstart: %s%s\n' "$red" "$*" "$plain" >&2
	exit 1
}

must_be_root() {
	[ "$(id -u)" = 0 ] ||
		die "please run it as root: it installs packages and runs a PostgreSQL as user postgres"
}

# Says which step failed and shows the end of its log.
tell_failure() {
	local status=$?

	[ "$status" != 0 ] || return 0
	[ -n "${step_told:-}" ] || printf '%squickstart: failed at "%s"%s\n' "$red" "$step_name" "$plain" >&2
	if [ -n "${step_log:-}" ] && [ -s "$step_log" ]; then
		printf 'The last lines of %s:\n' "$step_log" >&2
		tail -n 20 "$step_log" | sed 's/^/    /' >&2
	fi
	printf 'Run deploy/quickstart again, or begin anew after deploy/quickstart --clean.\n' >&2
	exit "$status"
}

# The directories, and a lock: two quickstarts of one clone would be in each other's way.
state_open() {
	mkdir -p "$state/log" "$state/made" "$run"
	chmod 700 "$state/log"
	exec 9>"$run/lock"
	flock -w 20 9 || die "another deploy/quickstart of this clone is running"
	step_name=start
	trap tell_failure EXIT
	trap 'exit 130' HUP INT TERM
}

# Makes a part of the state, once: calls the command unless the part carries its mark. What has no mark was
# interrupted, and nothing can depend on it yet: it is removed and made again. What has its mark and is gone was
# removed by somebody else, and other parts may depend on it.
once() {
	local part=$1
	shift

	if [ -e "$state/made/$part" ]; then
		[ -e "$state/$part" ] || die "$state/$part is gone, and other parts need it: deploy/quickstart --clean"
		return 0
	fi
	rm -rf "${state:?}/$part"
	"$@"
	touch "$state/made/$part"
}
