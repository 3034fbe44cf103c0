#!/bin/sh
# format.sh [ROOT] - clang-format has the last word (version 14: others format differently).
set -eu
cd "${1:-$(dirname "$0")/../..}"

tool=$(command -v clang-format-14 || command -v clang-format) ||
	{ echo "clang-format-14 is not installed"; exit 1; }
"$tool" --version | grep -q 'version 14\.' || { echo "$tool is not version 14"; exit 1; }
files=$(find ca policy db enroll tests -name '*.[ch]')
[ -n "$files" ] || { echo "there is nothing to look at"; exit 1; }
# Paths of this tree have no blanks.
# shellcheck disable=SC2086
"$tool" --style=file --dry-run -Werror $files
