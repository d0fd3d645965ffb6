#!/usr/bin/env bash
# Looks for the programs that the tests start and installs the Debian packages of those that are missing, when it may (root on Debian).
# Otherwise it says exactly what to install and fails: nothing is skipped behind anybody's back.
set -u
missing=()
need() { # need PACKAGE TEST: the package is missing unless the test succeeds
	"$2" >/dev/null 2>&1 || missing+=("$1")
}
have_postgres() { compgen -G '/usr/lib/postgresql/*/bin/postgres' || command -v postgres; }
have_compiler() { command -v gcc; }
have_headers() { echo '#include <stdlib.h>' | gcc -x c -fsyntax-only -; }
have_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
need gcc have_compiler
need libc6-dev have_headers
need postgresql have_postgres
need chromium have_chromium
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
	echo "installing what the tests need: ${missing[*]}" >&2
	export DEBIAN_FRONTEND=noninteractive
	log=$(mktemp)
	install() { apt-get install -y --no-install-recommends "${missing[@]}"; }
	if { install || { apt-get update && install; }; } >"$log" 2>&1; then
		rm -f "$log"
		exit 0
	fi
	tail -n 20 "$log" >&2
fi
echo "The tests need programs that are not here. Install: ${missing[*]}" >&2
echo "On Debian: apt-get install ${missing[*]}" >&2
exit 1
