#!/bin/sh
# Two days in two processes: what is told on the first is answered on the second. Usage: two_days.sh path/to/mem
set -eu
mem=$1
settings=$("$mem" config path)
MEM_HOME=$(mktemp -d)
export MEM_HOME
trap 'rm -rf "$MEM_HOME"' EXIT
[ -f "$settings" ] && cp "$settings" "$MEM_HOME/config.toml"

echo "== Monday: a conversation"
MEM_NOW=2024-03-04T19:00:00+00:00 "$mem" chat --session monday <<'TURNS'
Hi! I moved to Porto last week, I started as a nurse at the Santo Antonio hospital.
My sister Lena visits on the 16th. She is allergic to peanuts.
TURNS
echo "== Night"
MEM_NOW=2024-03-05T03:30:00+00:00 "$mem" sleep
echo "== Tuesday: another process"
MEM_NOW=2024-03-05T08:00:00+00:00 "$mem" chat --session tuesday <<'TURNS'
Where do I live now?
What must I not cook when Lena comes?
TURNS
