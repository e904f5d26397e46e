#!/usr/bin/env bash
# From the command to the PNG with the bundled model, and where the time goes.
#   bench/generate.sh [PROGRAM] [ROUNDS]     PROGRAM: ./unclip by default, so that the launcher counts too
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=${1-$here/unclip} rounds=${2-7}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# median_seconds COMMAND…: of all rounds, after one that warms the disk's cache.
median_seconds() {
  local start end
  "$@" >/dev/null 2>&1
  for ((i = 0; i < rounds; i++)); do
    start=${EPOCHREALTIME/./}
    "$@" >/dev/null 2>&1
    end=${EPOCHREALTIME/./}
    echo $((end - start))
  done | sort -n | awk '{ t[NR] = $1 } END { printf "%.3f", t[int((NR + 1) / 2)] / 1e6 }'
}

row() { printf '%-44s %s s\n' "$1" "$2"; }

row 'unclip --version' "$(median_seconds "$program" --version)"
row 'generate "a red heart", 256 px, to PNG' \
  "$(median_seconds "$program" generate 'a red heart' --seed 7 --force -o "$folder/heart.png")"
row 'generate "a red heart", 64 px, to PNG' \
  "$(median_seconds "$program" generate 'a red heart' --seed 7 --size 64 --force -o "$folder/heart.png")"
row 'generate "a red heart", 1024 px, to PNG' \
  "$(median_seconds "$program" generate 'a red heart' --seed 7 --size 1024 --force -o "$folder/large.png")"
echo
"$program" bench --quiet
