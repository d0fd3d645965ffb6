#!/usr/bin/env bash
# Runs the benchmarks five times in one go and writes docs/benchmarks.md: medians, and ratios within this run, which hold on a noisy machine.
set -euo pipefail
cd "$(dirname "$0")/.."
raw=$(mktemp)
osb=$(mktemp)
load() { cut -d' ' -f1 /proc/loadavg; }
before=$(load)
trap 'rm -f "$raw" "$osb"' EXIT
SUTLER_BENCH=$osb go test -count=1 -timeout 60m -run '^TestSpeed$' ./cmd/sutler >&2
go test -run '^$' -bench . -count "${COUNT:-5}" ./internal/tasks | tee "$raw" >&2

# median UNIT NAME: the median of a benchmark's figures in that unit
median() {
	awk -v unit="$1" -v name="$2" '$1 ~ "^" name "-[0-9]+$" || $1 == name { for (i = 2; i < NF; i++) if ($(i + 1) == unit) print $i }' "$raw" |
		sort -g | awk '{ v[NR] = $1 } END { if (!NR) exit 1; print v[int((NR + 1) / 2)] }'
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

{
	echo '# Benchmarks'
	echo
	echo "Made by \`make bench\`: medians of ${COUNT:-5} runs. Absolute figures are this machine's; compare the ratios, which come from one run."
	echo
	echo '## Durable work (`internal/tasks`)'
	echo
	echo 'From the return of the accepting transaction to the first line of the handler, and whole operations (accept with two writes, claim, fenced'
	echo 'write, end) with eight callers.'
	echo
	echo '| store | commit → work p50 (ms) | p99 (ms) | operations a second | of SQLite FULL |'
	echo '|---|---:|---:|---:|---:|'
	base=$(median ops/s BenchmarkAcceptAndWork/sqlite-full)
	for store in sqlite-full sqlite-normal postgres; do
		ops=$(median ops/s "BenchmarkAcceptAndWork/$store")
		echo "| $store | $(median p50-ms "BenchmarkCommitToWork/$store") | $(median p99-ms "BenchmarkCommitToWork/$store") | $ops | $(ratio "$ops" "$base") |"
	done
	echo
	echo '## The platforms'"'"' protocol (`cmd/sutler: TestSpeed`)'
	echo
	echo 'Eight callers over loopback, client and market in one process, a PostgreSQL that flushes; medians of five rounds in which both sides of a ratio take'
	echo 'turns. In the last table the sizes are markets side by side that take turns too, in twenty rounds; growth is the median of the ratios in one round.'
	echo
	echo "This run: $(nproc) cores, load $before when it began and $(load) when it ended, which its own part of is about 4."
	echo 'The catalog is answered from memory and asks for no instance: what its row grows by is the noise of the machine.'
	echo
	cat "$osb"
} >docs/benchmarks.md
cat docs/benchmarks.md
