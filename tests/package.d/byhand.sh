# byhand.sh - where no systemd can be run: what its units would start, as the users that they name.
# shellcheck shell=bash disable=SC2154 # root and the like come from life

# The user, no capability but that for ports, none to be gained; the settings of the edge, which its unit has.
as_unit() {
	local user=$1 settings
	shift
	mapfile -t settings < <(grep -s '^ENDORSE_' "$root/etc/endorse/edge.conf")
	inside env "${settings[@]}" setpriv --reuid="$user" --regid="$user" --init-groups --no-new-privs \
		--bounding-set=-all,+net_bind_service --inh-caps=-all,+net_bind_service \
		--ambient-caps=-all,+net_bind_service "$@"
}

unit_user() {
	unit_says "$1" User
}

unit_start() {
	local user pre
	[ -e "$root$(unit_says "$1" ConditionPathExists | head -n 1)" ] || return 0
	user=$(unit_user "$1")
	if [ -z "$user" ]; then
		inside install -d -m "$(unit_says "$1" StateDirectoryMode)" "/var/lib/$(unit_says "$1" StateDirectory)"
		inside /bin/sh -euc ". /etc/endorse/endorse.conf; $(unit_says "$1" ExecStart)" \
			>"$root/tmp/$1.log" 2>&1 || die "$1"
		return
	fi
	inside install -d -o "$user" -g "$user" -m 700 "/run/$user"
	pre=$(unit_says "$1" ExecStartPre)
	# shellcheck disable=SC2086 # a command and its words
	[ -z "$pre" ] || as_unit "$user" $pre >"$root/tmp/$1.log" 2>&1 || die "$pre"
	# shellcheck disable=SC2046
	as_unit "$user" $(unit_says "$1" ExecStart) >"$root/tmp/$1.log" 2>&1 &
	wait_for unit_is_active "$1"
	wait_for grep -qE 'service\.started|Loading success' "$root/tmp/$1.log"
}

unit_is_active() {
	pgrep -u "$(inside id -u "$(unit_user "$1")")"
}

unit_is_gone() {
	! unit_is_active "$1"
}

# There is nobody else of that name in here.
unit_stop() {
	pkill -TERM -u "$(inside id -u "$(unit_user "$1")")" || :
	wait_for unit_is_gone "$1"
}

# Nobody started it anew.
unit_was_upgraded() {
	unit_stop "$1"
	unit_start "$1"
}

# "systemctl reload" knows the main process; here it is looked for.
unit_reload() {
	case $1 in
	endorse-edge.service) pkill -o -USR2 -u "$(inside id -u endorse-edge)" ;;
	*) inside setpriv --reuid=endorse --regid=endorse --init-groups endorsectl reload ;;
	esac >"$root/tmp/reload.log" 2>&1 || die "reload $1"
}

unit_log() {
	tail -n 20 "$root"/tmp/*.service.log
}
