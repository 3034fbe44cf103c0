#!/bin/sh
# fixtures.sh [ROOT] - each file of tests/fixtures/ek holds the bytes that EXPECTED says make it odd, has a
# row there, and each quirk has a file.
set -eu
cd "${1:-$(dirname "$0")/../..}"

folder=tests/fixtures/ek
table=$folder/EXPECTED
quirks=16
status=0
bad() {
	echo "$*"
	status=1
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C
tab=$(printf '\t')

# As hexadecimal digits with a blank before each pair, on one line.
bytes_of() {
	od -An -v -tx1 "$1" | tr -s ' \n' ' '
}

line=0
: >"$scratch/rows"
: >"$scratch/quirks"
while IFS=$tab read -r path quirk verdict bytes what rest; do
	line=$((line + 1))
	case $path in '' | '#'*) continue ;; esac
	here=$table:$line
	echo "$path" >>"$scratch/rows"
	echo "$quirk" >>"$scratch/quirks"
	if [ -z "$what" ] || [ -n "$rest" ]; then bad "$here: wanted five columns"; fi
	[ -f "$folder/$path" ] || { bad "$here: there is no $path"; continue; }
	case $verdict in
	accepted | loads | skipped) ;;
	*) grep -q "^| *\`$verdict\` *|" enroll/proto/PROTOCOL.md || bad "$here: $verdict is no verdict" ;;
	esac
	[ "$bytes" != - ] || continue
	echo "$bytes" | grep -qE '^[0-9a-f]{2}( [0-9a-f]{2})*$' || bad "$here: these are no bytes"
	bytes_of "$folder/$path" | grep -qF -e " $bytes" || bad "$here: $path does not hold $bytes"
done <"$table"
[ -s "$scratch/rows" ] || bad "$table: no rows"

for path in $(sort "$scratch/rows" | uniq -d); do
	bad "$table: $path is listed twice"
done
(cd "$folder" && find . -name '*.der' | sed 's,^\./,,' | sort) >"$scratch/files"
for path in $(sort -u "$scratch/rows" | comm -13 - "$scratch/files"); do
	bad "$table: $folder/$path is not listed"
done
quirk=0
while [ "$quirk" -lt "$quirks" ]; do
	quirk=$((quirk + 1))
	grep -qx "$quirk" "$scratch/quirks" || bad "$table: nothing stands for quirk $quirk"
done
exit "$status"
