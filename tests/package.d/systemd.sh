# systemd.sh - the root directory's own systemd, as the first process of a namespace; units are its business.
# shellcheck shell=bash disable=SC2154 # root and the like come from life

# shellcheck disable=SC2034 # inside() of life goes to this process
init=

# A cgroup of our own is all that it gets to see of the machine's, and /sys it cannot write, so no udev runs.
systemd_boot() {
	local launcher i
	mount -t sysfs -o ro sysfs "$root/sys" && mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" &&
		mkdir "$root/sys/fs/cgroup/${root##*/}" || return 1
	# The console and the log of the kernel are the machine's.
	rm -f "$root"/dev/kmsg "$root"/dev/console "$root"/dev/tty[0-9]* "$root/usr/sbin/policy-rc.d"
	(
		echo "$BASHPID" >"$root/sys/fs/cgroup/${root##*/}/cgroup.procs"
		# shellcheck disable=SC2016 # for the inner shell
		exec unshare --pid --mount --cgroup --uts --fork --kill-child /bin/bash -euc '
			hostname endorse-package
			mount -t proc proc "$1/proc"
			umount "$1/sys/fs/cgroup"
			mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
			exec env -i PATH="$PATH" container=endorse-package chroot "$1" /lib/systemd/systemd --system \
				--unit=basic.target --log-target=console --show-status=no' bash "$root"
	) >"$root/tmp/systemd.log" 2>&1 </dev/null &
	launcher=$!
	for ((i = 0; i < 300; i++)); do
		# shellcheck disable=SC2034
		init=$(pgrep -P "$launcher") && is_booted && return
		sleep 0.1
	done
	kill -KILL "$launcher" 2>/dev/null || :
	init=
	rm -rf "$root/run/systemd"
	return 1
}

is_booted() {
	case $(inside systemctl is-system-running 2>/dev/null) in
	running | degraded) ;;
	*) return 1 ;;
	esac
}

declare -gA started

unit_start() {
	inside timeout 20 systemctl start "$1" || die "systemctl start $1"
	started[$1]=$(inside systemctl show -P ExecMainStartTimestampMonotonic "$1")
}

unit_stop() {
	inside timeout 20 systemctl stop "$1" || die "systemctl stop $1"
	[ "$(inside systemctl show -P Result "$1")" = success ] || die "$1 stopped with a failure"
}

unit_reload() {
	inside timeout 20 systemctl reload "$1" || die "systemctl reload $1"
}

# What ran goes on, as another process.
unit_was_upgraded() {
	unit_is_active "$1" || die "$1 does not run after the upgrade"
	[ "$(inside systemctl show -P NRestarts "$1")" = 0 ] || die "$1 has fallen over"
	[ "$(inside systemctl show -P ExecMainStartTimestampMonotonic "$1")" -gt "${started[$1]}" ] ||
		die "$1 was not started anew by the upgrade"
}

unit_is_active() {
	inside systemctl -q is-active "$1"
}

unit_log() {
	inside systemctl --no-pager --full -n 20 status endorsed.service endorse-edge.service endorse-renew.service
}
