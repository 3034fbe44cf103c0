#!/bin/sh
# banned.sh [ROOT] - each function that ca/base/banned.h names does not compile, with gcc nor with clang.
# ENDORSE_FLAGS names the file with the project's flags, one a line, which CMake writes.
set -eu
cd "${1:-$(dirname "$0")/../..}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
header=ca/base/banned.h
names=$({
	sed -n 's/^#pragma GCC poison //p' "$header" | tr ' ' '\n'
	sed -n '/deprecated(/s/^[a-z ]*[ *]\([a-z_0-9]*\)(.*/\1/p' "$header"
})
[ -n "$names" ] || { echo "$header names no function"; exit 1; }

# "SHELL:" is CMake's word for several words in one line. The header is the one of ROOT.
sed -e 's/^SHELL://' -e '/^-fsanitize/d' -e "s,-include .*banned\\.h\"*,-include $header," \
	"${ENDORSE_FLAGS:?names the file with the flags}" | tr '\n' ' ' >"$scratch/flags"
grep -q -e "-include $header" "$scratch/flags" || { echo "the project's flags do not include $header"; exit 1; }

compiles() { # compiler source
	# A list of words.
	# shellcheck disable=SC2046
	"$1" -std=gnu11 -O2 -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -I. $(cat "$scratch/flags") -Werror \
		-fsyntax-only "$2" >"$scratch/out" 2>&1
}

status=0
for compiler in gcc clang; do
	command -v "$compiler" >/dev/null || { echo "$compiler is not installed"; exit 1; }
	printf '#include <stdio.h>\nint main(void) { return puts("fine") < 0; }\n' >"$scratch/control.c"
	if ! compiles "$compiler" "$scratch/control.c"; then
		cat "$scratch/out"
		echo "$compiler: the control program does not compile"
		exit 1
	fi
	for name in $names; do
		printf '#include <stdlib.h>\nint main(void) { return ((int (*)())%s)() != 0; }\n' "$name" \
			>"$scratch/call.c"
		if compiles "$compiler" "$scratch/call.c"; then
			echo "$header: $name compiles with $compiler"
			status=1
		elif ! grep -qE "poison|deprecated" "$scratch/out"; then
			cat "$scratch/out"
			echo "$header: $name is refused by $compiler for another reason"
			status=1
		fi
	done
done
exit "$status"
