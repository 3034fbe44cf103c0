#!/bin/sh
# includes.sh [ROOT] - who includes whom: the table below, root-relative paths, no cycle, and headers
# that say what they are.
set -eu
cd "${1:-$(dirname "$0")/../..}"

list=$(mktemp -d)
trap 'rm -rf "$list"' EXIT
find ca policy db enroll -name '*.[ch]' | LC_ALL=C sort >"$list/files"
[ -s "$list/files" ] || { echo "there is nothing to look at"; exit 1; }

# folder | what it may include (folders, or single headers) | outside libraries
cat >"$list/table" <<'EOT'
ca/base      |                                                                        | openssl
ca           | ca/base                                                                | openssl
ca/signer    | ca ca/base                                                             | openssl
policy       | ca/base                                                                |
db           | ca/base                                                                | libpq
enroll/proto | ca/base                                                                | jansson
enroll/trust | ca/base                                                                | openssl
enroll/tpm   | enroll/trust ca/base                                                   | openssl tss2-mu
enroll/flow  | ca ca/base ca/signer/client.h policy db enroll/proto enroll/tpm enroll/trust        | openssl
enroll/http  | enroll/flow enroll/proto ca/base                                       | civetweb
enroll/agent | enroll/proto enroll/tpm enroll/trust ca ca/base                                     | openssl tss2-mu tss2-esys curl
enroll/admin | enroll/proto enroll/tpm enroll/trust ca ca/base                                     | openssl curl
enroll/daemon| ca ca/base ca/signer policy db enroll/proto enroll/tpm enroll/trust enroll/flow enroll/http |
EOT
# The one place where a library is let in that its folder does not have.
echo "ca/base/yaml.c yaml" >"$list/only"
echo "ca/base/yaml_value.c yaml" >>"$list/only"

cat >"$list/check.awk" <<'EOT'
function trim(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }
function folder_of(path) { sub(/\/[^\/]*$/, "", path); return path }
function bad(message) { print FILENAME ":" FNR ": " message; failed = 1 }
function library_of(header) {
	if (header ~ /^openssl\//) return "openssl"
	if (header ~ /^(libpq-fe|postgres_ext|libpq-events)\.h$|^libpq\//) return "libpq"
	if (header ~ /^jansson/) return "jansson"
	if (header ~ /^civetweb/) return "civetweb"
	if (header ~ /^yaml\.h$/) return "yaml"
	if (header ~ /^curl\//) return "curl"
	if (header ~ /^tss2\/tss2_(mu|common|tpm2_types)\.h$/) return "tss2-mu"
	if (header ~ /^tss2\//) return "tss2-esys"
	if (header ~ /^(sys|arpa|netinet|net|linux)\//) return ""
	if (index(libc, " " header " ")) return ""
	return "an unknown library"
}
BEGIN {
	libc = " assert.h ctype.h dirent.h endian.h err.h errno.h fcntl.h ftw.h getopt.h glob.h grp.h " \
		"inttypes.h libgen.h limits.h locale.h malloc.h math.h netdb.h poll.h pthread.h pwd.h regex.h " \
		"sched.h semaphore.h setjmp.h signal.h spawn.h stdalign.h stdarg.h stdatomic.h stdbool.h " \
		"stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h strings.h syslog.h termios.h " \
		"threads.h time.h unistd.h wchar.h "
	while ((getline line < table) > 0) {
		split(line, column, "|")
		name = trim(column[1])
		may[name] = " " trim(column[2]) " "
		libraries[name] = " " trim(column[3]) " "
	}
	while ((getline line < only) > 0) {
		split(line, column, " ")
		exception[column[1] " " column[2]] = 1
	}
}
FNR == 1 {
	folder = folder_of(FILENAME)
	name = FILENAME
	sub(/.*\//, "", name)
	if (!(folder in may))
		bad("the table in tests/lint/includes.sh has no folder " folder)
	if (name ~ /\.h$/ && index($0, "/* " name " - ") != 1)
		bad("the first line does not begin with \"/* " name " - \"")
}
/^[ \t]*#[ \t]*pragma[ \t]+once/ { once[FILENAME] = 1 }
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, part, "\"")
	header = part[2]
	from = folder_of(header)
	if ((getline line < header) < 0)
		bad("\"" header "\" is not the path of a header from the root of the tree")
	else if (from != folder && !index(may[folder], " " from " ") && !index(may[folder], " " header " "))
		bad(folder " may not include " header)
	close(header)
	print FILENAME, header > edges
}
/^[ \t]*#[ \t]*include[ \t]*</ {
	split($0, part, /[<>]/)
	library = library_of(part[2])
	if (library != "" && !index(libraries[folder], " " library " ") && !((FILENAME " " library) in exception))
		bad(folder " may not use " library " (" part[2] ")")
}
END {
	for (i = 1; i < ARGC; i++)
		if (ARGV[i] ~ /\.h$/ && !once[ARGV[i]]) {
			print ARGV[i] ":1: no #pragma once"
			failed = 1
		}
	exit failed
}
EOT

status=0
while IFS='| ' read -r folder rest; do
	[ -d "$folder" ] || { echo "the table in tests/lint/includes.sh has a folder that is not there: $folder"; status=1; }
	grep -qF "| \`$folder\` |" README.md || { echo "README.md: the house has no row \`$folder\`"; status=1; }
done <"$list/table"
: >"$list/edges"
xargs awk -v table="$list/table" -v only="$list/only" -v edges="$list/edges" \
	-f "$list/check.awk" <"$list/files" || status=1
tsort "$list/edges" >/dev/null 2>"$list/loops" || { echo "headers include each other:"; cat "$list/loops"; status=1; }
exit "$status"
