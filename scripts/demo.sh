#!/usr/bin/env bash
# The main job in front of you: a market starts, an app gets two backends of two providers, uses them, and one invoice covers both.
# It ends with 0 only if every step did what it says. Everything it starts ends with it.
set -euo pipefail
cd "$(dirname "$0")/.."

bold='' dim='' green='' red='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi

began=$(date +%s%N)
work=$(mktemp -d "${TMPDIR:-/tmp}/sutler-demo.XXXXXX")
data=$work/data
market=

finish() {
    code=$?
    trap - EXIT INT TERM
    if [ -n "$market" ]; then
        kill "$market" 2>/dev/null || true
        wait "$market" 2>/dev/null || true
    fi
    if [ $code -ne 0 ]; then
        echo
        echo "${red}The demo failed (exit $code).${plain} What the market said last:"
        tail -n 20 "$work/market.log" 2>/dev/null | sed 's/^/  /' || true
    fi
    for location in "$data"/*/location; do # a root's server folders lie outside of ours
        folder=$(cat "$location" 2>/dev/null || true)
        case $folder in /var/tmp/sutler-?*) rm -rf "$folder" ;; esac
    done
    rm -rf "$work"
    exit $code
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { echo; echo "${bold}$*${plain}"; }
show() { echo "${dim}\$${plain} ${green}$*${plain}"; }
# run shows a command as you would type it, then runs it.
run() {
    show "$@"
    "$@"
    echo
}
# field reads one value of a JSON text from stdin without any program of ours or yours.
field() { grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | sed 's/.*: *"//; s/"$//'; }

export PATH="${SUTLER_BIN:-$PWD/bin}:$PATH"

say "1  A market of your own"
show sutler dev --data "$data" --addr 127.0.0.1:0
sutler dev --data "$data" --addr 127.0.0.1:0 2>"$work/market.log" &
market=$!
for _ in $(seq 1 300); do
    [ -e "$data/dev.json" ] && break
    kill -0 "$market" 2>/dev/null || { market=; exit 1; }
    sleep 0.1
done
[ -e "$data/dev.json" ] || { echo "The market was not ready in 30 s."; exit 1; }
sed 's/^/  /' "$work/market.log"
export SUTLER_DEV=$data
show "export SUTLER_DEV=$data"

say "2  What is on sale"
second=nats first=postgresql plan=small one=shopdb
if ! sutler marketplace --json | grep -q '"postgresql"'; then
    echo "No PostgreSQL programs are on this machine, so two NATS providers in two regions stand in. (apt install postgresql brings them.)"
    first=nats-west plan=small one=orders
fi
for _ in $(seq 1 600); do # a server that was never started before needs a moment
    starting=$(sutler marketplace --json | grep -c '"status": *"starting"' || true)
    [ "$starting" = 0 ] && break
    sleep 0.1
done
run sutler marketplace

say "3  An app, and a backend of each of two providers"
run sutler app create guestbook
run sutler create "$first:$plan" "$one" --wait
run sutler create "$second:small" events --wait
run sutler instances

say "4  Both are bound to the app"
run sutler bind "$one" --app guestbook
run sutler bind events --app guestbook
show "sutler env --app guestbook --format dotenv   # names only, values hidden"
sutler env --app guestbook --format dotenv | sed -n 's/^\([A-Z0-9_]*\)=.*/  \1=…/p'
echo

say "5  The app runs with nothing but its environment, and signs every backend it finds there"
run sutler run --app guestbook -- guestbook
run sutler run --app guestbook -- guestbook

say "6  An hour goes by, then the rest of the month"
run sutler dev clock advance 1h
run sutler usage
run sutler costs
now=$(sutler dev clock show --json | field market)
next=$(date -u -d "$(date -u -d "$now" +%Y-%m-01) +1 month +2 hours" +%s)
hours=$(( (next - $(date -u -d "$now" +%s) + 3599) / 3600 ))
run sutler dev clock advance "${hours}h"

say "7  One invoice for both providers"
run sutler invoices
number=$(sutler invoices --json | field number)
[ -n "$number" ] || { echo "There is no invoice."; exit 1; }
run sutler invoice show "$number"
invoice=$(sutler invoice show "$number" --json)
sellers=$(grep -o '"provider": *"[^"]*"' <<<"$invoice" | sort -u | wc -l)
[ "$sellers" -ge 2 ] || { echo "The invoice covers $sellers provider(s), not two."; exit 1; }
grep -q '"metric": *"[^"]\+"' <<<"$invoice" || { echo "The invoice has no metered line."; exit 1; }
grep -q '"metric": *""' <<<"$invoice" || { echo "The invoice has no fixed line."; exit 1; }
run sutler invoice verify "$number"

took=$(( ($(date +%s%N) - began) / 10000000 ))
say "${green}Done in $((took / 100)).$(printf %02d $((took % 100))) s:${plain}${bold} two providers, one app, one invoice ($number), verified."
