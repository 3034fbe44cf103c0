#!/bin/sh
# reasons.sh [ROOT] - every reason code that a caller can see is documented in PROTOCOL.md and occurs in
# a test, and no documented code is without code and test.
set -eu
cd "${1:-$(dirname "$0")/../..}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
protocol=enroll/proto/PROTOCOL.md
export LC_ALL=C
status=0

# refuse(ERR_X, "code", ...), wherever the lines break. The tools' own words to their users (enroll/agent,
# enroll/admin) do not cross the wire; nor does what the operator's files are refused with.
sources=$(find ca policy db enroll -name '*.c' ! -path 'enroll/agent/*' ! -path 'enroll/admin/*' \
	! -path ca/base/err.c)
# Paths of this tree have no blanks.
# shellcheck disable=SC2086
awk '
FNR == 1 { text = "" }
{
	text = text " " $0
	while (match(text, /[^a-z_]refuse\([^,]*,[ \t]*[^, \t][^,]*,/)) {
		call = substr(text, RSTART, RLENGTH)
		text = substr(text, RSTART + RLENGTH)
		sub(/^[^,]*,[ \t]*/, "", call)
		sub(/,$/, "", call)
		if (call ~ /^"[a-z0-9-]+"$/)
			print substr(call, 2, length(call) - 2) " " FILENAME ":" FNR
		else
			print "? " FILENAME ":" FNR " " call
	}
	if (length(text) > 4000)
		text = substr(text, length(text) - 2000)
}' $sources >"$scratch/calls"

grep '^? ' "$scratch/calls" >"$scratch/odd" || :
if [ -s "$scratch/odd" ]; then
	sed 's/^? //' "$scratch/odd"
	echo "^ the reason code is not a literal"
	status=1
fi
grep -v '^?' "$scratch/calls" | cut -d ' ' -f 1 | sort -u >"$scratch/used"

# The table in PROTOCOL.md: rows that begin with "| `code` | 4xx |".
# shellcheck disable=SC2016 # these are no commands
sed -n 's/^| *`\([a-z0-9-]*\)` *| *[0-9][0-9][0-9] *|.*/\1/p' "$protocol" 2>/dev/null |
	sort >"$scratch/rows"
sort -u "$scratch/rows" >"$scratch/documented"
[ -s "$scratch/used" ] || { echo "no reason code is used anywhere"; exit 1; }
[ -s "$scratch/documented" ] || { echo "$protocol: no table of reason codes"; exit 1; }

for code in $(uniq -d "$scratch/rows"); do
	echo "$protocol: $code is listed twice"
	status=1
done
for code in $(comm -23 "$scratch/used" "$scratch/documented"); do
	grep "^$code " "$scratch/calls" | sed "s,^\([^ ]*\) \(.*\),\2: $protocol does not list \1,"
	status=1
done
for code in $(comm -13 "$scratch/used" "$scratch/documented"); do
	# What is wrong on our side goes out under a word of its own ("internal"), without a refuse().
	# shellcheck disable=SC2086
	! grep -qF "\"$code\"" $sources || continue
	echo "$protocol: nothing refuses with $code"
	status=1
done
find tests -name '*.c' -exec grep -ohE '"[a-z0-9-]+"' {} + | tr -d '"' | sort -u >"$scratch/tested"
for code in $(comm -23 "$scratch/documented" "$scratch/tested"); do
	echo "tests: no test names $code"
	status=1
done
exit "$status"
