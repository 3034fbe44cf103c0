#!/bin/sh
# man.sh [ROOT] - manual pages are clean, and say what the code says: keys of the configuration, options, commands and
# the edge's variables, no more and no fewer. Completions know every option. Messages and texts name no command and no
# option that there is not.
set -eu
cd "${1:-$(dirname "$0")/../..}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C
status=0
bad() {
	echo "$*"
	status=1
}

# same SOURCE PAGE WHAT - the two lists in scratch/code and scratch/page.
same() {
	sort "$scratch/code" >"$scratch/code.sorted"
	sort "$scratch/page" >"$scratch/page.sorted"
	[ -s "$scratch/code" ] || bad "$1: no $3 found in it"
	for word in $(comm -23 "$scratch/code.sorted" "$scratch/page.sorted"); do
		bad "$2: the $3 \"$word\" of $1 is missing"
	done
	for word in $(comm -13 "$scratch/code.sorted" "$scratch/page.sorted"); do
		bad "$2: $1 has no $3 \"$word\""
	done
}

for page in $(find ca policy enroll deploy tests/bench -name '*.[1-8]' | sort); do
	mandoc -Tlint -W warning "$page" >"$scratch/lint" 2>&1 || :
	[ ! -s "$scratch/lint" ] || { cat "$scratch/lint"; status=1; }
done

# keys "SOURCE..." PAGE. A key that stands in two tables stands in the page twice.
keys() {
	sed -n 's/^[[:blank:]]*{"\([a-z0-9_-]*\)", YAML_.*/\1/p' $1 >"$scratch/code"
	sed -n 's/^\.It Va \([a-z0-9_-]*\)$/\1/p' "$2" >"$scratch/page"
	same "$1" "$2" key
}
keys enroll/daemon/config.c enroll/daemon/endorsed.yaml.5
keys "policy/hold.c policy/policy.c" policy/endorse-policy.5
keys enroll/trust/vendor.c policy/vendors/endorse-vendors.5
keys ca/template_schema.c ca/endorse-template.5

# options PAGE COMPLETION SOURCE...
options() {
	page=$1 completion=$2
	shift 2
	cat "$@" | sed -n 's/^[[:blank:]]*{\{0,1\}"\([a-z0-9-]*\)", \(no\|required\|optional\)_argument,.*/\1/p' |
		sort -u >"$scratch/code"
	printf 'help\nversion\n' | sort -u - "$scratch/code" -o "$scratch/code"
	cp "$scratch/code" "$scratch/options.${completion##*/}"
	grep -oE '(Fl|\|) -[a-z0-9-]+' "$page" | sed 's/.* -//' | sort -u >"$scratch/page"
	# The options of commands that are told of in the page alone are not judged here.
	comm -23 "$scratch/code" "$scratch/page" | while read -r option; do
		echo "$page: the option \"--$option\" is missing"
	done >"$scratch/missing"
	while read -r option; do
		grep -qE -e "--$option([^a-z0-9-]|\$)" "$completion" ||
			echo "$completion: the option \"--$option\" is missing"
	done <"$scratch/code" >>"$scratch/missing"
	[ ! -s "$scratch/missing" ] || { cat "$scratch/missing"; status=1; }
}
options enroll/daemon/endorsed.8 deploy/completion/endorsed enroll/daemon/*.[ch]
options enroll/admin/endorsectl.1 deploy/completion/endorsectl enroll/admin/*.[ch]
options enroll/agent/endorse.1 deploy/completion/endorse enroll/agent/*.[ch]
options tests/bench/endorse-bench/endorse-bench.1 deploy/completion/endorse-bench \
	$(find tests/bench/endorse-bench -name '*.[ch]')

# commands PAGE COMPLETION SOURCE - those of the usage: lines that begin with two blanks, the command, two blanks.
commands() {
	sed -n 's/^[[:blank:]]*"  \([a-z-]\{1,\}\( [a-z-]\{1,\}\)\{0,2\}\)  .*/\1/p' "$3" >"$scratch/commands"
	[ -s "$scratch/commands" ] || bad "$3: no command found in it"
	while read -r command; do
		grep -qxF ".It Cm $command" "$1" || bad "$1: the command \"$command\" is missing"
		for word in $command; do
			grep -qE "[\" ]${word}[\" ]" "$2" || bad "$2: the command \"$command\" is missing"
		done
	done <"$scratch/commands"
}
commands tests/bench/endorse-bench/endorse-bench.1 deploy/completion/endorse-bench tests/bench/endorse-bench/main.c
commands enroll/admin/endorsectl.1 deploy/completion/endorsectl enroll/admin/main.c

# What people are told to type: `endorsectl ek allow add`, `endorse enroll --ek`. More words than a command has are the
# sentence's; fewer are a group of commands.
literals() {
	awk 'function texts() {
		gsub(/"[ \t]*"/, "", text)
		while (match(text, /"([^"\\]|\\.)*"/)) {
			print from ": " substr(text, RSTART, RLENGTH)
			text = substr(text, RSTART + RLENGTH)
		}
		text = ""
	}
	FNR == 1 { texts(); from = FILENAME }
	{ text = text $0 " " }
	END { texts() }' "$@"
}
{
	# One process for all of them: this lint runs again for each of its faults.
	literals $(find ca db policy enroll -name '*.[ch]')
	find README.md tests/README.md ca db policy enroll templates deploy -type f \( -name '*.md' -o -name '*.[1-8]' -o \
		-path 'deploy/*' \) ! -path 'deploy/completion/*' ! -name CMakeLists.txt -exec grep -HE 'endorse(ctl|d)? ' {} + |
		sed 's/:/: /'
} >"$scratch/texts"
# said EXPRESSION - "FILE: TEXT" for all that it matches.
said() {
	grep -oE "^[^: ]*: |$1" "$scratch/texts" | awk '/: $/ { from = $0; next } { print from $0 }' | sort -u
}
said '\bendorsectl( [a-z][a-z-]*){1,3}' >"$scratch/said"
[ -s "$scratch/said" ] || bad "no text names a command of endorsectl"
awk 'NR == FNR { command[$0]; next }
{
	said = $0
	sub(/.*: endorsectl /, "", said)
	for (one in command)
		if (index(said " ", one " ") == 1 || index(one " ", said " ") == 1)
			next
	sub(/: .*/, "")
	print $0 ": there is no command \"endorsectl " said "\""
	failed = 1
}
END { exit failed }' "$scratch/commands" "$scratch/said" || status=1
said '\bendorse(ctl|d)?( [a-z][a-z-]*)* --[a-z][a-z0-9-]+' >"$scratch/said"
while read -r file program words; do
	grep -qxF -e "${words##*--}" "$scratch/options.$program" ||
		bad "$file $program has no option \"--${words##*--}\""
done <"$scratch/said"

# The secrets themselves cannot be set: edge/start takes them from their files.
cat deploy/edge/haproxy.cfg deploy/edge/start.in | grep -oE 'ENDORSE_(EDGE|BACKEND)_[A-Z0-9_]+' | sort -u |
	grep -vxE 'ENDORSE_EDGE_(ADMIN_)?SECRET' >"$scratch/code"
sed -n 's/^\.It Ev //p' deploy/man/endorse-edge.8 >"$scratch/page"
same deploy/edge deploy/man/endorse-edge.8 variable
exit "$status"
