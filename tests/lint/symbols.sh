#!/bin/sh
# symbols.sh [ROOT] - no function of ours has the name of one in a library that we link (it would be
# called in its place, also from inside that library), and none is defined twice.
# ENDORSE_BUILD is the build directory. Object files lying in ROOT count as ours.
set -eu
cd "${1:-$(dirname "$0")/../..}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C
build=${ENDORSE_BUILD:?is the build directory}
status=0

{
	find "$build" -name 'libendorse_*.a' ! -name 'libendorse_flow_parts.a'
	find . -maxdepth 1 -name '*.o'
} >"$scratch/ours"
[ -s "$scratch/ours" ] || { echo "$build: no libraries"; exit 1; }
while read -r file; do
	nm -g --defined-only "$file" 2>/dev/null | awk 'NF == 3 && $2 ~ /^[TDBRC]$/ { print $3 }'
done <"$scratch/ours" | grep -vE '^_*(asan|ubsan|odr_asan|sanitizer)' | sort >"$scratch/defined"
for name in $(uniq -d "$scratch/defined"); do
	echo "$name is defined twice"
	status=1
done

for program in "$build"/bin/*; do
	ldd "$program"
done | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | grep -vE '/lib(c|m|asan|ubsan|tsan|gcc_s)\.so' |
	sort -u >"$scratch/theirs"
[ -s "$scratch/theirs" ] || { echo "$build/bin: no programs"; exit 1; }
while read -r library; do
	nm -D -g --defined-only "$library" | awk -v library="${library##*/}" \
		'NF == 3 && $2 ~ /^[TWDBRi]$/ { sub(/@.*/, "", $3); print $3, library }'
done <"$scratch/theirs" | sort -u -k 1,1 >"$scratch/taken"
uniq "$scratch/defined" | join - "$scratch/taken" >"$scratch/both"
if [ -s "$scratch/both" ]; then
	sed 's/\(.*\) \(.*\)/\1 is a name of \2/' "$scratch/both"
	status=1
fi
exit "$status"
