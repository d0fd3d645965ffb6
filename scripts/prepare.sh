#!/usr/bin/env bash
# Looks for the programs that the tests start and installs the Debian packages of those that are missing, when it may (root on Debian).
# Otherwise it says exactly what to install and fails: nothing is skipped behind anybody's back.
set -u
missing=()
need() { # need PACKAGE TEST: the package is missing unless the test succeeds
	"$2" >/dev/null 2>&1 || missing+=("$1")
}
have_postgres() { compgen -G '/usr/lib/postgresql/*/bin/postgres' || command -v postgres; }
have_redis() { command -v redis-server; }
have_mariadb() { command -v mariadbd || ls /usr/sbin/mariadbd; }
have_compiler() { command -v gcc; }
have_headers() { echo '#include <stdlib.h>' | gcc -x c -fsyntax-only -; }
have_node() { command -v node && command -v npm; }
have_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
have_rabbitmq() { compgen -G '/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server' || command -v rabbitmq-server; }
need gcc have_compiler
need libc6-dev have_headers
need postgresql have_postgres
need mariadb-server have_mariadb
need redis-server have_redis
need chromium have_chromium
need rabbitmq-server have_rabbitmq
[ -n "${CI:-}" ] && need nodejs have_node && need npm have_node

# peers installs the proxy that watches the platforms' protocol (scripts/prism) into .cache, once for each lock file. Without it the tests that
# need it say that they are skipped; in continuous integration they fail.
peers() {
	cd "$(dirname "$0")/.." || return 1
	local at=.cache/prism log
	cmp -s scripts/prism/package-lock.json "$at/node_modules/.installed" && return 0
	have_node >/dev/null || { echo "node and npm are missing: the tests that watch the platforms' protocol will be skipped." >&2; return 0; }
	mkdir -p "$at" && cp scripts/prism/package.json scripts/prism/package-lock.json "$at/" || return 1
	log=$(mktemp)
	if npm ci --prefix "$at" --omit=dev --ignore-scripts --no-audit --no-fund >"$log" 2>&1; then
		cp scripts/prism/package-lock.json "$at/node_modules/.installed"
		rm -f "$log"
		return 0
	fi
	tail -n 20 "$log" >&2
	echo "prism could not be installed: no test watches the platforms' protocol." >&2
	[ -z "${CI:-}" ]
}
# gateway builds the S3 server of the tests into .cache/bin. What could not be built here is tried once more by the tests that need it, which then
# say what is wrong.
gateway() {
	cd "$(dirname "$0")/.." || return 0
	local log
	[ -x .cache/bin/versitygw ] && return 0
	log=$(mktemp)
	CGO_ENABLED=0 GOBIN="$PWD/.cache/bin" GOFLAGS='' go install github.com/versity/versitygw/cmd/versitygw@v1.8.0 >"$log" 2>&1 || tail -n 5 "$log" >&2
	rm -f "$log"
	return 0
}
[ ${#missing[@]} -eq 0 ] && { (gateway); peers; exit; }

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
	echo "installing what the tests need: ${missing[*]}" >&2
	export DEBIAN_FRONTEND=noninteractive
	log=$(mktemp)
	install() { apt-get install -y --no-install-recommends "${missing[@]}"; }
	if { install || { apt-get update && install; }; } >"$log" 2>&1; then
		rm -f "$log"
		(gateway)
		peers
		exit
	fi
	tail -n 20 "$log" >&2
fi
echo "The tests need programs that are not here. Install: ${missing[*]}" >&2
echo "On Debian: apt-get install ${missing[*]}" >&2
exit 1
