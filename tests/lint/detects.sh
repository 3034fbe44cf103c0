#!/bin/sh
# detects.sh LINT ROOT - shows that a lint finds what it is for: each file of faults/LINT/ is run in a
# copy of the tree, where it makes one fault, and says what the lint must then print.
#
#     # wants: ca/base/bad.h:1: no #pragma once
set -eu
lint=$1
root=$(cd "$2" && pwd -P)
here=$(cd "$(dirname "$0")" && pwd -P)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0 count=0

copy() {
	rm -rf "$scratch/tree"
	mkdir "$scratch/tree"
	(cd "$root" && tar cf - --exclude=.git --exclude=.build .) | (cd "$scratch/tree" && tar xf -)
}

copy
"$here/$lint.sh" "$scratch/tree" >"$scratch/before" 2>&1 || :
for fault in "$here/faults/$lint/"*; do
	[ -f "$fault" ] || continue
	count=$((count + 1))
	wants=$(sed -n 's/^# wants: //p' "$fault")
	[ -n "$wants" ] || { echo "$fault: it does not say what it wants"; exit 1; }
	copy
	(cd "$scratch/tree" && sh -eu "$fault")
	if "$here/$lint.sh" "$scratch/tree" >"$scratch/after" 2>&1; then
		echo "$lint does not detect: ${fault##*/}"
		status=1
	elif grep -qF -e "$wants" "$scratch/before"; then
		echo "$lint complains without the fault too: ${fault##*/}: $wants"
		status=1
	elif ! grep -qF -e "$wants" "$scratch/after"; then
		echo "$lint fails for another reason: ${fault##*/}"
		cat "$scratch/after"
		status=1
	fi
done
echo "$count faults"
[ "$count" -gt 0 ] || status=1
exit "$status"
