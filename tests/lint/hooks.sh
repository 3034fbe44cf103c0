#!/bin/sh
# hooks.sh [ROOT] - the product has no test hook, no hidden switch, and nobody looks into an opaque struct.
set -eu
cd "${1:-$(dirname "$0")/../..}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0

# forbid WHAT PATTERN FILES... - says where the pattern occurs.
forbid() {
	what=$1 pattern=$2
	shift 2
	[ $# -gt 0 ] || return 0
	if grep -nE -e "$pattern" "$@" /dev/null; then
		echo "^ $what"
		status=1
	fi
}

product=$(find ca policy db enroll -name '*.[ch]' | LC_ALL=C sort)
[ -n "$product" ] || { echo "there is nothing to look at"; exit 1; }
# Paths of this tree have no blanks.
# shellcheck disable=SC2086
set -- $product

forbid "a hook for tests in the product" '_for_(unit_)?tests?\b|\b(un)?testing_only' "$@"
forbid "code that exists only for tests" \
	'^[[:space:]]*#[[:space:]]*(el)?if.*(TEST|UNIT|FUZZ|MOCK|STUB|DEBUG|__SANITIZE|__has_feature)' "$@"
forbid "a weak symbol that a test could replace" '__attribute__[[:space:]]*\(\([[:space:]]*_*weak' "$@"
forbid "a check that can be switched off" \
	'\b(skip|disable|no|without|ignore)_(verify|verification|check|checks|tls|signature)\b|insecure' "$@"

readers=
for file; do
	case $file in
	*/main.c | enroll/agent/config.c) ;;
	*) readers="$readers $file" ;;
	esac
done
# shellcheck disable=SC2086
forbid "the environment is read in main.c and in the device tool's config.c" \
	'\b(secure_)?getenv[[:space:]]*\(|\benviron\b' $readers

# A struct that a header only names, and that one source defines, is opaque.
headers=$(echo "$product" | grep '\.h$')
sources=$(echo "$product" | grep '\.c$')
# shellcheck disable=SC2086
grep -hoE '^struct [a-z0-9_]+;' $headers | sed 's/struct \(.*\);/\1/' | LC_ALL=C sort -u >"$scratch/named" || :
while read -r name; do
	# shellcheck disable=SC2086
	! grep -lE "^struct $name \{" $headers >/dev/null || continue
	# shellcheck disable=SC2086
	home=$(grep -lE "^struct $name \{" $sources) || continue
	if [ "$(echo "$home" | wc -l)" != 1 ]; then
		echo "$home" | sed "s/\$/: defines the opaque struct $name, as another file does/"
		status=1
		home=$(echo "$home" | head -n 1)
	fi
	others=$(find ca policy db enroll tests -name '*.[ch]' ! -path "$home")
	# shellcheck disable=SC2086
	forbid "a cast to the opaque struct $name, or a copy of it, outside of $home" \
		"\\((const )?struct $name \\*+\\)[^;]|^struct $name \\{|sizeof\\(struct $name\\)" $others
done <"$scratch/named"
exit "$status"
