# package.sh - Debian's packages, and the programs built from this clone.
# shellcheck shell=bash disable=SC2154 # clone, state, run and the like come from deploy/quickstart

packages_install() {
	step packages "what Debian has and is missing here" "$state/log/packages.log"
	"$clone/deploy/packages" build run >"$step_log" 2>&1 9>&-
}

programs_build() {
	local build=$clone/.build/release

	step build "the programs, into .build/release/bin" "$state/log/build.log"
	# A clone that was moved or copied brings a build that belongs to its old place.
	if ! grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$clone" "$build/CMakeCache.txt"; then
		rm -rf "$build"
	fi
	programs_compile "$build" >"$step_log" 2>&1 9>&-
}

programs_compile() {
	[ -e "$1/build.ninja" ] ||
		cmake -S "$clone" -B "$1" -G Ninja -DCMAKE_BUILD_TYPE=Release -DENDORSE_TESTS=OFF
	cmake --build "$1"
}
