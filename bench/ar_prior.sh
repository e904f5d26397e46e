#!/usr/bin/env bash
# Drawing z_i from the autoregressive prior of configs/emoji: with and without the key/value cache, ours and eager
# PyTorch, side by side: rounds are interleaved, medians compared.
#   bench/ar_prior.sh BUILD_FOLDER PYTHON [ROUNDS] [BATCH]     PYTHON has torch 2.13
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$1 python=$2 rounds=${3-5} batch=${4-4}
config=$here/../configs/emoji/ar_prior.json
for ((i = 0; i < rounds; i++)); do
  for way in cached whole; do
    "$build/bench/bench_ar_prior" "$config" "$batch" 2 "$way" | sed "s/^/ours-$way /"
    "$python" "$here/peers/ar_prior.py" "$config" "$batch" 2 "$way" | sed "s/^/peer-$way /"
  done
done | "$python" -c '
import collections, json, statistics, sys
seconds = collections.defaultdict(list)
for line in sys.stdin:
    who, text = line.split(" ", 1)
    result = json.loads(text)
    seconds[who].append(result["seconds"])
    print(who, result)
median = {who: statistics.median(values) for who, values in seconds.items()}
for who, value in sorted(median.items()):
    print(f"{who:12s} {value * 1e3:8.1f} ms")
whole, peer = median["ours-whole"] / median["ours-cached"], median["peer-cached"] / median["ours-cached"]
print(f"with the cache: {whole:.1f} times as fast as without, {peer:.2f} times as fast as eager PyTorch with one")'
