#!/bin/sh
# vendors.sh [ROOT] - the bundle of manufacturers' certificates: what SOURCES lists is there and nothing else, each is one
# certificate of a CA with the digest listed, and each manufacturer says whom its anchors may vouch for. No network.
set -eu
cd "${1:-$(dirname "$0")/../..}/policy/vendors"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C
status=0
here=policy/vendors
bad() {
	echo "$*"
	status=1
}

# "2026.11.22", and ".2" for the second of that day.
day='20[0-9]{2}\.(0[1-9]|1[0-2])\.(0[1-9]|[12][0-9]|3[01])'
if [ "$(wc -l <VERSION)" -ne 1 ] || ! grep -qxE "$day(\.[1-9][0-9]*)?" VERSION; then
	bad "$here/VERSION: wanted one line, the day of the last change: 2026.11.22"
fi

awk -F '\t' -v here="$here/SOURCES" '
function bad(message) { print here ":" FNR ": " message; failed = 1 }
$1 == "#package" {
	if (NF != 5 || $5 !~ /^[0-9a-f]+$/ || length($5) != 64) bad("wanted #package, name, version, architecture, SHA-256")
	recorded[$2 " " $3] = 1
}
/^#/ { next }
NF != 5 { bad(NF " columns: wanted 5"); next }
$1 !~ /^[a-z0-9-]+\/[a-z0-9-]+\.pem$/ { bad("\"" $1 "\" is no path of a certificate in the bundle") }
$2 !~ /^[0-9a-f]+$/ || length($2) != 64 { bad("\"" $2 "\" is no SHA-256") }
!(($3 " " $4) in recorded) { bad("there is no #package line for " $3 " " $4) }
$5 == "" { bad("no path inside the package") }
$1 in file { bad($1 " is listed twice") }
$2 in digest { bad($1 " is the same certificate as " digest[$2]) }
FNR > 1 && previous != "" && $1 <= previous { bad($1 " is out of order") }
{ file[$1] = 1; digest[$2] = $1; previous = $1 }
END { exit failed }
' SOURCES || status=1
grep -v '^#' SOURCES | cut -f 1,2 >"$scratch/listed"
[ -s "$scratch/listed" ] || bad "$here/SOURCES: it lists nothing"

# What OpenSSL makes of each, looked at together.
n=0
: >"$scratch/texts"
while read -r file digest; do
	n=$((n + 1))
	if [ ! -f "$file" ]; then
		bad "$here/SOURCES: $file is not there"
	elif openssl x509 -in "$file" -text -sha256 -fingerprint >"$scratch/$n" 2>/dev/null; then
		echo "$file $digest $scratch/$n" >>"$scratch/texts"
	else
		bad "$here/$file: not a certificate that OpenSSL reads"
	fi
done <"$scratch/listed"
awk -v here="$here" '
function bad(message) { print here "/" $1 ": " message; failed = 1 }
{
	digest = subject = pem = usage = whole = ""
	ca = inside = 0
	while ((getline line < $3) > 0) {
		if (line ~ /Subject: /) subject = tolower(line)
		if (line ~ /CA:TRUE/) ca = 1
		if (line ~ /X509v3 Key Usage/ && (getline usage < $3) <= 0) usage = "none"
		if (line ~ /Fingerprint=/) { digest = tolower(line); sub(/.*=/, "", digest); gsub(/:/, "", digest) }
		if (line ~ /^-----BEGIN/) inside = 1
		if (inside) pem = pem line "\n"
	}
	while ((getline line < $1) > 0) whole = whole line "\n"
	close($1); close($3)
	if (pem != whole) bad("wanted one certificate as PEM and nothing else")
	if (digest != $2) bad("its SHA-256 is " digest ", in SOURCES it is " $2)
	if (!ca) bad("not a CA")
	if (usage != "" && usage !~ /Certificate Sign/) bad("its key usage does not let it sign certificates")
	if (subject ~ /test|demo|sample|example/) bad("a CA for tests")
}
END { exit failed }
' "$scratch/texts" || status=1

# What else lies here.
find . -type f | sed 's,^\./,,' | sort >"$scratch/files"
while read -r file; do
	case $file in
	VERSION | SOURCES | extract | CMakeLists.txt | endorse-vendors.5 | */vendor.yaml) ;;
	*.pem) cut -f 1 "$scratch/listed" | grep -qxF "$file" || bad "$here/$file: not in SOURCES" ;;
	*) bad "$here/$file: what is this?" ;;
	esac
done <"$scratch/files"

# The product's own loader reads each vendor.yaml in unit/tpm/vendor; this is what it would let pass, and what a person
# would like to be told without a build.
for directory in */; do
	yaml=${directory}vendor.yaml
	if [ ! -f "$yaml" ]; then
		bad "$here/$yaml: missing"
		continue
	fi
	grep -qxE 'manufacturers: \["id:[0-9A-F]{8}"(, "id:[0-9A-F]{8}")*\] +# .*' "$yaml" ||
		bad "$here/$yaml: wanted manufacturers: [\"id:XXXXXXXX\", ...] and a comment that has them in letters"
	grep -qxF 'use: [ek]' "$yaml" || bad "$here/$yaml: wanted use: [ek]"
	sed -n '/^names:$/,/^[a-z]/p' "$yaml" | grep -q '^  - ' || bad "$here/$yaml: no names, so that no import is known as its"
	sed -n 's/^  - file: //p' "$yaml" | while read -r file; do
		[ -f "$directory$file" ] || echo "$here/$yaml: there is no anchor $file"
	done >"$scratch/anchors"
	[ ! -s "$scratch/anchors" ] || { cat "$scratch/anchors"; status=1; }
	[ "$(grep -cE '^  - from: ' "$yaml")" -eq "$(grep -cE '^    reference: (CVE|INTEL-SA)-[0-9]+' "$yaml")" ] ||
		bad "$here/$yaml: wanted a reference for each range of firmware"
done
exit "$status"
