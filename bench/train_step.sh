#!/usr/bin/env bash
# The decoder's training step against eager PyTorch, side by side: rounds are interleaved, medians compared.
#   bench/train_step.sh BUILD_FOLDER PYTHON [ROUNDS]     PYTHON has torch 2.13
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$1 python=$2 rounds=${3-3}
config=$here/train_step.json
for ((i = 0; i < rounds; i++)); do
  "$build/bench/bench_train_step" "$config" 64 5 2 2>/dev/null | sed 's/^/ours /'
  "$python" "$here/peers/train_step.py" "$config" 64 5 2 | sed 's/^/peer /'
done | "$python" -c '
import json, statistics, sys
rates = {"ours": [], "peer": []}
for line in sys.stdin:
    who, text = line.split(" ", 1)
    result = json.loads(text)
    rates[who].append(result["pictures_per_second"])
    print(who, result)
ours, peer = (statistics.median(rates[who]) for who in ("ours", "peer"))
print(f"training step: ours {ours:.1f} pictures/s, eager PyTorch {peer:.1f}, ratio {ours / peer:.2f}")'
