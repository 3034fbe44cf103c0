#!/bin/sh
# tree.sh [ROOT] - what lies where, and how long anything may be.
set -eu
cd "${1:-$(dirname "$0")/../..}"

status=0
bad() {
	echo "$*"
	status=1
}

wanted="CMakeLists.txt LICENSE README.md ca db deploy enroll policy templates tests"
found=$(find . -mindepth 1 -maxdepth 1 ! -name '.*' | sed 's,^\./,,' | LC_ALL=C sort | tr '\n' ' ')
[ "$found" = "$wanted " ] || bad "at the top: wanted \"$wanted\", found \"$found\""

sources=$(find ca policy db enroll tests -name '*.[ch]' | LC_ALL=C sort)
# Paths of this tree have no blanks.
# shellcheck disable=SC2086
awk '
function bad(message) { print FILENAME ":" FNR ": " message; failed = 1 }
FNR == 1 { start = 0 }
FNR == 500 { bad("500 lines; a file has fewer") }
# clang-format puts the brace of a function, and of nothing else, on a line of its own.
/^\{/ { start = FNR }
/^\}/ && start > 0 { if (FNR - start + 1 > 60) bad("a function of " FNR - start + 1 " lines; at most 60"); start = 0 }
END { exit failed }
' $sources || status=1

# Words and paths are put together here, so that this file does not contain them.
words="TO""DO|FIX""ME|XX""X"
texts=$(find . -name .git -prune -o -path ./.build -prune -o -type f -print | LC_ALL=C sort)
# shellcheck disable=SC2086
if echo "$texts" | tr '\n' '\0' | xargs -0 grep -nIwE "$words"; then
	bad "^ unfinished"
fi
home="/ho""me/[a-z]|/ro""ot/|/Us""ers/|/wor""kspace|/builds""/[a-z]"
if echo "$texts" | tr '\n' '\0' | xargs -0 grep -nIE "(^|[^A-Za-z0-9_.$})~-])($home)"; then
	bad "^ a path of the machine it was made on"
fi
here=$(pwd -P)
if [ "${#here}" -gt 4 ] && echo "$texts" | tr '\n' '\0' | xargs -0 grep -nIF "$here"; then
	bad "^ the path where this tree lies"
fi
exit "$status"
